"""State dicts: weights in a file, for a network that is known by name."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from preddiff.errors import ModelError, first_line

USUAL_CLASSES = 1000
"""Classes of a network as torchvision and timm build it: ImageNet's."""

_HELD_AS = ("state_dict", "model_state_dict", "model")  # in a checkpoint
_PREFIXES = (
    "module.",
    "_orig_mod.",
    "model.",
)  # DataParallel, torch.compile and Lightning add them
_COUNTERS = ".num_batches_tracked"  # no prediction depends on them

State = dict[str, torch.Tensor]


def filled(
    path: Path, name: str, build: Callable[[int], nn.Module], unused: Sequence[str] = ()
) -> tuple[nn.Module, int]:
    """Return a network with the weights of a file, and of how many classes they are.

    Parameters
    ----------
    path : a state dict, or a checkpoint that holds one; nothing but tensors is unpickled.
    name : the network's, for messages.
    build : returns the network for a number of classes.
    unused : what names of weights begin with that a file may hold and the network does not need.

    Raises
    ------
    ModelError
        If there is no such file, or it is no state dict of this network.
    """
    state = {n: value for n, value in _read(path).items() if not n.startswith(tuple(unused))}
    module = build(USUAL_CLASSES)
    classes = _classes(state, module)
    if classes != USUAL_CLASSES:
        module = build(classes)
    _fill(module, state, path, name)
    return module, classes


def fill(module: nn.Module, path: Path, name: str) -> None:
    """Give a network the weights of a file.

    Parameters
    ----------
    path : a state dict, or a checkpoint that holds one; nothing but tensors is unpickled.
    name : the network's, for messages.

    Raises
    ------
    ModelError
        If there is no such file, or it is no state dict of this network.
    """
    _fill(module, _read(path), path, name)


def _fill(module: nn.Module, state: State, path: Path, name: str) -> None:
    problem = _misfit(state, module)
    if problem:
        raise ModelError(
            f"{path}: not a state dict of {name} ({problem}); give the network that it is of, or "
            "package.module:factory, a function that builds your own"
        )
    module.load_state_dict(state, strict=False)


def _read(path: Path) -> State:
    if not path.is_file():
        raise ModelError(f"{path}: no such weights file; check the path")
    expected = "expected what torch.save(network.state_dict(), path) writes"
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # What torch says of a whole network is a page on how to unpickle it all the same.
        unsafe = "weights_only" in str(error) or "Weights only" in str(error)
        why = "it holds more than tensors, and could run code" if unsafe else first_line(error)
        raise ModelError(f"{path}: not a state dict ({why}); {expected}") from None
    state = _unwrapped(held)
    if not isinstance(state, dict) or not all(
        isinstance(each, torch.Tensor) for each in state.values()
    ):
        raise ModelError(f"{path}: not a state dict (no names with tensors); {expected}")
    return state


def _unwrapped(state: object) -> object:
    """Return the state dict in a checkpoint, without the prefixes that wrappers add."""
    for key in _HELD_AS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    for prefix in _PREFIXES:
        if isinstance(state, dict) and all(str(name).startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _classes(state: State, module: nn.Module) -> int:
    """Return how many classes weights are of, by the layers whose length is that of the usual."""
    heads = (
        name
        for name, value in module.state_dict().items()
        if len(value.shape) and len(value) == USUAL_CLASSES
    )
    found = {len(state[name]) for name in heads if name in state and state[name].ndim}
    return found.pop() if len(found) == 1 else USUAL_CLASSES


def _misfit(state: State, module: nn.Module) -> str:
    """Return in which weight a state dict and a network differ; nothing where they do not."""
    own = module.state_dict()
    for name in own.keys() & state.keys():
        if state[name].shape != own[name].shape:
            there, here = (tuple(each[name].shape) for each in (state, own))
            return f"{name} has the shape {there}, and {here} in the network"
    missing = [name for name in own if name not in state and not name.endswith(_COUNTERS)]
    unknown = [name for name in state if name not in own]
    parts = []
    if missing:
        parts.append(f"{_first_of(missing)} missing")
    if unknown:
        parts.append(f"{_first_of(unknown)} unknown")
    return ", ".join(parts)


def _first_of(names: list[str]) -> str:
    more = len(names) - 1
    return f"{names[0]} and {more} more are" if more else f"{names[0]} is"
