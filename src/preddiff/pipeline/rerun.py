"""Rerun: the arrays of a result again, from its provenance."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import ResultError, suggests_keywords
from preddiff.media.input import Source
from preddiff.pipeline.again import Given, check_mask, plans_of
from preddiff.pipeline.analysis import analyse
from preddiff.pipeline.finding import ROUNDING, Finding, deviation
from preddiff.results import store
from preddiff.results.explanation import Explanation
from preddiff.samplers import Sampler

_OF_INPUT = (
    "input", "input_sha256", "resampled_from_sha256", "resampled", "original_size", "crop"
)  # fmt: skip
_OF_MASK = ("masked", "mask", "mask_sha256")


@suggests_keywords
def rerun(
    result: str | Path | Explanation,
    *,
    picture: Source | None = None,
    model: object = None,
    sampler: str | Sampler | None = None,
    mask: ArrayLike | str | Path | None = None,
    progress: bool = False,
) -> Explanation:
    """Make a result again, all of it, from its own provenance.

    The arrays are the same bit for bit with the same versions on the same machine, and else but for
    rounding.

    Parameters
    ----------
    result : a path, or an Explanation.
    picture : the input; None takes what the result holds, the input as the model saw it.
    model : as of `explain`; None loads the one that the result names.
    sampler : as of `explain`; None loads the one that the result names.
    mask : as of `explain`; needed where a result has one and was stopped by its tolerance.
    progress : a bar on the terminal.

    Raises
    ------
    PreddiffError
        A subclass that says what cannot be had from the result, or is not as it says.
    """
    loaded = result if isinstance(result, Explanation) else store.load(result)
    if loaded.is_partial:
        raise ResultError(
            "the result was stopped before its end, at a moment that no run comes to again: "
            "preddiff verify checks it, preddiff explain makes all of it"
        )
    given = Given(picture, model, sampler, mask)
    check_mask(loaded, given)
    again = plans_of(loaded, given)
    if again.differences:
        raise ResultError(f"not what the result was made of: {'; '.join(again.differences)}")
    made = analyse(again.planned, progress)
    # What the result holds in place of a file is the same, and has no name or fingerprint of it.
    names = (*(_OF_INPUT if picture is None else ()), *(_OF_MASK if mask is None else ()))
    facts = {name: loaded.provenance[name] for name in names if name in loaded.provenance}
    return Explanation(made.data.assign_attrs(facts))


def held_against(made: Explanation, stored: Explanation) -> Finding:
    """Return how the arrays of a result that was made again compare with those that are stored."""
    name = "the arrays are the same"
    missing = {str(each) for each in stored.data.variables} - set(map(str, made.data.variables))
    if missing:
        return Finding(name, False, f"without {', '.join(sorted(missing))}")
    largest, worst = 0.0, ""
    for each in map(str, stored.data.variables):
        mine, theirs = made.data[each].values, stored.data[each].values
        if mine.shape != theirs.shape:
            return Finding(name, False, f"{each} has shape {mine.shape}, not {theirs.shape}")
        if mine.dtype.kind != "f":
            if not np.array_equal(mine, theirs) and each != "label":
                return Finding(name, False, f"{each} differs")
        elif (differs := float(deviation(mine, theirs).max())) > largest:
            largest, worst = differs, each
    if not worst:
        return Finding(name, True, "bit for bit")
    return Finding(name, largest <= ROUNDING, f"{worst} is off by {largest:.1g} of its size")
