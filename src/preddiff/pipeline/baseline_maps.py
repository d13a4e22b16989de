"""Other methods' maps of the same classes of a picture, beside ours."""

from preddiff.baselines import registry
from preddiff.baselines.base import BaselineTask
from preddiff.baselines.registry import BASELINES
from preddiff.errors import SettingError
from preddiff.pipeline import plan as plans
from preddiff.pipeline.lengths import Size
from preddiff.pipeline.plan import Plan
from preddiff.pipeline.settings import Settings
from preddiff.results.assembly import BaselineMap


def make(plan: Plan, settings: Settings) -> dict[str, BaselineMap]:
    """Return the maps that were asked for, and those that are always computed, by their names.

    Raises
    ------
    SettingError
        If maps are asked for of anything but the classes of a picture, or need gradients of a
        model that has none.
    """
    asked = settings.question.baselines
    subject = plan.subject
    if subject.node is not None or subject.valid is None:
        if asked:
            raise SettingError(
                f"baselines={', '.join(asked)}: are of pictures and their classes, not of hidden "
                "nodes or scans; leave them out"
            )
        return {}
    task = BaselineTask(
        model=subject.model,
        inputs=subject.inputs,
        targets=plan.targets,
        window=_shortest(settings.sampling.size),
        stride=_shortest(settings.sampling.step),
        relevance=lambda sampler, stride: plans.relevance_with(
            subject, plan.targets, settings, sampler, stride
        ),
    )
    made = {}
    for name in registry.names():
        always = name in BASELINES and BASELINES[name].always
        if always or name in asked:
            baseline = registry.named(name)
            values = baseline.compute(task)
            if values is not None:
                made[name] = BaselineMap(values, baseline.label, baseline.signed)
    return made


def _shortest(size: Size) -> int:
    return size if isinstance(size, int) else min(size)
