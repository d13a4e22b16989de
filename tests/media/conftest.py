"""What tests of files need: a scan in one."""

import pytest

from scans import scan


@pytest.fixture
def path(tmp_path, rng):
    file = tmp_path / "scan.nii.gz"
    scan(rng).to_filename(file)
    return file
