"""A sampler of somebody else's, made with nothing but the documentation of `base.py`."""

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import Constant, Marginal, base, load
from preddiff.samplers.base import Sampler
from preddiff.samplers.load import SpecLoader
from preddiff.samplers.streams import window_generator


class Noise(Sampler):
    stands_in = "uniform noise"

    def draw(self, inputs, windows, samples, seed, valid):
        low, high = valid or (inputs.min(), inputs.max())
        shape = (samples, len(inputs), *windows.size)
        generators = (window_generator(seed, number) for number in windows.numbers)
        draws = np.stack([random.uniform(low, high, shape) for random in generators])
        return draws.astype(np.float32)


class Bare(Sampler):
    def draw(self, inputs, windows, samples, seed, valid):
        return Noise().draw(inputs, windows, samples, seed, valid)


def from_spec(argument, context):
    assert context.shape == (3, 8, 8)
    assert context.patch == 7
    return Noise()


def test_one_method_is_enough(rng):
    picture = rng.random((3, 8, 8)).astype(np.float32)
    e = preddiff.explain(Softmax(picture.shape), picture, sampler=Noise(), window=3, samples=4)
    assert e.provenance["sampler"] == "Noise"
    assert e.provenance["samples"] == 4
    assert (e.evidence_error > 0).all()
    again = preddiff.explain(
        Softmax(picture.shape), picture, sampler=Noise(), window=3, samples=4, tolerance=0.001
    )
    np.testing.assert_allclose(again.evidence.mean(), e.evidence.mean(), atol=0.05)


def test_one_line_gives_it_a_name(rng, monkeypatch):
    monkeypatch.setitem(load.LOADERS, "noise", SpecLoader("noise", f"{__name__}:from_spec"))
    picture = rng.random((3, 8, 8)).astype(np.float32)
    model = Softmax(picture.shape)
    named = preddiff.explain(model, picture, sampler="noise", window=3, samples=2)
    given = preddiff.explain(model, picture, sampler=Noise(), window=3, samples=2)
    np.testing.assert_array_equal(named.evidence, given.evidence)
    with pytest.raises(SamplerError, match=r"expected .*constant:mean.* or noise"):
        preddiff.explain(model, picture, sampler="nose", window=3)


def test_the_defaults_are_these():
    bare = Bare()
    assert bare.population is None
    assert bare.group == 1
    assert bare.paired() is bare
    assert not bare.is_clipped((0.0, 1.0))
    assert bare.check(np.zeros((1, 4, 4)), Windows.over((4, 4), 2), None) is None
    assert bare.summary() == {"kind": "Bare", "sha256": bare.sha256}
    with pytest.raises(SamplerError, match="s.npz: Bare cannot be saved; derive it from"):
        bare.save("s.npz")
    with pytest.raises(TypeError, match="draw"):
        type("Nothing", (Sampler,), {})()


@pytest.mark.parametrize("name", ["scale", "kind", "class_"])
def test_the_fingerprint_is_of_the_attributes(name):
    first, second, third = Bare(), Bare(), Bare()
    setattr(first, name, 1.0)
    setattr(second, name, 2.0)
    setattr(third, name, 1.0)
    assert len({first.sha256, second.sha256, Bare().sha256, Noise().sha256}) == 4
    assert first.sha256 == third.sha256
    first.prepare = lambda values: values
    with pytest.raises(SamplerError, match="Bare: prepare is a function, .*; define sha256"):
        _ = first.sha256


def test_every_sampler_says_what_stands_in_a_hidden_window(rng, located):
    natural = preddiff.samplers.ConditionalGaussian.natural(8)
    plausible = "something else that could plausibly have stood there, given the"
    assert base.stands_in(natural) == f"{plausible} pixels around it"
    assert base.stands_in(located) == f"{plausible} voxels around it"
    pictures, scans = Marginal(rng.random((2, 3, 4, 4))), Marginal(rng.random((2, 1, 4, 4, 4)))
    assert base.stands_in(pictures) == "what other pictures have at the same place"
    assert base.stands_in(scans) == "what other scans have at the same place"
    assert base.stands_in(Constant(0)) == "one constant value"
    assert base.stands_in(Noise()) == "uniform noise"


def test_of_others_nothing_is_claimed():
    assert base.stands_in(Bare()) == "draws from Bare"

    class Duck:
        pass

    assert base.stands_in(Duck()) == "draws from Duck"
