import numpy as np
import pytest
from PIL import Image

from preddiff.errors import InputError, SamplerError
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
