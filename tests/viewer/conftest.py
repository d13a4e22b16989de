"""Several explanations of a picture, and their page."""

import pytest

import preddiff
from viewer.made import explained


@pytest.fixture(scope="session")
def several(small_network):
    """Three windows, the largest of which leaves pixels without a window."""
    return [explained(small_network, window=window) for window in (4, 6, 2)]


@pytest.fixture(scope="session")
def written(tmp_path_factory, several):
    return preddiff.page(several, tmp_path_factory.mktemp("pictures") / "page.html")
