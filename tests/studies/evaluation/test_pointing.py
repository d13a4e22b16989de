"""Mosaics of pictures, and the share of a map in one of their cells."""

import math

import numpy as np
import pytest

from preddiff.studies.evaluation.pointing import (
    CELLS,
    AskedPicture,
    companions,
    mosaic,
    share_in_cell,
)


def asked(name, target):
    return AskedPicture(name, np.zeros((3, 4, 4), dtype=np.float32), target)


@pytest.mark.parametrize("cell", range(CELLS))
@pytest.mark.parametrize("shape", [(8, 8), (227, 227), (9, 6)])
def test_a_perfect_map_has_1_and_a_map_of_another_cell_0(shape, cell):
    """Found from the mosaic itself: the first picture is white, the others black."""
    white, black = np.ones((3, *shape), np.float32), np.zeros((3, *shape), np.float32)
    values = mosaic([white, black, black, black], cell)[0].astype(float)
    assert share_in_cell(values, cell) == pytest.approx(1)
    assert share_in_cell(values, (cell + 1) % CELLS) == 0
    assert share_in_cell(-values, cell) != share_in_cell(values, cell)


def test_a_flat_map_has_a_quarter():
    assert [share_in_cell(np.ones((8, 8)), cell) for cell in range(CELLS)] == [0.25] * 4


def test_what_speaks_against_the_target_does_not_count():
    values = np.full((8, 8), -1.0)
    assert math.isnan(share_in_cell(values, 0))
    values[:2, :2] = 1
    assert share_in_cell(values, 0) == 1


def test_each_cell_is_its_picture_made_smaller(rng):
    pictures = [np.full((3, 10, 10), value, dtype=np.float32) for value in (0.1, 0.2, 0.3, 0.4)]
    values = mosaic(pictures, 2)
    cells = values[0, :5, :5], values[0, :5, 5:], values[0, 5:, :5], values[0, 5:, 5:]
    assert [each.mean() for each in cells] == pytest.approx([0.2, 0.3, 0.1, 0.4])
    noise = rng.random((3, 64, 64), dtype=np.float32)
    small = mosaic([noise] * 4, 0)
    assert small.mean() == pytest.approx(noise.mean(), abs=0.01)
    assert small.std() < 0.75 * noise.std()


def test_companions_are_of_other_classes_and_come_round():
    sure = [asked("a", 1), asked("b", 1), asked("c", 2), asked("d", 3), asked("e", 4)]
    assert [each.name for each in companions("a", sure)] == ["a", "c", "d", "e"]
    assert [each.name for each in companions("e", sure)] == ["e", "a", "c", "d"]


def test_without_four_classes_or_certainty_there_is_no_mosaic():
    three = [asked("a", 1), asked("b", 2), asked("c", 3), asked("d", 3)]
    assert companions("a", three) == []
    assert companions("x", [*three, asked("e", 4)]) == []
