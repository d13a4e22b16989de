"""Subject: a model on one input, from the values in which windows are hidden to those explained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from preddiff.errors import InputError, SettingError, TargetError
from preddiff.media import Input, volumes
from preddiff.media.grid import mismatch
from preddiff.media.labels import OpenedRegions
from preddiff.media.mask_files import on_input
from preddiff.media.volumes import Volume
from preddiff.method.measures import ActivationDifference
from preddiff.models import Model, targets
from preddiff.models.kind import is_network
from preddiff.models.rows import OfRows
from preddiff.models.signals import OfSignals
from preddiff.pipeline.lengths import Size, as_text
from preddiff.pipeline.settings import Question, Sampling
from preddiff.results.explanation import SPATIAL_AXES
from preddiff.samplers.base import ValidRange
from preddiff.types import Mask, Pixels


@dataclass(frozen=True, eq=False)
class Subject:
    """A model on one input.

    Attributes
    ----------
    model : takes `inputs`; where windows are hidden in a node's values, what follows that node.
    inputs : (channel, *spatial), in which windows are hidden.
    axes : names of the spatial axes.
    picture : (channel, *spatial), the network's input; `inputs` itself where those are hidden.
    source : the input as the caller gave it.
    node : whose values are explained; None is the output.
    unit_names : of the node's values where single units are explained; else empty.
    numbers : of the model's values those that are explained, where the caller named none of them
        but a target that is made of the output; else empty.
    on_scan : whether windows lie on the voxels of the source's grid.
    mask : (*spatial), true where it matters; None where everything does.
    """

    model: Model
    inputs: Pixels
    axes: tuple[str, ...]
    picture: Pixels
    source: Input
    node: str | None
    unit_names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    on_scan: bool = False
    mask: Mask | None = None

    @property
    def labels(self) -> Sequence[str] | None:
        """The name of each class; None where hidden values are explained that are no classes."""
        if self.node is None or self.model.is_class(self.node):
            return self.model.labels
        return None

    @property
    def noun(self) -> str:
        """The word for what is explained: a class, an output of plain numbers, or the node."""
        return self.node or ("class" if self.model.value_unit is None else "output")

    @property
    def unit(self) -> str | None:
        """Unit of the values; None of probabilities."""
        if self.model.is_probability(self.node):
            return None
        of_output = self.model.value_unit if self.node is None else None
        return of_output or ActivationDifference.unit

    def to_send(self) -> "Subject":
        """Return what evaluating draws needs of it: not the picture as it was, or the mask."""
        source = replace(self.source, values=self.picture)
        return replace(self, source=source, mask=None)

    @property
    def valid(self) -> ValidRange | None:
        """The range that draws are clipped to: that of pictures; None where none is known."""
        return (0.0, 1.0) if self.inputs is self.picture and self.inputs.ndim == 3 else None


def make(
    model: Model,
    source: Input,
    question: Question,
    sampling: Sampling,
    device: str,
    regions: OpenedRegions | None = None,
) -> Subject:
    """Return the subject of a question.

    Parameters
    ----------
    regions : that are hidden, which may be resampled to the scan's grid.

    Raises
    ------
    PreddiffError
        A subclass that says what cannot be explained, and what to do.
    """
    laid = (question.opened_mask, regions)
    others = any(isinstance(each, Input) and each.grid is not None for each in laid)
    others = others or str(sampling.hides_with).startswith("marginal:")
    source = _on_models_grid(source, model, question.resample, others=others)
    if model.shape is None:  # a model that sees one size enlarges what is smaller
        _check_size(source, sampling.size)
    model = model if device == "cpu" else _on_device(model, device)
    if source.is_row:
        _check_names(source, model)
        model = OfRows(model)
    model = OfSignals(model) if source.is_signal else model
    picture = model.prepare(source.values)
    model.check(picture, is_scan=source.grid is not None)
    numbers: list[int] = []
    if question.of_output is not None:
        model, numbers = question.of_output.of(model, picture)
    mask = question.opened_mask
    if mask is not None:
        mask = on_input(mask, source, model.prepare, resampled=question.resample)
    subject = Subject(
        model=model,
        inputs=picture,
        axes=_axes(source, picture),
        picture=picture,
        source=source,
        node=question.node,
        numbers=tuple(numbers),
        on_scan=source.grid is not None,
        mask=mask,
    )
    if question.source is not None:
        subject = _from_node(subject, question.source, sampling)
    units = targets.parse_units(question.named_targets)
    return _of_units(subject, units) if units else subject


def _axes(source: Input, picture: Pixels) -> tuple[str, ...]:
    """Return the names of the axes that windows lie on."""
    if source.is_row or source.is_signal:
        return ("feature",) if source.is_row else ("time",)
    return SPATIAL_AXES[-(picture.ndim - 1) :]


def shorter_side(model: Model, source: Input) -> int:
    """Return the shorter side of the input as a model sees it, in pixels or voxels."""
    if source.is_row:
        return 1
    if model.shape is not None:
        return min(model.shape[1:])
    values = source.values
    return int(min(values.size if isinstance(values, Image.Image) else values.shape[1:]))


def _on_models_grid(source: Input, model: Model, resample: bool, *, others: bool) -> Input:
    """Return a scan on the model's grid, where the model has one; anything else as it is.

    Parameters
    ----------
    others : whether there is a mask, an atlas or a pool, which may be resampled to the scan's grid.
    """
    if source.grid is None:
        if resample:
            raise SettingError("resample: is for scans in files; leave it out")
        return source
    if model.grid is None:
        if resample and not others:
            raise SettingError(f"resample: {model.spec} knows no grid of its own; leave it out")
        return source
    if source.grid.is_like(model.grid):
        return source
    if not (resample and source.grid.knows_sides and model.grid.knows_sides):
        cure = "resample it, or let it be resampled (resample=True, --resample)"
        raise InputError(mismatch("a scan", source.grid, "the model's", model.grid, cure))
    moved = volumes.resample(Volume(np.asarray(source.values), source.grid), model.grid)
    return Input(moved.values, source.name, moved.grid, source.sha256, channels=source.channels)


def _check_names(row: Input, model: Model) -> None:
    """Raise an InputError for a row whose features are not those of the model, in its order."""
    if other := row.misnamed(model.feature_names):
        at, given, known = other
        raise InputError(
            f"a row whose feature {at} is {given!r}: {model.spec} was fitted with {known!r} "
            "there; give the columns that it was fitted on, row[estimator.feature_names_in_]"
        )


def _check_size(source: Input, window: Size) -> None:
    """Raise an InputError for a picture, which no model enlarges, that is smaller than a window."""
    picture = source.values
    if not isinstance(window, int) and len(window) != 2:
        return  # of which windows say that it has another number of axes
    if isinstance(picture, Image.Image) and (np.array(picture.size[::-1]) < window).any():
        raise InputError(
            f"the picture has {picture.width}×{picture.height} pixels, less than a window of "
            f"{as_text(window)}: expected a larger picture, or a smaller window"
        )


def _on_device(model: Model, device: str) -> Model:
    if not is_network(model):
        raise SettingError(
            f"device={device!r}: {model.spec} is no torch network; choose device='cpu'"
        )
    return model.on(device)


def _from_node(subject: Subject, name: str, sampling: Sampling) -> Subject:
    """Return the subject whose windows are hidden in a node's values (equation 5)."""
    if not is_network(subject.model):
        raise TargetError(f"source {name!r}: {subject.model.spec} has no nodes; only networks have")
    from preddiff.models.networks.downstream import Downstream

    rest = Downstream(subject.model, name, subject.picture, sampling.view)
    if subject.node is not None:
        rest.check_leads_to(subject.node)
    return replace(subject, model=rest, inputs=rest.values, axes=rest.axes, on_scan=False)


def _of_units(subject: Subject, wanted: list[targets.Unit]) -> Subject:
    """Return the subject that explains single units of its node."""
    if subject.node is None or not is_network(subject.model):
        raise TargetError(
            f"target {targets.unit_name(wanted[0])!r} is a unit of a hidden node: say which with "
            "node="
        )
    from preddiff.models.networks.units import select_units

    network, node = select_units(subject.model, subject.node, wanted, subject.inputs)
    names = tuple(f"{subject.node} {targets.unit_name(unit)}" for unit in wanted)
    return replace(subject, model=network, node=node, unit_names=names)
