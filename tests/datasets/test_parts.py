"""Figures made of parts: what is drawn, and what is taken away."""

import numpy as np
import pytest

from preddiff.datasets import parts
from preddiff.datasets.parts import CLASSES, PARTS, SIDE, figures
from preddiff.errors import SettingError


def test_without_a_part_only_its_pixels_differ():
    data = figures(2 * CLASSES, complete=2 * CLASSES)
    for number in range(len(data)):
        for part in range(PARTS):
            changed = (data.without(number, part) != data.pictures[number]).any(axis=0)
            where = data.where(number, part)
            assert not changed[~where].any()
            assert changed[where].all()


def test_what_lacks_a_part_already_loses_nothing_more():
    data = figures(CLASSES)
    number, part = np.argwhere(data.missing)[0]
    assert np.array_equal(data.without(number, part), data.pictures[number])


def test_any_two_classes_differ_in_two_parts():
    apart = (parts._VARIANTS[:, None] != parts._VARIANTS).sum(axis=2)
    assert apart[~np.eye(CLASSES, dtype=bool)].min() >= 2
    assert (np.ptp(parts._VARIANTS, axis=0) > 0).all()


def test_figures_lie_within_their_pictures():
    data = figures(200)
    assert data.pictures.shape == (200, 3, SIDE, SIDE)
    assert data.pictures.min() >= 0
    assert data.pictures.max() <= 1
    sizes = {int(data.where(n, part).sum()) for n in range(200) for part in range(PARTS)}
    assert sizes == {25}  # of every shape: none is cut off


def test_pictures_follow_from_their_seed():
    first, again, other = (figures(4, seed=seed).pictures for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(SettingError, match=r"count=3, complete=4, seed=0: expected 1 picture"):
        figures(3, complete=4)
