import numpy as np
import pytest
from PIL import Image

from preddiff.errors import InputError, SamplerError
from preddiff.media.folders import VolumeFolder
from preddiff.samplers import load as loading
from preddiff.samplers.load import load_sampler
from samplers.cohort import SHAPE


def test_a_marginal_pool_comes_from_a_folder(tmp_path):
    for shade in (0, 128, 255):
        Image.new("RGB", (6, 6), (shade,) * 3).save(tmp_path / f"{shade}.png")
    from preddiff.media.images import to_array

    sampler = load_sampler(
        f"marginal:{tmp_path}", shape=(3, 6, 6), window=2, margin=2, prepare=to_array, mean=None
    )
    assert sampler.population == 3
    assert sorted(sampler.pool[:, 0, 0, 0].tolist()) == pytest.approx([0, 128 / 255, 1])


def test_a_marginal_pool_comes_from_a_folder_of_volumes(scans, cohort):
    arguments = {"window": 2, "margin": 2, "prepare": None, "mean": None}
    pool = loading.load_sampler(f"marginal:{scans}/scans", shape=SHAPE, **arguments)
    np.testing.assert_array_equal(pool.pool, cohort[:8])
    with pytest.raises(SamplerError, match=r"holds volumes of \(10, 9, 8\), expected"):
        loading.load_sampler(f"marginal:{scans}/scans", shape=(1, 9, 9, 9), **arguments)


def test_volumes_of_another_grid_are_refused(scans, cohort):
    nibabel = pytest.importorskip("nibabel")
    other = nibabel.Nifti1Image(cohort[0, 0].T, np.diag([2.0, 1, 1, 1]))
    other.to_filename(scans / "scans" / "z.nii")
    with pytest.raises(InputError, match="z.nii: a volume of .*: expected that of the first"):
        list(VolumeFolder(scans / "scans"))
