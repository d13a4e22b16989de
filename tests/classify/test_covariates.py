"""What covariates explain is taken out of voxels, fitted on the training scans only."""

import numpy as np
import pytest

from preddiff.classify import covariates
from preddiff.classify.covariates import Covariate
from preddiff.errors import InputError


def test_held_out_scans_take_no_part_in_the_regression(rng):
    labels = tuple("ab" * 10)
    age = Covariate("age", tuple(str(n) for n in rng.integers(20, 80, size=20)))
    site = Covariate("site", tuple("112" * 6 + "12"), is_category=True)
    columns = covariates.design([age, site], labels)
    values = rng.normal(size=(20, 7)).astype(np.float32)
    fitted = np.arange(15)
    before = covariates.regressed_out(values, columns, fitted)
    values[15:] += 100
    after = covariates.regressed_out(values, columns, fitted)
    np.testing.assert_allclose(after[:15], before[:15])
    np.testing.assert_allclose(after[15:], before[15:] + 100, rtol=1e-5)
    centred = columns[fitted] - columns[fitted].mean(axis=0)
    np.testing.assert_allclose(centred.T @ (before[:15] - before[:15].mean(axis=0)), 0, atol=1e-5)
    np.testing.assert_allclose(before[:15].mean(axis=0), values[:15].mean(axis=0), atol=1e-6)


def test_a_typing_error_does_not_turn_ages_into_categories():
    with pytest.raises(InputError, match="column 'age': '4o' is no finite number"):
        covariates.design([Covariate("age", ("41", "4o", "52"))], ("a", "b", "a"))
