"""Run: samplers by their SPEC on a folder of pictures or volumes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from preddiff.media import folders, images
from preddiff.media.folders import VolumeFolder
from preddiff.models import load_model
from preddiff.samplers.load import load_sampler
from preddiff.studies.sampler_check.scores import Check, Scores
from preddiff.types import Pixels


def check_pictures(
    specs: Sequence[str], folder: Path, check: Check, model: str | None
) -> dict[str, Scores]:
    """Return the scores of samplers on the pictures of a folder.

    Parameters
    ----------
    model : SPEC of the one that prepares the pictures; None takes them as they are.
    """
    loaded = load_model(model) if model else None
    prepare = loaded.prepare if loaded else images.to_array
    mean = loaded.mean if loaded else None
    paths = folders.find_pictures(folder)

    def pictures() -> Iterator[Pixels]:
        return (prepare(images.read(path)) for path in paths)

    shape = next(pictures()).shape
    scores = {}
    for spec in specs:
        sampler = load_sampler(
            spec,
            shape=shape,
            window=check.window,
            margin=check.margin,
            prepare=prepare,
            mean=mean,
        )
        scores[spec] = check.run(sampler, pictures(), (0, 1))
    return scores


def check_volumes(specs: Sequence[str], folder: Path, check: Check) -> dict[str, Scores]:
    """Return the scores of samplers on the volumes of a folder, which share a grid."""
    cohort = VolumeFolder(folder)
    scores = {}
    for spec in specs:
        sampler = load_sampler(
            spec,
            shape=(1, *cohort.grid.shape),
            window=check.window,
            margin=check.margin,
            prepare=images.to_array,
            mean=None,
            grid=cohort.grid,
        )
        scores[spec] = check.run(sampler, cohort, None)
    return scores
