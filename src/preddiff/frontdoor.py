"""The front door: the one place where defaults are chosen."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from preddiff import progress as bars
from preddiff import provenance
from preddiff.analysis import Report, analyse
from preddiff.baselines.sensitivity import sensitivity
from preddiff.engines import Dense, seconds_per_draw
from preddiff.errors import InputError, ModelError, SettingError
from preddiff.evidence import IMAGENET_TRAIN_SIZE, ActivationDifference, Measure, WeightOfEvidence
from preddiff.explanation import Explanation, assemble
from preddiff.media import images
from preddiff.models import Model, load_model
from preddiff.models import targets as target_names
from preddiff.models.base import as_inputs
from preddiff.models.targets import Target
from preddiff.samplers import Sampler
from preddiff.samplers import load as samplers
from preddiff.windows import Windows

Picture = str | Path | Image.Image | ArrayLike


def explain(
    model: Any,
    picture: Picture,
    targets: Target | Sequence[Target] | None = None,
    node: str | None = None,
    source: str | None = None,
    sampler: str | Sampler = "conditional",
    window: int = 10,
    margin: int = 2,
    samples: int = 10,
    stride: int = 1,
    seed: int = 0,
    engine: str = "auto",
    precision: str = "auto",
    tolerance: float | None = None,
    mask: ArrayLike | str | Path | None = None,
    train_size: float | None = None,
    measure: str = "auto",
    progress: bool | Report = False,
) -> Explanation:
    """Why a model decided as it did about one input: prediction difference analysis.

    The defaults are the paper's settings for pictures (section 4.1).

    Parameters
    ----------
    model : a Model, or anything that `load_model` takes.
    picture : a path or PIL image, resized and cropped as the model's preprocessing says; or
        floats (channel, y, x) in [0, 1], or a volume (channel, z, y, x), taken as it is.
    targets : class numbers, labels, "topN" or "all"; None is "top1". For a node, its channels.
    node : explain a hidden node's channels instead of the output's classes (section 3.3).
    source : hide windows of a hidden node instead of the input; not in this version.
    sampler : a Sampler, or conditional, conditional:FILE, marginal:FOLDER, constant:VALUE|mean.
    window : length of the window in pixels (the paper's k).
    margin : pixels around the window that are conditioned on, on each side ((l - k) / 2).
    samples : draws per window (S); no more are taken than the sampler has different ones.
    stride : pixels from one window to the next.
    seed : the draws follow from it.
    engine : "auto" or "dense".
    precision : "auto" or "float32".
    tolerance : stop at a relative error; not in this version.
    mask : true where it matters, (y, x) or (z, y, x), or a picture's path: only windows that touch
        it are analysed.
    train_size : N of the Laplace correction; None is the model's own, or ImageNet's where that is
        unknown; `math.inf` corrects nothing.
    measure : "weight_of_evidence" (WE, bits), "activation_difference" (AD), or "auto": WE for
        probabilities, AD for anything else.
    progress : True for a bar on the terminal, or a function of windows done and of how many.

    Returns
    -------
    Explanation

    Raises
    ------
    PreddiffError
        A subclass that says which setting, model or input cannot be used, and what to do.
    """
    started = time.perf_counter()
    model = load_model(model)
    _check_settings(samples, seed, engine, precision, source, tolerance)
    inputs = _inputs(model, picture)
    windows = Windows.over(inputs.shape[1:], window, stride)
    if mask is not None:
        windows = _touching(windows, mask, model)
    drawer = samplers.load_sampler(
        sampler,
        shape=inputs.shape,
        window=window,
        margin=margin,
        prepare=model.prepare,
        mean=model.mean,
    )
    # Pictures are in [0, 1]; of a scan's units nothing is known.
    valid = (0.0, 1.0) if inputs.ndim == 3 else None
    drawer.check(inputs, windows, valid)
    samples = min(samples, drawer.population or samples)

    values = model.predict(inputs[None], node)[0]
    chosen = target_names.resolve(targets, values, model.labels if node is None else None)
    rule = _measure(measure, model, node, values, train_size)
    runner = Dense(model, inputs, chosen, node)

    def draw(part: Windows) -> NDArray[np.float32]:
        return drawer.draw(inputs, part, samples, seed, valid)

    if progress is True:
        seconds = seconds_per_draw(
            runner, windows.starts[0], draw(windows.subset(np.arange(1)))[0, 0]
        )
        bars.say(_forecast(len(windows), samples, seconds))
    with _reporting(progress) as report:
        evidence, error = analyse(
            windows,
            draw,
            runner.evaluate,
            values[chosen],
            rule,
            population=drawer.population,
            chunk=max(1, 4 * runner.batch // samples),
            report=report,
        )
    return assemble(
        windows=windows,
        picture=inputs,
        evidence=evidence,
        evidence_error=error,
        prediction=values[chosen],
        targets=chosen,
        labels=target_names.names(chosen, model.labels, node),
        sensitivity=_sensitivity(model, inputs, chosen, node),
        provenance={
            "input": _name(picture),
            "model": model.spec,
            "model_sha256": model.sha256 or "",
            "sampler": samplers.name(sampler),
            "sampler_sha256": drawer.sha256,
            "node": node or "",
            "window": window,
            "margin": margin,
            "samples": samples,
            "stride": stride,
            "seed": seed,
            "masked": mask is not None,
            "engine": runner.name,
            "precision": "float32",
            **rule.facts,
            "evaluations": 1 + len(windows) * samples,
            "seconds": round(time.perf_counter() - started, 3),
            **provenance.here(),
        },
    )


def _check_settings(
    samples: int,
    seed: int,
    engine: str,
    precision: str,
    source: str | None,
    tolerance: float | None,
) -> None:
    for name, value, least in (("samples", samples, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise SettingError(f"{name}={value!r}: expected a whole number of at least {least}")
    for name, text, known in (
        ("engine", engine, ("auto", "dense")),
        ("precision", precision, ("auto", "float32")),
    ):
        if text not in known:
            raise SettingError(f"{name}={text!r}: expected one of {', '.join(known)}")
    for name, wish in (("source", source), ("tolerance", tolerance)):
        if wish is not None:
            raise SettingError(f"{name}={wish!r}: not in this version; leave it out")


def _inputs(model: Model, picture: Picture) -> NDArray[np.float32]:
    """What the model sees of a path, a PIL image or an array."""
    if isinstance(picture, str | Path):
        picture = images.read(picture)
    if isinstance(picture, Image.Image):
        return model.prepare(picture)
    return model.prepare(as_inputs(picture))


def _name(picture: Picture) -> str:
    """What to call the input: a file's name, without the folders that lead to it."""
    if isinstance(picture, str | Path):
        return Path(picture).name
    return "image" if isinstance(picture, Image.Image) else "array"


def _touching(windows: Windows, mask: ArrayLike | str | Path, model: Model) -> Windows:
    if isinstance(mask, str | Path):
        mask = model.prepare(images.read(mask)).max(axis=0) > 0.5
    inside = np.asarray(mask).astype(bool)
    if inside.shape != windows.shape:
        raise InputError(f"a mask of shape {inside.shape}: expected the input's, {windows.shape}")
    touched = windows.touching(inside)
    if len(touched) == 0:
        raise InputError("no window touches the mask: expected true where it matters")
    return touched


def _measure(
    name: str, model: Model, node: str | None, values: NDArray[np.float64], train_size: float | None
) -> Measure:
    """The measure that is meant; AUTO is WE for probabilities and AD for anything else."""
    likely = model.is_probability(node)
    if name == "auto":
        name = WeightOfEvidence.name if likely else ActivationDifference.name
    if name == ActivationDifference.name:
        return ActivationDifference()
    if name != WeightOfEvidence.name:
        known = ("auto", WeightOfEvidence.name, ActivationDifference.name)
        raise SettingError(f"measure={name!r}: expected one of {', '.join(known)}")
    if not likely or values.min() < 0 or values.max() > 1 + 1e-6:
        raise ModelError(
            f"values from {values.min():.4g} to {values.max():.4g} are no probabilities, which the "
            "weight of evidence needs: expected 0 to 1; choose "
            f"measure={ActivationDifference.name!r}"
        )
    size = train_size if train_size is not None else model.train_size
    size = IMAGENET_TRAIN_SIZE if size is None else size
    if not size > 0:
        raise SettingError(f"train_size={size}: expected more than 0 training examples")
    return WeightOfEvidence(size, len(values))


def _forecast(windows: int, samples: int, seconds: float) -> str:
    draws = windows * samples
    return (
        f"{windows:,} windows × {samples} draws = {draws:,} evaluations, "
        f"about {bars.duration(draws * seconds)}"
    )


def _reporting(progress: bool | Report) -> AbstractContextManager[Report]:
    if progress is True:
        return bars.bar("Explaining")
    return nullcontext((lambda _done, _of: None) if progress is False else progress)


def _sensitivity(
    model: Model, inputs: NDArray[np.float32], targets: list[int], node: str | None
) -> NDArray[np.float64] | None:
    """The paper's map to compare with: of pictures and of classes only."""
    return sensitivity(model, inputs, targets) if node is None and inputs.ndim == 3 else None
