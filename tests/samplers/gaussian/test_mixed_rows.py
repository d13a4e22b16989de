"""Rows of numbers and categories, each drawn given the others."""

import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import RowGaussian, RowMixed

DRAWS = 20_000


def drawn(sampler, row, window=1):
    windows = Windows.over((len(row),), window)
    return sampler.draw(np.array([row], dtype=np.float32), windows, DRAWS, 0, None)[:, :, 0]


@pytest.fixture(scope="module")
def groups():
    """A category of chances .2, .3, .5, and a number with mean -2, 0 or 1.5 and variance 1."""
    rng = np.random.default_rng(0)
    kind = rng.choice(3, size=20_000, p=[0.2, 0.3, 0.5])
    number = np.array([-2.0, 0.0, 1.5])[kind] + rng.normal(size=20_000)
    return np.stack([kind, number, rng.normal(size=20_000)], axis=1)


def test_a_category_is_drawn_by_bayes_rule_given_the_numbers(groups):
    found = drawn(RowMixed.fit(groups, [0]), [2, -1.0, 0.3])[0, :, 0]
    weights = np.array([0.2, 0.3, 0.5]) * np.exp(-0.5 * (-1.0 - np.array([-2, 0, 1.5])) ** 2)
    shares = [(found == level).mean() for level in range(3)]
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.02)


def test_a_number_is_drawn_given_the_category(groups):
    found = drawn(RowMixed.fit(groups, [0]), [0, 3.0, 0.3])[1, :, 0]
    assert found.mean() == pytest.approx(-2, abs=0.06)
    assert found.std() == pytest.approx(1, abs=0.03)


def test_both_hidden_keep_what_they_have_to_do_with_each_other(groups):
    kind, number = drawn(RowMixed.fit(groups, [0]), [0, 3.0, 0.3], window=2)[0].T
    shares = [(kind == level).mean() for level in range(3)]
    np.testing.assert_allclose(shares, [0.2, 0.3, 0.5], atol=0.02)
    for level, mean in enumerate([-2, 0, 1.5]):
        assert number[kind == level].mean() == pytest.approx(mean, abs=0.08)


def test_a_category_is_drawn_given_the_other_categories(rng):
    first = rng.choice(2, size=3000)
    second = np.where(rng.random(3000) < 0.9, first, 1 - first)
    table = np.stack([first, second], axis=1)
    found = drawn(RowMixed.fit(table, [0, 1]), [0, 1])
    assert found[0].mean() == pytest.approx(0.9, abs=0.03)
    assert found[1].mean() == pytest.approx(0.1, abs=0.03)
    free = drawn(RowMixed(table, [0, 1], mismatch=1.0), [0, 1])
    assert free[0].mean() == pytest.approx(first.mean(), abs=0.02)


def test_numbers_alone_are_those_of_the_normal(rng):
    table = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3))
    ours, normal = RowMixed.fit(table, []), RowGaussian.fit(table)
    np.testing.assert_allclose(
        drawn(ours, table[0], 2), drawn(normal, table[0], 2), rtol=1e-4, atol=1e-4
    )


def test_a_file_holds_it_all(groups, tmp_path):
    sampler = RowMixed.fit(groups[:200], [0])
    sampler.save(tmp_path / "rows.npz")
    again = RowMixed.load(tmp_path / "rows.npz")
    assert again.sha256 == sampler.sha256
    np.testing.assert_array_equal(drawn(again, groups[0]), drawn(sampler, groups[0]))


@pytest.mark.parametrize(
    ("table", "categorical", "message"),
    [
        ([[0.5, 1.0]] * 9, [0], "a category is no whole number of at least 0"),
        ([[0, 1.0], [1, 2.0]], [0], r"2 rows for \d effects of categories and 1 numbers"),
        ([[0, 1.0]] * 9, [2], r"categorical=\[2\]: expected positions from 0 to 1"),
        ([[0, np.nan]] * 9, [0], r"a table of shape \(9, 2\): expected rows of numbers"),
    ],
)
def test_wrong_tables_are_refused(table, categorical, message):
    with pytest.raises(SamplerError, match=message):
        RowMixed.fit(table, categorical)


def test_wrong_rows_are_refused(groups):
    sampler = RowMixed.fit(groups[:200], [0])
    windows = Windows.over((3,), 1)
    for row, message in (
        ([3, 0, 0], "feature 0 is category 3: the table has 0 to 2"),
        ([0.5, 0, 0], "a category is no whole number"),
        ([0, 0], r"rows of 3 features, this input has shape \(1, 2\)"),
    ):
        with pytest.raises(SamplerError, match=message):
            sampler.check(np.array([row], dtype=np.float32), windows, None)
