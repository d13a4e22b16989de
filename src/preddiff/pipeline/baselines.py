"""Other methods' maps of the same targets, to stand beside ours (section 4.1)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from preddiff.baselines.sensitivity import sensitivity
from preddiff.errors import SettingError
from preddiff.models import Model
from preddiff.pipeline import plan as plans
from preddiff.pipeline.plan import Plan
from preddiff.pipeline.settings import Picture, Settings

Floats = NDArray[np.float64]

_GREY = 0.5  # of the patch, where a model does not say what its pictures' mean is


def maps(plan: Plan, model: Model, picture: Picture, wish: Settings) -> dict[str, Floats]:
    """What a wish names, and the sensitivity map where there is one: (target, y, x) each.

    Raises
    ------
    SettingError
        If maps are named for anything but the classes of a picture, or gradients of no network.
    """
    subject = plan.subject
    if subject.node is not None or subject.valid is None:
        if wish.baselines:
            raise SettingError(
                f"baselines={', '.join(wish.baselines)}: are of pictures and their classes, not of "
                "hidden nodes or scans; leave them out"
            )
        return {}
    made: dict[str, Floats] = {}
    gradient = sensitivity(subject.model, subject.inputs, plan.targets)
    if gradient is not None:
        made["sensitivity"] = gradient
    for name in wish.baselines:
        if name == "occlusion":
            made[name] = _occlusion(model, picture, wish)
        elif name != "sensitivity":
            made[name] = _attribution(name, plan)
    return made


def _occlusion(model: Model, picture: Picture, wish: Settings) -> Floats:
    """A grey patch of the window's size (Zeiler & Fergus 2014), every half window.

    All else is as in the analysis, the measure too, so that what differs is what hides a window.
    """
    grey = "constant:mean" if model.mean is not None else f"constant:{_GREY}"
    stride = max(wish.stride, wish.length // 2)
    patches = replace(wish, sampler=grey, samples=1, stride=stride, tolerance=None, baselines=())
    plan = plans.make(model, picture, patches)
    return plan.run(plan.new_tally).relevance_and_error()[0]


def _attribution(name: str, plan: Plan) -> Floats:
    from preddiff.baselines import attributions
    from preddiff.models.networks.network import Network

    model = plan.subject.model
    if not isinstance(model, Network):
        raise SettingError(
            f"baselines={name!r}: needs gradients, and {model.spec} is no torch network; leave it "
            "out"
        )
    method = getattr(attributions, name)
    return np.asarray(method(model, plan.subject.inputs, plan.targets))
