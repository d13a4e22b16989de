"""cohort:FILE on the command line, and the covariates of the scan that is explained."""

import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.samplers import Cohort
from preddiff.samplers.load import load_sampler, sampler_name


@pytest.fixture
def fitted(tmp_path, rng):
    ages, male = np.arange(20.0), np.arange(20) % 2
    scans = rng.normal(size=(20, 1, 3, 4, 5)) + 0.1 * ages[:, None, None, None, None]
    sampler = Cohort.fit(
        scans, factors=1, covariates={"age": ages, "sex=male": male}, reference="group=control"
    )
    sampler.save(tmp_path / "a@b.npz")
    return sampler, f"cohort:{tmp_path / 'a@b.npz'}"


def load(spec):
    def none(image):
        raise AssertionError(image)

    return load_sampler(spec, shape=(1, 3, 4, 5), window=1, margin=1, prepare=none, mean=None)


def test_covariates_of_the_scan_are_stated_behind_the_file(fitted):
    sampler, spec = fitted
    found = load(f"{spec}@age=71,sex=male=1")
    assert found.sha256 == sampler.at(**{"age": 71, "sex=male": 1}).sha256
    assert found.reference == "group=control, age=71, sex=male=1"
    assert sampler_name(f"{spec}@age=71") == "cohort:a@b.npz@age=71"
    assert load(spec).sha256 == sampler.sha256


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("age=old", "covariate 'age=old': expected NAME=NUMBER with one of age, sex=male"),
        ("weight=60", "covariate 'weight': expected one of age, sex=male"),
        ("age=nan", "covariate 'age=nan': expected NAME=NUMBER"),
        ("age=7,age=8", "covariate 'age': is stated twice"),
    ],
)
def test_covariates_that_say_nothing_are_refused(fitted, stated, message):
    with pytest.raises(SamplerError, match=message):
        load(f"{fitted[1]}@{stated}")
