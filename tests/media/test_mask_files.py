"""A mask is opened once, and laid on the input that it is for."""

import nibabel
import numpy as np
import pytest
from PIL import Image

from preddiff import media
from preddiff.errors import InputError
from preddiff.media.mask_files import on_input, open_mask
from preddiff.models import Linear


@pytest.fixture
def model():
    return Linear(np.ones((1, 4, 5, 6)), 0.0)


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "head.nii"
    values = np.arange(120, dtype=np.float32).reshape(6, 5, 4)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2, 2, 1])), path)
    return path


def test_an_opened_mask_is_returned_as_it_is(scan):
    opened = open_mask(scan)
    assert open_mask(opened) is opened


def test_arrays_are_true_above_0(model, scan):
    mask = open_mask(np.array([[0.0, 2.0]]))
    np.testing.assert_array_equal(mask, [[False, True]])
    assert on_input(mask, media.open(scan), model.prepare, resampled=False) is mask


def test_a_volume_lies_on_the_scans_grid(model, scan, tmp_path):
    values = np.zeros((6, 5, 4), dtype=np.uint8)
    values[5, 4, 3] = 1
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2, 2, 1])), tmp_path / "mask.nii")
    mask = on_input(
        open_mask(tmp_path / "mask.nii"), media.open(scan), model.prepare, resampled=False
    )
    assert np.argwhere(mask).tolist() == [[3, 4, 5]]
    nibabel.save(nibabel.Nifti1Image(values, np.diag([3.0, 2, 2, 1])), tmp_path / "far.nii")
    with pytest.raises(InputError, match=r"far\.nii: a mask of .*: expected the scan's"):
        on_input(open_mask(tmp_path / "far.nii"), media.open(scan), model.prepare, resampled=False)


def test_a_picture_is_no_mask_of_a_scan(model, scan, tmp_path):
    Image.new("L", (6, 5)).save(tmp_path / "mask.png")
    with pytest.raises(InputError, match=r"mask\.png: a picture, expected a mask on the scan's"):
        on_input(open_mask(tmp_path / "mask.png"), media.open(scan), model.prepare, resampled=False)
