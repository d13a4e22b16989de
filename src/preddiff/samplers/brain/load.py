"""From cohort:FILE[@NAME=NUMBER,...] to a sampler."""

import math
import os

from preddiff.errors import SamplerError
from preddiff.samplers.brain.cohort import Cohort
from preddiff.samplers.spec import SpecContext


def from_spec(argument: str, context: SpecContext) -> Cohort:  # noqa: ARG001
    """Return the sampler of cohort:FILE, or of scans whose covariates are stated.

    Raises
    ------
    SamplerError
        If there is no such file, or it has no such covariate.
    """
    if not argument:
        raise SamplerError(
            "cohort: a normal over whole scans, of which none is given: expected cohort:FILE "
            "(preddiff sampler fit TABLE --family cohort)"
        )
    path, mark, stated = argument.rpartition("@")
    if not mark or "=" not in stated or os.path.exists(argument):  # noqa: PTH110 - odd names
        return Cohort.load(argument)
    sampler = Cohort.load(path)
    values: dict[str, float] = {}
    for name, value in (_covariate(each, sampler) for each in stated.split(",")):
        if name in values:
            raise SamplerError(f"covariate {name!r}: is stated twice; state it once")
        values[name] = value
    at = sampler.at(**values)
    at.reference = ", ".join(filter(None, (sampler.reference, *stated.split(","))))
    return at


def _covariate(text: str, sampler: Cohort) -> tuple[str, float]:
    """The name and value of NAME=NUMBER; a name may hold = itself, as sex=male does."""
    name, _, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        known = ", ".join(sampler.covariates) or "none, it was fitted without"
        raise SamplerError(f"covariate {text!r}: expected NAME=NUMBER with one of {known}")
    return name, number
