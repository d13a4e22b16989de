"""Maps of scans as images, and in nilearn's plots."""

import nibabel as nib
import numpy as np
import pytest

import preddiff
from preddiff.adapters.nilearn import plot_relevance, relevance_image
from preddiff.errors import SettingError
from preddiff.models import Linear


@pytest.fixture
def scan(rng):
    affine = np.diag([-2.0, 2, 3, 1])
    affine[:3, 3] = [9, -8, -7]
    return nib.Nifti1Image(rng.normal(size=(8, 7, 6)).astype(np.float32), affine)


@pytest.fixture
def explained(scan, rng):
    model = Linear(rng.normal(size=(1, 6, 7, 8)), labels=["well", "ill"])
    return preddiff.explain(model, scan, ["ill", "well"], sampler="constant:0", window=2)


def test_an_image_of_nilearn_lies_where_the_scan_does(explained, scan):
    image = relevance_image(explained, "well")
    np.testing.assert_allclose(image.affine, scan.affine)
    np.testing.assert_allclose(image.get_fdata().T, explained.relevance[1], rtol=1e-6)
    with pytest.raises(SettingError, match="expected one of the result's, ill, well"):
        relevance_image(explained, "old")
    picture = preddiff.explain(
        lambda x: np.stack([p := x.mean((1, 2, 3)), 1 - p], 1), np.full((3, 8, 8), 0.5),
        sampler="constant:0", window=4, stride=4,
    )  # fmt: skip
    with pytest.raises(SettingError, match="is no scan: expected the explanation of a file"):
        relevance_image(picture)


def test_nilearn_draws_the_map_over_its_scan(explained):
    shown = plot_relevance(explained, display_mode="z", cut_coords=[0], colorbar=False)
    images = [image.get_array() for image in next(iter(shown.axes.values())).ax.images]
    largest = float(np.abs(explained.relevance[0]).max())
    assert len(images) >= 2
    assert 0 < np.nanmax(np.abs(np.ma.filled(images[-1], np.nan))) <= largest
    shown.close()
