"""The baselines that `explain` can compute, in the order in which figures show them.

A new one is a file that makes a `Baseline`, and a line here.
"""

from preddiff.baselines.base import Baseline
from preddiff.baselines.grad_cam import GRAD_CAM
from preddiff.baselines.integrated_gradients import INTEGRATED_GRADIENTS
from preddiff.baselines.occlusion import OCCLUSION
from preddiff.baselines.sensitivity import SENSITIVITY
from preddiff.errors import SettingError
from preddiff.media.additions import additions, loaded

BASELINES = {
    each.name: each
    for each in (
        SENSITIVITY,
        INTEGRATED_GRADIENTS,
        GRAD_CAM,
        OCCLUSION,
    )
}


def names() -> list[str]:
    """Return the names of all baselines, ours and other packages'."""
    return list(dict.fromkeys([*BASELINES, *additions("preddiff.baselines")]))


def named(name: str) -> Baseline:
    """Return a baseline of ours or of another package.

    Raises
    ------
    SettingError
        If another package's cannot be imported, or is no `Baseline`.
    """
    if name in BASELINES:
        return BASELINES[name]
    found = loaded(additions("preddiff.baselines")[name], SettingError)
    if not isinstance(found, Baseline) or found.name != name:
        raise SettingError(
            f"baselines={name!r}: the entry point is {found!r:.80}: expected a Baseline of that "
            "name"
        )
    return found
