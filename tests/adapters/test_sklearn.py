"""Rows inspected as scikit-learn does."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import preddiff
from preddiff.adapters.sklearn import prediction_difference
from preddiff.errors import SettingError


def test_the_feature_that_decides_has_the_relevance(rng):
    table = rng.normal(size=(60, 4)).astype(np.float32)
    forest = RandomForestClassifier(8, random_state=0).fit(table, table[:, 2] > 0)
    found = prediction_difference(
        forest, table[:3], background=table, random_state=1, train_size=60
    )
    assert found.relevance.shape == found.standard_error.shape == (3, 4)
    assert (np.abs(found.relevance).argmax(axis=1) == 2).all()
    direct = preddiff.explain(
        forest, table[1], sampler=preddiff.samplers.Marginal(table), samples=10, seed=1,
        train_size=60,
    )  # fmt: skip
    np.testing.assert_array_equal(found.relevance[1], direct.relevance[0])
    with pytest.raises(SettingError, match=r"X of shape \(4,\): expected \(row, feature\)"):
        prediction_difference(forest, table[0])


def test_a_table_with_categories_is_inspected_as_it_is(rng):
    table = pd.DataFrame(
        {"colour": rng.choice(["red", "blue"], 80), "size": rng.choice(["S", "L"], 80)}
    )
    fitted = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(table, table["colour"])
    found = prediction_difference(fitted, table[:2], background=table, train_size=80, n_draws=40)
    assert (found.relevance[:, 0] > 10 * np.abs(found.relevance[:, 1])).all()
    assert found.explanations[0].provenance["features"] == ["colour", "size"]


def test_a_table_of_numbers_keeps_the_names_of_its_columns(rng):
    table = pd.DataFrame(rng.normal(size=(40, 2)), columns=["age", "dose"])
    fitted = RandomForestClassifier(4, random_state=0).fit(table, table["age"] > 0)
    found = prediction_difference(fitted, table[:1], background=table, measure="DP")
    assert found.explanations[0].provenance["features"] == ["age", "dose"]
