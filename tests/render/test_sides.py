"""Words for both signs of a map: for and against, or the two classes of a contrast."""

import re

import pytest

import preddiff
from conftest import Softmax
from preddiff.models.function import Function
from preddiff.viewer.page import html

LABELS = ["husky", "white wolf", "vote against tax"]


@pytest.fixture(params=[(2, 8, 8), (1, 4, 5, 6)], ids=["picture", "scan"])
def explained(rng, request):
    inputs = rng.random((3, *request.param[1:]) if request.param[0] == 2 else request.param)
    model = Function(Softmax(inputs.shape), labels=LABELS)
    return lambda target: preddiff.explain(
        model, inputs, target, sampler="constant:0.5", window=2, stride=2, samples=1
    )


def words_of(e):
    drawing = preddiff.figure(e)
    bars = [axes.get_ylabel() for axes in drawing.axes if "←" in axes.get_ylabel()]
    return bars, " ".join(re.sub(r"<[^>]*>", "", html(e)).split())


def test_a_contrast_names_both_classes(explained):
    [bar], page = words_of(explained("white wolf against husky"))
    assert bar.startswith("for husky  ←" if "relevance" in bar else "for husky ←")
    assert bar.endswith("for white wolf")
    assert "in red speak for white wolf, those in blue for husky." in page
    assert '"sides": ["for white wolf", "for husky"]' in page


def test_long_names_fit_beside_the_bar(rng):
    names = ["African elephant of the savanna", "Indian elephant, of all the forests"]
    picture = rng.random((3, 8, 8))
    e = preddiff.explain(
        Function(Softmax(picture.shape, 2), labels=names), picture, " against ".join(names),
        sampler="constant:0.5", window=2, stride=2, samples=1,
    )  # fmt: skip
    drawing = preddiff.figure(e)
    drawing.canvas.draw()
    [bar] = [axes.yaxis.label for axes in drawing.axes if "←" in axes.get_ylabel()]
    box = bar.get_window_extent()
    assert 0 <= box.y0 < box.y1 <= drawing.bbox.height


@pytest.mark.parametrize("target", ["husky", "husky against vote against tax"])
def test_anything_else_is_for_and_against(explained, target):
    [bar], page = words_of(explained(target))
    assert (bar.split()[0], bar.split()[-1]) == ("against", "for")
    assert '"sides": ["for", "against"]' in page
