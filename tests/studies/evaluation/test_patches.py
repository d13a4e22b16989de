"""Patches of several sizes cover a picture, each once."""

import numpy as np
import pytest

from preddiff.studies.evaluation.metrics import DEFAULT_METRICS, METRICS
from preddiff.studies.evaluation.patches import PATCHES

ROWS, COLUMNS = np.mgrid[:112, :96]
PICTURE = np.stack([np.sin(ROWS / 9), np.cos(COLUMNS / 7), np.sin((ROWS + COLUMNS) / 11)]) / 2 + 0.5


@pytest.mark.parametrize("name", PATCHES)
def test_regions_are_numbered_without_gaps(name):
    regions = PATCHES[name](PICTURE)
    assert regions.shape == PICTURE.shape[1:]
    assert np.array_equal(np.unique(regions), np.arange(regions.max() + 1))
    assert len(np.unique(regions)) > 16


@pytest.mark.parametrize(("name", "size"), [("8px", 8), ("20px", 20)])
def test_patches_have_about_the_size_that_their_name_says(name, size):
    side = np.sqrt(np.bincount(PATCHES[name](np.zeros((3, 224, 224))).ravel()))
    assert side == pytest.approx(size, abs=1)


def test_shifted_patches_have_their_corners_in_the_middle_of_others():
    picture = np.zeros((3, 224, 224))
    regions, shifted = PATCHES[""](picture), PATCHES["16px-shifted"](picture)
    assert len(np.unique(shifted[16:32, 16:32])) == 4
    assert len(np.unique(regions[16:32, 16:32])) == 1


def test_other_patches_are_asked_only_by_name():
    asked = set(METRICS) - set(DEFAULT_METRICS)
    assert {name for name in asked if name.startswith("flipping")} == {
        f"flipping:{imputer}:{patches}"
        for imputer in ("grey", "blurred", "telea")
        for patches in ("8px", "20px", "16px-shifted", "slic")
    }
