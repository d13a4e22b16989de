"""Keras 3 models on torch (extra `keras`): .keras files, and models in memory."""

import json
import os
import sys
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, cast

import torch
from torch import nn

from preddiff.errors import ModelError, first_line
from preddiff.media.archives import check_archive
from preddiff.media.reading import check_file, check_memory, display_name, failures_as
from preddiff.models.networks import metadata
from preddiff.models.networks.graph import exported
from preddiff.models.networks.network import Network
from preddiff.models.networks.quiet import quiet
from preddiff.models.request import Request

_EXPECTED = "a model of Keras 3, as model.save writes it"
_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
_MODULES = {
    *("keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints"),
    *("keras.models", "keras.src.models.functional", "keras.src.models.sequential", "builtins"),
}
_DEPTH = 50  # of groups in groups: one may hold itself
# Layers that hold code of a stranger, or read files of their own.
_REFUSED = {
    *("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "function"),
    *("StringLookup", "IntegerLookup", "TextVectorization", "__lambda__"),
}


class KerasNetwork(nn.Module):
    """A model of Keras as a module of torch, which gets channels first.

    Parameters
    ----------
    model : runs on torch.
    channels_last : whether it wants (n, *spatial, channel).
    """

    def __init__(self, model: nn.Module, *, channels_last: bool) -> None:
        super().__init__()
        self.network = model
        self.channels_last = channels_last

    def forward(self, inputs: torch.Tensor) -> object:
        """Return what the model gives when it is not trained."""
        seen = inputs.movedim(1, -1) if self.channels_last else inputs
        return self.network(seen, training=False)


def load(spec: str, request: Request) -> Network:
    """Return the model in a .keras file.

    Parameters
    ----------
    spec : the file's path.

    Raises
    ------
    ModelError
        If there is no such file, it holds code or parts that Keras does not have, or Keras runs on
        something else than torch.
    """
    path = Path(spec)
    check_file(path, ModelError, _EXPECTED)

    def damaged(why: str) -> ModelError:
        return ModelError(f"{path}: not {_EXPECTED} ({why}); save it anew")

    with failures_as(damaged):
        _check(path)
        keras = _keras(spec)
        with quiet(), warnings.catch_warnings(action="ignore"):
            source = keras.saving.load_model(path, compile=False, safe_mode=True)
    return of_model(source, request, display_name(path))


def of_model(source: nn.Module, request: Request, spec: str) -> Network:
    """Return a model of Keras in memory.

    Parameters
    ----------
    source : a keras.Model.

    Raises
    ------
    ModelError
        If Keras runs on something else than torch, or the model has several inputs.
    """
    _keras(spec)
    shape = getattr(source, "input_shape", None)
    if isinstance(shape, dict | list):
        raise ModelError(f"{spec}: inputs of shapes {shape}: expected one")
    # The layout that a caller states is done by the preprocessing.
    stated = metadata.asks_for_channels_last(request)
    channels_last = not stated and _is_channels_last(source)
    first = _first(shape, channels_last or stated)
    found = metadata.described(request, first)
    return Network(
        _traced(KerasNetwork(source, channels_last=channels_last).eval(), shape, stated),
        found.preprocessing,
        output=found.output,
        output_key=request.output_key,
        spec=spec,
        labels=found.labels,
        shape=first,
    )


def _traced(
    network: KerasNetwork, shape: tuple[int | None, ...] | None, channels_last: bool
) -> nn.Module:
    """Return a model as torch.export sees it, with its nodes; as it is where that cannot be had."""
    first = _first(shape, network.channels_last)
    if first is None or channels_last:
        return network
    try:
        with warnings.catch_warnings(action="ignore"):
            return exported(network, torch.zeros(1, *first))
    except Exception:  # whatever torch.export cannot follow is run in whole passes
        return network


def _first(shape: tuple[int | None, ...] | None, channels_last: bool) -> tuple[int, ...] | None:
    """Return a shape (n, …) as (channel, *spatial), if it is fixed."""
    if shape is None or None in shape[1:]:
        return None
    axes = cast(tuple[int, ...], shape[1:])
    return (axes[-1], *axes[:-1]) if channels_last else axes


def _is_channels_last(model: nn.Module) -> bool:
    """Return whether a model wants channels last: as its layers say, else as Keras is set."""
    layers: Iterable[object] = getattr(model, "_flatten_layers", list)()
    formats = [str(each.data_format) for each in layers if hasattr(each, "data_format")]
    return (formats[0] if formats else "channels_last") == "channels_last"


def _keras(spec: str) -> ModuleType:
    """Return the module keras, running on torch, which has written nothing into the home."""
    wanted = os.environ.get("KERAS_BACKEND", "torch")
    if "keras" in sys.modules or wanted == "torch":
        try:
            with _without_home():
                import keras
        except ImportError as error:
            raise ModelError(
                f"{spec}: Keras cannot be imported ({first_line(error)}); pip install "
                "'preddiff[keras]'"
            ) from None
        wanted = keras.config.backend()
    if wanted != "torch":
        raise ModelError(
            f"{spec}: Keras runs on {wanted}: set the environment variable KERAS_BACKEND=torch "
            "before it is imported"
        )
    return keras  # type: ignore[no-any-return]


@contextmanager
def _without_home() -> Iterator[None]:
    """Have Keras, if it is imported first here, run on torch and keep no settings in the home."""
    if "keras" in sys.modules:
        yield
        return
    before = os.environ.get("KERAS_HOME")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    os.environ.setdefault("KERAS_HOME", f"{os.devnull}/keras")  # where nothing can be
    try:
        yield
    finally:
        if before is None:
            del os.environ["KERAS_HOME"]


def _check(path: Path) -> None:
    """Raise unless an archive holds layers of Keras and numbers, and nothing else."""
    with path.open("rb") as file:
        check_archive(path, file, ModelError)
        with zipfile.ZipFile(file) as archive:
            unknown = sorted(set(archive.namelist()) - _MEMBERS)
            if unknown:
                raise ModelError(f"{path}: holds {unknown[0]!r:.80}: expected layers and weights")
            for entry in _objects(json.loads(archive.read("config.json"))):
                _check_object(path, entry)
            with archive.open("model.weights.h5") as weights:
                _check_weights(path, weights)


def _objects(config: object) -> Iterator[Mapping[str, object]]:
    """Yield every part of a config that names a class or a function."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for each in config.values():
            yield from _objects(each)
    elif isinstance(config, list):
        for each in config:
            yield from _objects(each)


def _check_object(path: Path, entry: Mapping[str, object]) -> None:
    name, module = str(entry["class_name"]), entry.get("module")
    # Without a module it is a name of Keras' own list, or one that the caller registered.
    if name in _REFUSED or (module is not None and str(module) not in _MODULES):
        raise ModelError(
            f"{path}: has {name!r:.80} of {module!r:.80}, which may run code or read files: "
            "expected layers of Keras; give the model itself, package.module:factory"
        )


def _check_weights(path: Path, file: IO[bytes]) -> None:
    """Raise unless all weights are in the file itself, and small enough."""
    import h5py

    with h5py.File(file, "r") as opened:
        check_memory(path, sum(_sizes(path, opened, 0)), ModelError)


def _sizes(path: Path, group: Mapping[str, object], depth: int) -> Iterator[int]:
    """Yield the bytes of all arrays in a group of an HDF5 file, or raise if one is elsewhere."""
    import h5py

    if depth > _DEPTH:
        raise ValueError("groups in groups")
    for name in group:
        link = cast(h5py.Group, group).get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ModelError(f"{path}: weights {name!r:.80} are a link: expected numbers")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _sizes(path, item, depth + 1)
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ModelError(f"{path}: weights {name!r:.80} are in another file")
            yield item.nbytes
