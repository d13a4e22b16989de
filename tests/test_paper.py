"""The paper's claims as pure functions, and its figures in a hurry."""

import numpy as np
import pytest

from conftest import DATA, needs_data
from preddiff.errors import InputError
from preddiff.paper import claims
from preddiff.paper.material import Material
from preddiff.paper.reproduction import KNOWN, reproduce


def test_the_share_inside_a_box():
    relevance = np.zeros((6, 8))
    relevance[1, 2], relevance[5, 7], relevance[0, 0] = -3.0, 1.0, np.nan
    assert claims.share_inside(relevance, (2, 1, 3, 2)) == 0.75
    assert claims.share_inside(relevance, (0, 0, 8, 6)) == 1


def test_agreement_is_the_mean_correlation(rng):
    one = rng.normal(size=(5, 5))
    assert claims.agreement(np.stack([one, 2 * one, one])) == pytest.approx(1)
    assert claims.agreement(np.stack([one, -one, one])) == pytest.approx(-1 / 3)
    with_gap = np.stack([one, one])
    with_gap[:, 0, 0] = np.nan
    assert claims.agreement(with_gap) == pytest.approx(1)


def test_roughness_of_a_chess_board_and_of_a_plain():
    board = np.indices((6, 6)).sum(axis=0) % 2 * 2.0 - 1
    assert claims.roughness(board) == 2
    assert claims.roughness(np.ones((6, 6))) == 0


def test_the_channels_that_have_half_of_the_activation():
    assert claims.half_share(np.array([0.0, 8, 0, 0])) == 0.25
    assert claims.half_share(np.ones(10)) == 0.5


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(InputError, match=r"bvlc_googlenet\.onnx: not there.*--data"):
        next(iter(reproduce(["fig1"], tmp_path, tmp_path / "out")))
    with pytest.raises(InputError, match=r"images\.csv: not there"):
        Material(tmp_path).picture("cat")


@needs_data
def test_figures_in_a_hurry(tmp_path):
    made = list(reproduce(["fig1", "fig6"], DATA, tmp_path, hurry=16))
    assert [path.name for path, _ in made] == ["fig1.png", "fig6.png"]
    captions = (tmp_path / "captions.md").read_text()
    assert "**fig1.**" in captions
    assert "**fig6.**" in captions


@needs_data
def test_every_box_is_of_a_picture_that_is_there():
    material = Material(DATA)
    for name, (left, top, right, bottom) in claims.BOXES.items():
        assert material.picture(name).exists()
        assert 0 <= left < right <= 224
        assert 0 <= top < bottom <= 224


def test_everything_but_the_drawing_of_the_method_is_known():
    assert {f"fig{n}" for n in range(1, 14) if n != 2} | {"claims"} == set(KNOWN)
