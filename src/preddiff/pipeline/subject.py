"""What is explained: a model on one input, from where windows are hidden to what is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from preddiff.errors import InputError, SettingError, TargetError
from preddiff.media import images, volumes
from preddiff.media.grid import Grid
from preddiff.media.volumes import Volume
from preddiff.models import Model, targets
from preddiff.models.base import as_inputs
from preddiff.pipeline.settings import Picture, Settings
from preddiff.results.explanation import SPATIAL_AXES
from preddiff.samplers.base import ValidRange


@dataclass(frozen=True, eq=False)
class Subject:
    """A model on one input.

    Attributes
    ----------
    model : takes `inputs`; where windows are hidden in a node, what follows that node.
    inputs : (channel, *spatial), in which windows are hidden.
    axes : names of the spatial axes.
    picture : (channel, *spatial), the network's input; `inputs` itself where those are hidden.
    node : whose values are looked at; None is the output.
    unit_names : of the node's values where single units are looked at; else empty.
    grid : of the scan in which windows are hidden; None of anything else.
    mask : (*spatial), true where it matters; None where everything does.
    """

    model: Model
    inputs: NDArray[np.float32]
    axes: tuple[str, ...]
    picture: NDArray[np.float32]
    node: str | None
    unit_names: tuple[str, ...] = ()
    grid: Grid | None = None
    mask: NDArray[np.bool_] | None = None

    @property
    def labels(self) -> Sequence[str] | None:
        """The name of each class; None where hidden values are looked at that are no classes."""
        if self.node is None or self.model.is_class(self.node):
            return self.model.labels
        return None

    @property
    def valid(self) -> ValidRange | None:
        """The range that draws are clipped to: that of pictures; of all else nothing is known."""
        return (0.0, 1.0) if self.inputs is self.picture and self.inputs.ndim == 3 else None


def make(model: Model, picture: Picture, wish: Settings) -> Subject:
    """The subject, or an error that says what cannot be explained."""
    picture, grid = _opened(picture, model, wish.resample)
    if isinstance(picture, Image.Image) and min(picture.size) < wish.length:
        raise InputError(
            f"the picture has {picture.width}×{picture.height} pixels, less than a window of "
            f"{wish.length}: expected a larger picture, or a smaller window"
        )
    if wish.device != "cpu":
        model = _on(model, wish.device)
    seen = model.prepare(picture if isinstance(picture, Image.Image) else as_inputs(picture))
    inputs, axes = seen, SPATIAL_AXES[-(seen.ndim - 1) :]
    mask = None if wish.mask is None else _mask(wish, picture, grid, model)
    if wish.source is not None:
        model, inputs, axes = _beyond(model, seen, wish.source, wish)
        grid = None
    subject = Subject(model, inputs, axes, seen, wish.node, grid=grid, mask=mask)
    wanted = targets.parse_units(wish.targets)
    return _of_units(subject, wanted) if wanted else subject


def _opened(
    picture: Picture, model: Model, resample: bool
) -> tuple[Image.Image | ArrayLike, Grid | None]:
    """A picture, or an array with the grid that it lies on; None where it does not say."""
    volume = volumes.opened(picture)
    if volume is None:
        if resample:
            raise SettingError("resample: is for scans in files; leave it out")
        seen = images.read(picture) if isinstance(picture, str | Path) else picture
        return seen, None  # type: ignore[return-value]
    volume = _on_grid(volume, model, resample)
    return volume.values, volume.grid


def _on_grid(volume: Volume, model: Model, resample: bool) -> Volume:
    """The scan on the model's grid, where the model has one."""
    if model.grid is None:
        if resample:
            raise SettingError(f"resample: {model.spec} knows no grid of its own; leave it out")
        return volume
    if volume.grid.is_like(model.grid):
        return volume
    if not resample:
        raise InputError(
            f"a scan of {volume.grid}: expected the model's {model.grid}; resample it, or let "
            "it be resampled (resample=True, --resample)"
        )
    return volumes.resample(volume, model.grid)


def _on(model: Model, device: str) -> Model:
    from preddiff.models.networks.network import Network

    if not isinstance(model, Network):
        raise SettingError(
            f"device={device!r}: {model.spec} is no torch network; choose device='cpu'"
        )
    return model.on(device)


def _mask(
    wish: Settings, picture: Image.Image | ArrayLike, grid: Grid | None, model: Model
) -> NDArray[np.bool_]:
    """An array as it is; a picture is made as the input was, a volume lies on its grid."""
    mask = wish.mask
    if not isinstance(mask, str | Path):
        return np.asarray(mask).astype(bool)
    if grid is not None or volumes.is_volume(mask):
        return volumes.read_mask(mask, grid, resampled=wish.resample)
    drawn = images.read(mask)
    if isinstance(picture, Image.Image) and drawn.size != picture.size:
        raise InputError(
            f"{mask}: has {drawn.width}×{drawn.height} pixels, expected those of the picture, "
            f"{picture.width}×{picture.height}"
        )
    return np.asarray(model.prepare(drawn).max(axis=0) > 0.5)


def _beyond(
    model: Model, seen: NDArray[np.float32], source: str, wish: Settings
) -> tuple[Model, NDArray[np.float32], tuple[str, ...]]:
    from preddiff.models.networks.hidden import Downstream
    from preddiff.models.networks.network import Network

    if not isinstance(model, Network):
        raise TargetError(f"source {source!r}: {model.spec} has no nodes; only networks have")
    rest = Downstream(model, source, seen, wish.view)
    if wish.node is not None:
        rest.leads_to(wish.node)
    return rest, rest.values, rest.axes


def _of_units(subject: Subject, wanted: list[targets.Unit]) -> Subject:
    from preddiff.models.networks import hidden
    from preddiff.models.networks.network import Network

    if subject.node is None or not isinstance(subject.model, Network):
        raise TargetError(
            f"target {targets.unit_name(wanted[0])!r} is a unit of a hidden node: say which with "
            "node="
        )
    network, node = hidden.select_units(subject.model, subject.node, wanted, subject.inputs)
    names = tuple(f"{subject.node} {targets.unit_name(unit)}" for unit in wanted)
    return replace(subject, model=network, node=node, unit_names=names)
