import re

import pytest

import preddiff
from conftest import Softmax
from preddiff.results.citation import citation


@pytest.fixture
def of(rng):
    picture = rng.random((3, 12, 12))
    return lambda **how: preddiff.explain(
        Softmax(picture.shape), picture, window=4, **{"sampler": "constant:0.5", **how}
    )


@pytest.mark.parametrize("how", [{"stride": 3}, {"sets": 120}, {"sets": 120, "regions": "2x2"}])
def test_it_says_how_the_result_was_made_and_names_what_it_cites(of, how):
    e = of(**how)
    text = citation(e)
    paragraph = text.split("\n\n")[0]
    for name in ("model", "input", "sampler", "libraries", "machine", "preddiff_version"):
        assert str(e.provenance[name]) in paragraph, name
    assert f"{e.labels[0]} ({e.values[0]})" in paragraph
    assert "weight of evidence, Laplace correction with N = " in paragraph
    assert "seed 0" in paragraph
    cited = set(", ".join(re.findall(r"\[([\w, ]+)\]", paragraph)).split(", "))
    assert cited == set(re.findall(r"^@\w+\{(\w+),$", text, flags=re.MULTILINE))
    assert ("owen1972" in cited) is ("sets" in how)
    windows = {"stride": "16 windows of length 4, 3 apart, were", "regions": "sets of 4 regions"}
    assert windows.get(list(how)[-1], "120 random sets of windows × 1 draw") in paragraph
