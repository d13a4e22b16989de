"""From estimates to an explanation, and what its reader has to be warned of."""

import math
import warnings
from collections.abc import Mapping

from preddiff.errors import EngineWarning
from preddiff.method import uncertainty
from preddiff.method.estimates import Estimates
from preddiff.pipeline.plan import Plan
from preddiff.pipeline.run_of_sets import RunOfSets
from preddiff.results import provenance
from preddiff.results.assembly import BaselineMap, assemble
from preddiff.results.explanation import Explanation

_MUCH_TAKEN = 0.1  # of the evidence, by the Laplace correction
_ALL_TAKEN = 0.99
_FEW_SETS = 0.5  # for each window


def explanation(
    plan: Plan,
    estimates: Estimates,
    baselines: Mapping[str, BaselineMap],
    seconds: float,
    *,
    partial: bool,
) -> Explanation:
    """Return what is known by now."""
    relevance, error = estimates.relevance_and_error()
    importance, importance_error = estimates.importance_and_error()
    relative = uncertainty.relative_error(relevance, error, plan.windows.coverage > 0)
    subject = plan.subject
    return assemble(
        windows=estimates.windows,
        picture=subject.picture,
        axes=subject.axes,
        evidence=estimates.evidence,
        evidence_error=estimates.error,
        relevance=relevance,
        standard_error=error,
        importance=importance,
        importance_error=importance_error,
        prediction=plan.base,
        targets=plan.targets,
        labels=plan.labels,
        baselines=baselines,
        grid=subject.source.grid if subject.on_scan else None,
        set_evidence=estimates.of_sets,
        provenance={
            "input": subject.source.name,
            "input_sha256": subject.source.sha256,
            "resampled_from_sha256": subject.source.resampled_from or "",
            **plan.facts,
            **plan.run.facts,
            "relative_error": relative if math.isfinite(relative) else "",
            "windows": len(estimates.every),
            "evaluations": 1 + estimates.draws,
            "partial": partial,
            "seconds": round(seconds, 3),
            **provenance.environment(),
        },
    )


def warn_of_correction(plan: Plan, estimates: Estimates, *, stated: bool) -> None:
    """Warn where the Laplace correction takes much of the evidence: it looks like a weak cause.

    Parameters
    ----------
    stated : whether the caller said N, and knows that it limits; only what leaves nothing is said.
    """
    taken = estimates.taken
    if taken is None or not (taken > (_ALL_TAKEN if stated else _MUCH_TAKEN)).any():
        return
    worst = int(taken.argmax())
    warnings.warn(
        f"the Laplace correction with train_size={plan.facts['train_size']} takes "
        f"{100 * taken[worst]:.0f} % of the evidence for {plan.labels[worst]!r}, whose probability "
        f"is {plan.base[worst]:.8g}; if the model learned from another number of examples, say "
        "so, explain(…, train_size=len(X)) (--train-size N), or leave the correction out, "
        "train_size=math.inf (--train-size inf)",
        EngineWarning,
        stacklevel=4,
    )


def warn_of_few_sets(plan: Plan) -> None:
    """Warn where sets are so few that each window's evidence is mostly shrunk away."""
    windows = len(plan.windows)
    if not isinstance(plan.run, RunOfSets) or len(plan.run.design) >= _FEW_SETS * windows:
        return
    parts = plan.run.parts
    warnings.warn(
        f"sets={len(plan.run.design)}: few for {windows:,} {parts}, which are then hardly told "
        f"apart, and their evidence is shrunk towards 0; take {-(-windows // 100) * 100:,} or "
        f"more, or fewer {parts}",
        EngineWarning,
        stacklevel=4,
    )
