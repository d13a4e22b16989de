"""A cohort of volumes, a located sampler of it, and a folder that holds it."""

import numpy as np
import pytest

from preddiff.samplers import Located

SHAPE, PATCH, GRID = (1, 10, 9, 8), 3, (2, 3, 2)


@pytest.fixture(scope="module")
def cohort():
    """Volumes whose mean and spread grow along the first axis."""
    rng = np.random.default_rng(5)
    plane = np.arange(10)[None, :, None, None]
    noise = rng.normal(size=(30, *SHAPE))
    smooth = noise + np.roll(noise, 1, axis=4)
    return (plane + (0.2 + 0.3 * plane) * smooth).astype(np.float32)


@pytest.fixture(scope="module")
def located(cohort):
    return Located.fit(cohort, patch=PATCH, grid=GRID, clip=False)


@pytest.fixture
def scans(tmp_path, cohort):
    """A folder of eight NIfTI files; x is the first axis in a file and the last in arrays."""
    nibabel = pytest.importorskip("nibabel")
    (tmp_path / "scans").mkdir()
    for n, volume in enumerate(cohort[:8]):
        nibabel.Nifti1Image(volume[0].T, np.eye(4)).to_filename(tmp_path / f"scans/{n}.nii.gz")
    mask = np.zeros(SHAPE[1:], dtype=np.uint8)
    mask[7:, 1:6, 1:5] = 1
    nibabel.Nifti1Image(mask.T, np.eye(4)).to_filename(tmp_path / "mask.nii")
    return tmp_path
