"""Settings as the provenance of a result states them."""

from PIL import Image

from preddiff.media import images
from preddiff.media.input import Input
from preddiff.media.reading import display_name
from preddiff.method.regions import Regions
from preddiff.method.windows import Windows
from preddiff.pipeline.lengths import as_text
from preddiff.pipeline.settings import Question, Sampling, Work
from preddiff.pipeline.subject import Subject
from preddiff.samplers import OneChannel, Sampler
from preddiff.samplers import load as samplers
from preddiff.samplers.base import reference, stands_in
from preddiff.samplers.fingerprint import fingerprint


def facts_of_settings(
    subject: Subject, sampler: Sampler, question: Question, sampling: Sampling, work: Work
) -> dict[str, object]:
    """Return what a result's provenance states of settings: plain numbers and text."""
    return {
        "model": subject.model.spec,
        "model_sha256": subject.model.sha256 or "",
        **({"preprocessing": how} if (how := subject.model.preparation) else {}),
        **_of_crop(subject),
        "sampler": samplers.sampler_name(sampling.hides_with),
        "sampler_sha256": sampler.sha256,
        "sampler_description": stands_in(sampler),
        **({"reference": reference(sampler)} if reference(sampler) else {}),
        **({"target_of_output": question.of_output.name} if question.of_output else {}),
        "source": question.source or "",
        **({"features": list(features)} if (features := subject.source.features) else {}),
        **({"channels": list(names)} if (names := subject.source.channels) else {}),
        **_of_channel(sampler),
        "node": question.node or "",
        "window": sampling.window,
        "margin": sampling.margin if isinstance(sampling.hides_with, str) else "",
        "stride": as_text(sampling.step),
        "seed": sampling.seed,
        "masked": question.mask is not None,
        **_of_mask(subject, question),
        "resampled": question.resample,
        "tolerance": "" if work.tolerance is None else work.tolerance,
        "antithetic": sampler.group == 2,
    }


def facts_of_regions(windows: Windows) -> dict[str, object]:
    """Return what a result's provenance states of regions; nothing of windows."""
    if not isinstance(windows, Regions):
        return {}
    return {"stride": "", "regions": len(windows), "regions_sha256": windows.sha256}


def _of_mask(subject: Subject, question: Question) -> dict[str, object]:
    """Return what a result's provenance says of a mask; nothing without one."""
    if subject.mask is None:
        return {}
    opened = question.opened_mask
    name = display_name(opened.name) if isinstance(opened, Input) else "array"
    return {"mask": name, "mask_sha256": fingerprint(mask=subject.mask)}


def _of_channel(sampler: Sampler) -> dict[str, object]:
    """Name and number of the channel whose windows are hidden, where it is one alone."""
    if not isinstance(sampler, OneChannel):
        return {}
    return {"hidden_channel": sampler.name, "hidden_channel_number": sampler.channel}


def _of_crop(subject: Subject) -> dict[str, str]:
    """Return which part of a picture the model saw; nothing of what was no picture."""
    picture = subject.source.values
    if not isinstance(picture, Image.Image):
        return {}
    size = images.upright_size(picture)
    box = subject.model.box(*size)
    return {
        "original_size": ", ".join(map(str, size)),
        "crop": ", ".join(f"{number:.6g}" for number in box),
    }
