"""From a SPEC to a Sampler."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from preddiff.errors import SamplerError, SettingError, nearest
from preddiff.media import folders, images
from preddiff.samplers import base
from preddiff.samplers.base import Sampler
from preddiff.samplers.constant import Constant
from preddiff.samplers.gaussian.conditional import ConditionalGaussian
from preddiff.samplers.gaussian.located import Located
from preddiff.samplers.marginal import Marginal

SPECS = "conditional, conditional:FILE, marginal:FOLDER, constant:VALUE or constant:mean"

Prepare = Callable[[Image.Image], NDArray[np.float32]]


def load_sampler(
    spec: str | Sampler,
    *,
    shape: tuple[int, ...],
    window: int,
    margin: int,
    prepare: Prepare,
    mean: NDArray[np.float64] | None,
) -> Sampler:
    """The sampler that is meant, for inputs of `shape` and windows of one size.

    Parameters
    ----------
    spec : conditional, conditional:FILE, marginal:FOLDER, constant:VALUE|mean; or a sampler, which
        is taken as it is.
    shape : (channel, *spatial) of the input.
    window, margin : the patch of a conditional sampler is window + 2 · margin; of one that was
        fitted on larger patches the central part is taken.
    prepare : makes of a picture what the network sees, for the marginal sampler's pool.
    mean : the training inputs' mean colour, for constant:mean.
    """
    if not isinstance(spec, str):
        return spec
    kind, _, rest = spec.partition(":")
    if kind == "conditional":
        return _conditional(rest, shape, _patch(window, margin))
    if kind == "marginal" and rest:
        return Marginal(_pool(rest, prepare, shape))
    if kind == "constant" and rest:
        return constant(rest, mean)
    raise SamplerError(
        f"unknown sampler {spec!r}: expected {SPECS}"
        f"{nearest(kind, ['conditional', 'marginal', 'constant'])}"
    )


def name(spec: str | Sampler) -> str:
    """What to call a sampler in a result's provenance: without the folders that lead to a file."""
    if not isinstance(spec, str):
        return type(spec).__name__
    kind, _, rest = spec.partition(":")
    return f"{kind}:{Path(rest).name}" if rest else kind


def _patch(window: int, margin: int) -> int:
    if isinstance(margin, bool) or not isinstance(margin, int | np.integer) or margin < 1:
        raise SettingError(
            f"margin={margin} leaves no room around the window to condition on: expected a whole "
            "number of at least 1"
        )
    return int(window + 2 * margin)


def _pool(folder: str, prepare: Prepare, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The pictures or volumes of a folder as the model sees them, (n, *shape)."""
    if len(shape) == 4:
        return _cohort(folder, shape)
    pool = []
    for path in folders.find_pictures(folder):
        pool.append(prepare(images.read(path)))
        if pool[-1].shape != shape:
            raise SamplerError(
                f"{path}: has shape {pool[-1].shape}, expected the input's, {shape}; resize the "
                "pictures, or take a model that does"
            )
    return np.stack(pool)


def _cohort(folder: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    from preddiff.media.folders import VolumeFolder

    cohort = VolumeFolder(folder)
    if (1, *cohort.grid.shape) != shape:
        raise SamplerError(
            f"{folder}: holds volumes of {cohort.grid.shape}, expected the input's {shape[1:]}; "
            "resample them"
        )
    return np.stack(list(cohort))


def read(file: str | Path) -> ConditionalGaussian | Located:
    """What `preddiff sampler fit` wrote."""
    _, facts = base.read(file)
    return (Located if facts["kind"] == Located.kind else ConditionalGaussian).load(file)


def _conditional(file: str, shape: tuple[int, ...], patch: int) -> ConditionalGaussian | Located:
    if file:
        return read(file).central(patch)
    if len(shape) != 3:
        raise SamplerError(
            f"the embedded sampler is of pictures, the input has {len(shape) - 1} spatial "
            "dimensions: fit one on inputs like it (preddiff sampler fit FOLDER)"
        )
    return ConditionalGaussian.natural(patch, colours=shape[0])


def constant(text: str, mean: NDArray[np.float64] | None) -> Constant:
    """The sampler of constant:TEXT, a number or the training inputs' mean colour."""
    if text == "mean":
        if mean is None:
            raise SamplerError(
                "constant:mean: this model does not say the mean of its training inputs; give the "
                "value itself, e.g. constant:0.5"
            )
        return Constant(mean)
    try:
        return Constant(float(text))
    except ValueError:
        raise SamplerError(f"constant:{text}: expected a number, or mean") from None
