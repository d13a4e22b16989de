import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian, Constant
from preddiff.samplers.files import Contents, write
from preddiff.samplers.load import read_sampler
from samplers.textbook import everything


@pytest.mark.parametrize("kind", range(4))
def test_saved_and_loaded_it_draws_the_same(tmp_path, rng, kind):
    sampler = everything(rng)[kind]
    sampler.save(tmp_path / "sampler.npz")
    loaded = type(sampler).load(tmp_path / "sampler.npz")
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    windows = Windows.over((16, 16), 3, stride=5)
    for one in (sampler, loaded):
        one.check(inputs, windows, (0.0, 1.0))
    settings = {"samples": 2, "seed": 0, "valid": (0.0, 1.0)}
    np.testing.assert_array_equal(
        sampler.draw(inputs, windows, **settings), loaded.draw(inputs, windows, **settings)
    )
    assert loaded.sha256 == sampler.sha256


def test_files_that_are_no_samplers_are_refused(tmp_path):
    with pytest.raises(SamplerError, match="no such sampler file"):
        ConditionalGaussian.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    Constant(1).save(tmp_path / "cut.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:-30])
    with pytest.raises(SamplerError, match="not a sampler file"):
        ConditionalGaussian.load(tmp_path / "cut.npz")
    with pytest.raises(SamplerError, match="not a sampler file"):
        ConditionalGaussian.load(tmp_path / "text.npz")
    np.savez(tmp_path / "evil.npz", kind=np.array([print], dtype=object))
    with pytest.raises(SamplerError, match="not a sampler file"):
        ConditionalGaussian.load(tmp_path / "evil.npz")
    Constant(1).save(tmp_path / "constant.npz")
    with pytest.raises(SamplerError, match="holds a constant sampler, expected a conditional one"):
        ConditionalGaussian.load(tmp_path / "constant.npz")


def test_a_file_that_lacks_something_is_refused(tmp_path):
    write(tmp_path / "s.npz", Contents("conditional", {"mean": np.zeros(4)}, {"clip": True}))
    for load in (ConditionalGaussian.load, read_sampler):
        with pytest.raises(SamplerError, match="an incomplete conditional sampler") as caught:
            load(tmp_path / "s.npz")
        assert "\n" not in str(caught.value)


def test_a_file_of_an_unknown_kind_is_refused(tmp_path):
    write(tmp_path / "s.npz", Contents("oracle", {}, {}))
    with pytest.raises(
        SamplerError, match="holds a sampler of kind 'oracle', expected one of .*located"
    ):
        read_sampler(tmp_path / "s.npz")
