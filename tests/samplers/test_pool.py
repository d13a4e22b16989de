import nibabel
import numpy as np
import pytest
from nibabel.affines import from_matvec
from PIL import Image

import preddiff
from preddiff.errors import InputError, SamplerError
from preddiff.media import volumes
from preddiff.media.folders import VolumeFolder
from preddiff.media.images import to_array
from preddiff.samplers import load as loading
from preddiff.samplers.load import load_sampler
from samplers.cohort import SHAPE


def test_a_marginal_pool_comes_from_a_folder(tmp_path):
    for shade in (0, 128, 255):
        Image.new("RGB", (6, 6), (shade,) * 3).save(tmp_path / f"{shade}.png")
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


def test_a_pool_on_another_grid_is_resampled_where_that_is_allowed(tmp_path):
    """Halves of a ramp of 2 mm lie between its values: interpolation is known."""
    ramp = np.arange(12, dtype=np.float32).reshape(1, 1, 12).repeat(4, 0).repeat(4, 1)
    (tmp_path / "pool").mkdir()
    for name in "ab":
        coarse = nibabel.Nifti1Image(ramp.T, from_matvec(np.diag([2.0, 1, 1]), (0, 0, 0)))
        coarse.to_filename(tmp_path / "pool" / f"{name}.nii")
    fine = nibabel.Nifti1Image(np.zeros((20, 4, 4)), np.eye(4))
    fine.to_filename(tmp_path / "scan.nii")
    grid = volumes.read(tmp_path / "scan.nii").grid
    given = {"shape": (1, 4, 4, 20), "window": 2, "margin": 1, "prepare": None, "mean": None}
    pool = f"marginal:{tmp_path / 'pool'}"
    found = load_sampler(pool, grid=grid, resample=True, **given)
    assert found.scan_grid.is_like(grid)
    np.testing.assert_allclose(found.pool[1, 0, 2, 2], np.arange(20) / 2)

    def model(scans):  # which knows no grid
        p = 0.5 + 0.1 * scans.mean((1, 2, 3, 4)) / 20
        return np.stack([p, 1 - p], axis=1)

    e = preddiff.explain(model, tmp_path / "scan.nii", sampler=pool, resample=True, window=3)
    assert e.relevance.shape == (1, 4, 4, 20)
    with pytest.raises(SamplerError, match=r"pool: volumes of .*\(resample=True, --resample\)"):
        load_sampler(pool, grid=grid, **given)
    with pytest.raises(SamplerError, match=r"holds volumes of \(4, 4, 12\), expected"):
        load_sampler(pool, resample=True, **given)  # of an array, which lies nowhere


def test_volumes_of_another_grid_are_refused(scans, cohort):
    nibabel = pytest.importorskip("nibabel")
    other = nibabel.Nifti1Image(cohort[0, 0].T, np.diag([2.0, 1, 1, 1]))
    other.to_filename(scans / "scans" / "z.nii")
    with pytest.raises(InputError, match="z.nii: a volume of .*: expected that of the first"):
        list(VolumeFolder(scans / "scans"))


@pytest.mark.parametrize("name", ["marginal", "conditional"])
def test_the_last_bits_of_hidden_values_make_no_other_sampler(tmp_path, rng, name):
    """They differ with the number of threads, and --resume would refuse its own work."""
    for n in range(4):
        noise = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{n}.png")

    def fingerprint(factor, window=2):
        loaded = load_sampler(
            f"{name}:{tmp_path}", shape=(3, 12, 12), window=window, margin=1, mean=None,
            prepare=lambda image: to_array(image) * np.float32(factor), hidden=True,
        )  # fmt: skip
        loaded.save(tmp_path / "kept.npz")
        assert loading.read_sampler(tmp_path / "kept.npz").sha256 == loaded.sha256
        return loaded.sha256

    before = fingerprint(1)
    assert fingerprint(1 + 1e-6) == before
    assert (fingerprint(1, window=3) == before) == (name == "marginal")
    Image.new("RGB", (12, 12)).save(tmp_path / "3.png")
    assert fingerprint(1) != before
