"""Results of an earlier run, which are kept if they are what is asked for."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from preddiff.errors import ResultError
from preddiff.media.input import Source, open_input
from preddiff.models import Model
from preddiff.pipeline.explain import plans_of_sizes
from preddiff.pipeline.plan import Plan
from preddiff.pipeline.settings import Settings
from preddiff.results import store
from preddiff.results.combination import fact
from preddiff.results.explanation import Explanation

# Facts of a plan that a result may have otherwise, although it is what is asked for: it says so by
# its fingerprint, or by what it holds.
_NAMES_ONLY = frozenset({"model", "sampler", "mask"})
# Predictions differ in their last bits with the number of threads.
_RTOL, _ATOL = 1e-4, 1e-5


def finished(
    path: Path,
    model: Model,
    picture: Source,
    preset: Mapping[str, object] | None = None,
    **settings: object,
) -> Explanation | None:
    """Return a result of an earlier run; None where there is none, or an unfinished one.

    Parameters
    ----------
    path : of the result.
    model, picture, preset, settings : as of `explain`, whose `settings` the preset is.

    Raises
    ------
    ResultError
        If it is finished, but of another input, model, sampler or setting; the message says which.
    """
    if not path.exists():
        return None
    result = store.load(path)
    if result.is_partial:
        return None
    opened = open_input(picture)
    plans = [each for _, each in plans_of_sizes(model, opened, Settings.of(preset, **settings))]
    changed = changes(result.provenance, facts_of(plans))
    if result.data["target"].values.tolist() != plans[0].targets:
        changed.append("other targets are asked for")
    elif not np.allclose(result.prediction.values, plans[0].base, rtol=_RTOL, atol=_ATOL):
        changed.append("the model gives another answer")
    if changed:
        raise ResultError(
            f"{path}: a finished result, but not of what is asked for now ({'; '.join(changed)}); "
            "go on with what it was made with, choose another --output, or leave out --resume"
        )
    return result


def facts_of(plans: list[Plan]) -> dict[str, object]:
    """Return what a result of such plans says in its provenance of how it was made."""
    facts = {name: fact(name, [p.facts.get(name, "") for p in plans]) for name in plans[0].facts}
    return {**facts, "input_sha256": plans[0].subject.source.sha256}


def changes(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Return in which facts two runs differ, in words.

    Parameters
    ----------
    before, now : facts by name; of fingerprints, whose values say nothing, only the name is told.
    """
    found = []
    for name, value in now.items():
        stored = before.get(name, "")
        # As they are in a file: a tuple is a list there.
        if name in _NAMES_ONLY or stored == value or json.dumps(stored) == json.dumps(value):
            continue
        if name.endswith("_sha256"):
            found.append(f"the {name.removesuffix('_sha256')} is another")
        else:
            found.append(f"{name} was {_said(stored)}, is {_said(value)}")
    return found


def _said(value: object) -> str:
    return "not set" if value == "" else str(value)
