"""Results of an earlier run, which are kept if they are what is asked for."""

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
from preddiff.results.changes import changes, is_tightened
from preddiff.results.combination import fact
from preddiff.results.explanation import Explanation

# Predictions differ in their last bits with the number of threads.
_RTOL, _ATOL = 1e-4, 1e-5


def finished(
    path: Path,
    model: Model,
    picture: Source,
    preset: Mapping[str, object] | None = None,
    *,
    draws: Path,
    **settings: object,
) -> Explanation | None:
    """Return a result of an earlier run; None where there is none, or work is left to do.

    Parameters
    ----------
    path : of the result.
    draws : file of its draws, from which a smaller tolerance goes on, if it exists.
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
    opened = open_input(picture, settings.get("channels"))  # type: ignore[arg-type]
    plans = [each for _, each in plans_of_sizes(model, opened, Settings.of(preset, **settings))]
    now = facts_of(plans)
    if draws.exists() and is_tightened(result.provenance["tolerance"], now["tolerance"]):
        return None
    changed = changes(result.provenance, now)
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
