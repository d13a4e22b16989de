"""Rows of a table with categories: what an estimator gets is what it was fitted on."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import preddiff
from preddiff import load_model
from preddiff.errors import ModelError, SamplerError
from preddiff.models.columns import Columns
from preddiff.samplers import Marginal, RowMixed


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(50, 9, 40),
            "visits": rng.integers(0, 5, 40),
            "colour": rng.choice(["red", "blue", "green"], 40),
            "size": pd.Categorical(rng.choice(["S", "L"], 40), categories=["S", "M", "L"]),
            "smokes": rng.random(40) < 0.5,
        }
    )


def test_rows_come_back_as_they_were(table):
    columns = Columns(table)
    coded = columns.encode(table)
    assert set(coded.dtypes) == {np.dtype(float)}
    assert coded["size"].max() == 2  # L: the place that it has among the categories
    pd.testing.assert_frame_equal(columns.decode(coded.to_numpy()), table)
    one = columns.encode(table.iloc[3])
    np.testing.assert_array_equal(one, coded.iloc[3])


@pytest.fixture(scope="module")
def fitted(table):
    encoder = ColumnTransformer(
        [("names", OneHotEncoder(), ["colour", "size"])], remainder="passthrough"
    )
    group = (table["age"] > 50) ^ (table["colour"] == "red")
    return make_pipeline(encoder, LogisticRegression(max_iter=5000)).fit(table, group)


def test_a_pipeline_on_a_table_gives_the_sums_over_all_values(table, fitted):
    model = load_model(fitted, table=table)
    coded = model.columns.encode(table)
    e = preddiff.explain(
        model, coded.iloc[0], sampler=Marginal(coded), samples=len(table), targets=1,
        train_size=float("inf"),
    )  # fmt: skip
    odds = lambda p: np.log2(p / (1 - p))  # noqa: E731
    base = odds(fitted.predict_proba(table.iloc[:1])[0, 1])
    for number, name in enumerate(table):
        changed = pd.concat([table.iloc[:1]] * len(table), ignore_index=True)
        changed[name] = table[name]
        expected = base - odds(fitted.predict_proba(changed)[:, 1].mean())
        assert e.evidence.values[0, number] == pytest.approx(expected, abs=1e-4)
    with pytest.raises(ModelError, match="if it was fitted on a table, load_model"):
        preddiff.explain(fitted, coded.iloc[0], sampler=Marginal(coded))


def test_only_the_mixed_sampler_sees_that_a_number_tells_the_category(rng):
    sport = rng.choice(["chess", "sumo"], 2000)
    weight = np.where(sport == "sumo", 150.0, 70.0) + 10 * rng.normal(size=2000)
    table = pd.DataFrame({"weight": weight, "sport": sport, "member": rng.random(2000) < 0.5})
    encoder = ColumnTransformer([("names", OneHotEncoder(), ["sport"])])
    fitted = make_pipeline(encoder, LogisticRegression()).fit(table, sport == "sumo")
    model = load_model(fitted, table=table)
    assert model.columns.categorical == [1, 2]
    coded = model.columns.encode(table)
    row = coded.loc[(table["sport"] == "sumo") & (weight > 145)].iloc[0]
    asked = {"targets": 1, "samples": 500, "train_size": 2000}
    samplers = Marginal(coded), RowMixed.fit(coded, model.columns.categorical)
    alone, given_weight = (
        preddiff.explain(model, row, sampler=each, **asked).relevance.values[0, 1]
        for each in samplers
    )
    assert alone > 5  # half of all rows are of the other sport
    assert abs(given_weight) < 0.05 * alone  # but the weight leaves no doubt


def test_a_regressor_gives_values_in_its_own_unit(table):
    columns = Columns(table)
    coded = columns.encode(table)
    forest = RandomForestRegressor(5, random_state=0).fit(coded, 3 * table["age"])
    model = load_model(forest, unit="years", output="values")
    e = preddiff.explain(model, coded.iloc[0], sampler=Marginal(coded), samples=len(coded))
    assert e.evidence.attrs["units"] == "years"
    changed = np.repeat(coded.to_numpy()[:1], len(coded), axis=0)
    changed[:, 0] = coded["age"]
    row = coded.to_numpy()[:1]
    with pytest.warns(UserWarning, match="feature names"):
        expected = forest.predict(row)[0] - forest.predict(changed).mean()
    assert e.evidence.values[0, 0] == pytest.approx(expected, abs=1e-3)
    assert load_model(forest).predict(row).shape == (1, 1)
    with pytest.raises(ModelError, match="RandomForestRegressor is not fitted"):
        load_model(RandomForestRegressor())
    with pytest.raises(ModelError, match="a RandomForestRegressor knows its own output"):
        load_model(forest, output="logits")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(colour="pink"), "column 'colour': no category 'pink' in the table"),
        (lambda t: t.drop(columns="age"), "column 'age': is not in the rows; the table had it"),
    ],
)
def test_rows_of_another_table_are_refused(table, change, message):
    with pytest.raises(ModelError, match=message):
        Columns(table).encode(change(table))


@pytest.mark.parametrize("number", [3, -1, 0.5])
def test_a_row_with_a_category_that_is_none_is_refused(table, fitted, number):
    model = load_model(fitted, table=table)
    coded = model.columns.encode(table)
    row = coded.iloc[0].copy()
    row["size"] = number
    with pytest.raises(ModelError, match=f"column 'size': category number {number}: .* 0 to 2"):
        preddiff.explain(model, row, sampler=Marginal(coded), samples=4)


def test_tables_that_cannot_be_used(table):
    with pytest.raises(ModelError, match="column 'age': has no value in some rows; fill them"):
        Columns(table.assign(age=np.nan))
    with pytest.raises(ModelError, match="rows of 2 numbers: the table had 5 columns"):
        Columns(table).decode(np.zeros((1, 2)))
    with pytest.raises(ModelError, match="table: callable.* is no scikit-learn estimator; leave"):
        load_model(lambda x: x, table=table)
    with pytest.raises(ModelError, match="table= of type ndarray: expected a DataFrame"):
        Columns(table.to_numpy())
    with pytest.raises(
        SamplerError, match=r"categorical=\['sex'\]: expected positions from 0 to 1"
    ):
        RowMixed.fit(np.zeros((9, 2)), ["sex"])
