"""The way in which the evidence is had: in closed form, or by draws of windows or of sets."""

from preddiff.engines import ClosedForm
from preddiff.engines.memory import machine_memory
from preddiff.errors import SettingError
from preddiff.method.measures import Measure
from preddiff.method.sets import SetDesign
from preddiff.method.windows import Windows
from preddiff.models import Linear
from preddiff.pipeline.lengths import as_text
from preddiff.pipeline.run import Run
from preddiff.pipeline.run_in_closed_form import ClosedFormRun
from preddiff.pipeline.run_of_sets import RunOfSets
from preddiff.pipeline.run_of_windows import SampledRun
from preddiff.pipeline.settings import Sampling, Work
from preddiff.pipeline.subject import Subject
from preddiff.samplers import Sampler
from preddiff.samplers.base import Projected
from preddiff.types import PerTarget

_MAX_BYTES = 2 << 30  # of the closed form


def run_for(
    subject: Subject,
    windows: Windows,
    sampler: Sampler,
    chosen: list[int],
    base: PerTarget,
    measure: Measure,
    sampling: Sampling,
    work: Work,
) -> Run:
    """Return the run that finds the evidence: in closed form where that is known, else by draws.

    Parameters
    ----------
    chosen, base : (target,), classes or channels, and their values on the unperturbed input.

    Raises
    ------
    SettingError
        If there are too few sets, or the closed form was asked for and is not known.
    """
    # A pool of 40 scans has 40 different draws: more would be the same ones again.
    samples = min(sampling.draws, sampler.population or sampling.draws)
    if sampling.sets is not None:
        design = SetDesign(windows, sampling.step, sampling.sets, sampling.seed)
        if sampling.sets < design.fewest:
            raise SettingError(_too_few(design, sampling))
        return RunOfSets(subject, sampler, samples, chosen, base, measure, work, design=design)
    closed_form = _closed_form(subject, chosen, sampler, work)
    if closed_form is not None:
        return ClosedFormRun(windows, closed_form, base, measure)
    return SampledRun(
        subject, sampler, samples, chosen, base, measure, work, windows=windows, seed=sampling.seed
    )


def _too_few(design: SetDesign, sampling: Sampling) -> str:
    what = "windows" if sampling.regions is None else "regions"
    text = (
        f"sets={sampling.sets}: too few to know something of each of {len(design.windows)} {what}: "
        f"expected at least {design.fewest}; 1000 are enough for most pictures"
    )
    apart = design.fewest // len(design.tilings)
    if apart == design.fewest:
        return text
    return f"{text}, and {what} that do not overlap (stride={as_text(sampling.size)}) need {apart}"


def _closed_form(
    subject: Subject, chosen: list[int], sampler: Sampler, work: Work
) -> ClosedForm | None:
    """Return the engine that needs no draws, where there is one for this model and sampler."""
    if work.engine not in {"auto", "linear"} or work.precision not in {"auto", "float32"}:
        return None
    model = subject.model
    if not isinstance(model, Linear):
        why = f"{model.spec} is no linear model (models.Linear); choose engine='auto'"
    elif not isinstance(sampler, Projected):
        why = f"{type(sampler).__name__} does not say the law of its draws; choose engine='auto'"
    elif sampler.is_clipped(subject.valid):
        why = "draws are clipped, of which no closed form is known; take a sampler with clip=False"
    else:
        # Every window at once is a few matrix products; a sixteenth of the memory leaves the
        # machine usable, and smaller parts are hardly slower.
        memory = work.memory or min(machine_memory() // 16, _MAX_BYTES)
        return ClosedForm(model, subject.inputs, chosen, subject.node, sampler.project, memory)
    if work.engine == "linear":
        raise SettingError(f"engine='linear': {why}")
    return None
