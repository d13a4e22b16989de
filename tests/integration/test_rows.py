"""Rows of tables: the setting of Robnik-Šikonja & Kononenko (2008), which section 3 begins with."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from torch import nn

import preddiff
from preddiff.errors import InputError, SamplerError, SettingError
from preddiff.samplers import Marginal, RowGaussian, RowMixed
from preddiff.samplers.load import read_sampler

WISH = {"targets": "all", "train_size": math.inf}


@pytest.fixture(scope="module")
def wine():
    table, kind = load_wine(return_X_y=True)
    return table.astype(np.float32).astype(float), kind


def by_sum(estimator, row, table):
    """Equation 2: the mean prediction over all values that the table has for each feature."""
    odds = lambda p: np.log2(p) - np.log2(1 - p)  # noqa: E731
    result = []
    for feature in range(len(row)):
        changed = np.repeat(row[None], len(table), axis=0)
        changed[:, feature] = table[:, feature]
        result.append(odds(estimator.predict_proba(changed).mean(axis=0)))
    return odds(estimator.predict_proba(row[None])[0])[:, None] - np.array(result).T


@pytest.mark.parametrize(
    "kind", [GaussianNB, lambda: RandomForestClassifier(30, max_depth=3, random_state=0)]
)
def test_differences_are_the_sums_over_all_values(wine, kind):
    table, group = wine
    estimator = kind().fit(table, group)
    for row in (table[0], table[100]):
        e = preddiff.explain(estimator, row, sampler=Marginal(table), samples=len(table), **WISH)
        with np.errstate(divide="ignore"):
            expected = by_sum(estimator, row, table)
        known = np.isfinite(expected) & (np.abs(expected) < 40)
        assert known.mean() > 0.6
        np.testing.assert_allclose(e.evidence.values[known], expected[known], atol=1e-3)
        np.testing.assert_array_equal(e.evidence, e.relevance)
        assert (e.evidence_error.values[np.isfinite(expected)] == 0).all()


def test_only_the_conditional_sampler_sees_that_two_features_say_the_same(rng):
    first = rng.normal(size=4000)
    table = np.stack([first, first + 0.05 * rng.normal(size=4000), rng.normal(size=4000)], axis=1)
    group = (first + table[:, 2] > 0).astype(int)
    model = LogisticRegression().fit(table, group)
    row = np.array([1.5, 1.5, 1.0])
    given = {"targets": 1, "samples": 400}
    marginal = preddiff.explain(model, row, sampler=Marginal(table), **given).relevance.values[0]
    fitted = RowGaussian.fit(table)
    conditional = preddiff.explain(model, row, sampler=fitted, **given).relevance.values[0]
    assert (np.abs(conditional[:2]) < 0.15 * marginal[:2]).all()  # each is told by the other
    assert conditional[2] == pytest.approx(marginal[2], rel=0.25)  # this one is told by nothing


def test_draws_have_the_mean_and_variance_given_the_rest(rng):
    factor = rng.normal(size=(4, 4))
    sampler = RowGaussian(np.arange(4.0), factor @ factor.T)
    row = rng.normal(size=(1, 4)).astype(np.float32)
    windows = preddiff.method.windows.Windows.over((4,), 2)
    draws = sampler.draw(row, windows, 20_000, 0, None)
    precision = np.linalg.inv(factor @ factor.T)
    for n, start in enumerate(range(3)):
        own = np.arange(start, start + 2)
        rest = np.setdiff1d(np.arange(4), own)
        inverse = np.linalg.inv(precision[np.ix_(own, own)])
        mean = own - inverse @ precision[np.ix_(own, rest)] @ (row[0, rest] - rest)
        found = draws[n, :, 0]
        error = np.sqrt(np.diag(inverse) / len(found))
        assert (np.abs(found.mean(axis=0) - mean) < 4.5 * error).all()
        np.testing.assert_allclose(np.cov(found.T), inverse, rtol=0.1, atol=0.05 * inverse.max())


def test_names_reach_the_file_and_the_figure(wine, tmp_path):
    table, group = wine
    names = load_wine().feature_names
    row = pd.Series(table[0], index=names)
    # Fitted on a table with names, which arrays do not have: it would warn of each batch.
    model = RandomForestClassifier(5, random_state=0).fit(pd.DataFrame(table, columns=names), group)
    e = preddiff.explain(model, row, sampler=RowGaussian.fit(table), targets=0, train_size=178)
    assert e.relevance.dims == ("target", "feature")
    preddiff.save(e, tmp_path / "row.zarr")
    back = preddiff.load(tmp_path / "row.zarr")
    assert back.provenance["features"] == names
    panel = preddiff.figure(back).axes[0]
    shown = [text.get_text() for text in panel.get_xticklabels()]
    strongest = int(np.argmax(np.abs(e.relevance.values[0])))
    assert shown[0] == f"{names[strongest]} = {table[0, strongest]:.4g}"
    assert len(panel.containers) == 2  # bars, and their error bars
    with pytest.raises(SettingError, match="expected a picture's"):
        preddiff.page(e, tmp_path / "row.html")


def test_networks_and_functions_get_rows(rng):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)).eval()
    table = rng.normal(size=(30, 5)).astype(np.float32)

    def price(rows):
        with torch.inference_mode():
            return network(torch.from_numpy(rows))[:, 0]

    asked = {"sampler": Marginal(table), "samples": 30}
    ours = [
        preddiff.explain(preddiff.load_model(each, output="values", unit="€"), table[3], **asked)
        for each in (network, price)
    ]
    changed = np.repeat(table[3:4], 30, axis=0)
    changed[:, 2] = table[:, 2]
    expected = float(price(table[3:4])[0] - price(changed).mean())
    wants_gradient = torch.tensor(table[3], requires_grad=True)
    ours.append(
        preddiff.explain(
            preddiff.load_model(price, output="values", unit="€"), wants_gradient, **asked
        )
    )
    for e in ours:
        assert e.evidence.values[0, 2] == pytest.approx(expected, abs=1e-5)
        assert e.unit == "€"


def test_wrong_use_is_refused(wine):
    table, group = wine
    model = GaussianNB().fit(table, group)
    with pytest.raises(InputError, match="if it is a row of a table, say what features could be"):
        preddiff.explain(model, table[0])
    with pytest.raises(
        InputError,
        match=r"array of object and shape \(2,\), a row: expected finite numbers; encode",
    ):
        preddiff.explain(model, pd.Series(["red", 1.0]), sampler=Marginal(table))
    with pytest.raises(InputError, match="expected finite numbers"):
        preddiff.explain(model, table[0] * np.nan, sampler=Marginal(table))
    with pytest.raises(SamplerError, match=r"the sampler is of rows of 13 features, this input"):
        preddiff.explain(model, table[0, :5], sampler=RowGaussian.fit(table))
    with pytest.raises(SamplerError, match="a table of shape \\(3, 13\\): expected more rows"):
        RowGaussian.fit(table[:3])
    with pytest.raises(SettingError, match="nodes are of pictures and scans"):
        preddiff.explain(model, table[0], node="x", sampler=Marginal(table))


@pytest.mark.parametrize("kind", [GaussianNB, LogisticRegression])
def test_a_row_has_its_features_in_the_order_of_the_fit(rng, kind):
    table = pd.DataFrame({"age": rng.normal(size=20), "dose": rng.normal(size=20)})
    model = kind().fit(table, table["age"] > 0)
    wish = {"sampler": Marginal(table), "samples": 20, **WISH}
    expected = preddiff.explain(model, table.iloc[0], **wish)
    unnamed = preddiff.explain(model, table.iloc[0].to_numpy(), **wish)
    np.testing.assert_array_equal(unnamed.evidence, expected.evidence)
    with pytest.raises(InputError, match="feature 0 is 'dose': .* was fitted with 'age' there"):
        preddiff.explain(model, table.iloc[0][["dose", "age"]], **wish)


TABLES = pytest.mark.parametrize(
    "of", [Marginal, RowGaussian.fit, lambda table: RowMixed.fit(table, [list(table).index("sex")])]
)


@TABLES
def test_a_table_of_draws_has_the_columns_of_the_row_in_its_order(rng, of, tmp_path):
    table = pd.DataFrame({"age": rng.normal(size=30), "sex": rng.integers(2, size=30)})
    model = GaussianNB().fit(table.to_numpy(), table["age"] > 0)
    wish = {"samples": 2, **WISH}
    with pytest.raises(SamplerError, match="feature 0 is 'age': the sampler's table has 'sex'"):
        preddiff.explain(model, table.iloc[0], sampler=of(table[["sex", "age"]]), **wish)
    of(table[["sex", "age"]]).save(tmp_path / "rows.npz")
    with pytest.raises(SamplerError, match="feature 0 is 'age': the sampler's table has 'sex'"):
        preddiff.explain(model, table.iloc[0], sampler=read_sampler(tmp_path / "rows.npz"), **wish)
    named = preddiff.explain(model, table.iloc[0], sampler=of(table), **wish)
    unnamed = preddiff.explain(model, table.iloc[0].to_numpy(), sampler=of(table), **wish)
    np.testing.assert_array_equal(named.relevance, unnamed.relevance)


@TABLES
def test_a_file_keeps_a_tables_columns_and_older_ones_are_read(rng, tmp_path, of):
    table = pd.DataFrame({"age": rng.normal(size=30), "sex": rng.integers(2, size=30)})
    fitted = of(table)
    fitted.save(tmp_path / "s.npz")
    back = read_sampler(tmp_path / "s.npz")
    assert (back.feature_names, back.sha256) == (("age", "sex"), fitted.sha256)
    with np.load(tmp_path / "s.npz") as file:
        older = {name: file[name] for name in file if name != "feature_names"}
    np.savez(tmp_path / "older.npz", **older)
    assert read_sampler(tmp_path / "older.npz").feature_names is None
    np.savez(tmp_path / "bad.npz", **older, feature_names=np.zeros(2))
    with pytest.raises(SamplerError, match=r"bad.npz: the names of its columns are damaged"):
        read_sampler(tmp_path / "bad.npz")
