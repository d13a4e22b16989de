"""The sampler of a classifier that remembers one, where the caller names none."""

from dataclasses import replace

from preddiff.models import Model
from preddiff.pipeline import progress as bars
from preddiff.pipeline.settings import Settings


def with_remembered(settings: Settings, model: Model, *, announce: bool) -> Settings:
    """Return the settings with the sampler that the model was fitted with.

    Settings that name a sampler, or hide a node's values, are returned as they are.

    Parameters
    ----------
    announce : print a line that says which sampler it is.

    Raises
    ------
    ModelError
        If the model's sampler is not there, or is another.
    """
    remembered = model.remembered
    named = settings.sampling.sampler is not None or settings.question.source is not None
    if remembered is None or named:
        return settings
    spec = remembered.spec(model.spec)
    if announce:
        name, known = f"cohort:{remembered.path.name}", remembered.covariates
        stated = f"{name}@{known[0]}=NUMBER" if known else ""
        own = f", or this one at the scan's own {', '.join(known)} ({stated})" if known else ""
        bars.say(
            f"sampler {name}, fitted with {model.spec} on scans of {remembered.reference}; "
            f"--sampler names another{own}"
        )
    return replace(settings, sampling=replace(settings.sampling, sampler=spec))
