"""Maps of a batch of tensors, as torch networks take them."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from preddiff.errors import SamplerError, SettingError
from preddiff.models.load import load_model
from preddiff.pipeline.explain import explain
from preddiff.types import Setting

_ROUNDING = 1e-4
_OF_MODELS = ("output", "labels", "train_size", "output_key", "unit")  # as of `load_model`


def relevance(
    network: Callable[..., torch.Tensor],
    inputs: torch.Tensor,
    targets: Sequence[int | str | None],
    *,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    arguments: tuple[object, ...] = (),
    settings: Mapping[str, Setting],
) -> torch.Tensor:
    """Return the relevance of each example, (n, *spatial), on the inputs' device.

    Parameters
    ----------
    network : a module in evaluation mode, or a function, that takes the inputs.
    inputs : (n, channel, *spatial), or (n, y, x) of one channel.
    targets : of each example; None is the class that is answered.
    mean, std : of each channel, that inputs were normalised by; empty where they were not. Samplers
        that know natural pictures need values in [0, 1].
    arguments : further ones of the network.
    settings : as of `explain`, and output, labels, train_size, output_key and unit as of
        `load_model`.

    Raises
    ------
    PreddiffError
        A subclass that says which setting, network or input cannot be used.
    """
    if not isinstance(inputs, torch.Tensor) or inputs.ndim < 3:
        raise SettingError(
            f"inputs {getattr(inputs, 'shape', type(inputs))}: expected one tensor, (n, channel, "
            "*spatial) or (n, y, x)"
        )
    flat = inputs.ndim == 3
    about = {name: settings[name] for name in _OF_MODELS if name in settings}
    if mean or std:
        about["preprocess"] = {"mean": list(mean) or [0.0], "std": list(std) or [1.0]}
    module = network
    if flat or arguments or not isinstance(network, nn.Module):
        module = _Called(network, arguments, flat=flat).eval()
    model = load_model(module, **about)
    raw = inputs.detach().to("cpu", torch.float32)
    raw = raw[:, None] if flat else raw
    if mean or std:
        raw = _undone(raw, about["preprocess"]["mean"], about["preprocess"]["std"])
    how = {name: value for name, value in settings.items() if name not in _OF_MODELS}
    device = str(inputs.device)
    try:
        maps = [
            explain(model, each.numpy(), target, device=device, **how).relevance.values[0]
            for each, target in zip(raw, targets, strict=True)
        ]
    except SamplerError as error:
        low, high = float(raw.min()), float(raw.max())
        if mean or std or (low >= 0 and high <= 1):
            raise
        raise SettingError(
            f"inputs from {low:.4g} to {high:.4g}: samplers know pictures in [0, 1]; say by what "
            "these were normalised, mean=[…], std=[…], or name a baseline or another sampler"
        ) from error
    return torch.stack([torch.from_numpy(each) for each in maps]).to(inputs.device, inputs.dtype)


def _undone(inputs: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """Return pictures in [0, 1] of normalised ones."""
    shape = (1, -1, *(1,) * (inputs.ndim - 2))
    pictures = inputs * torch.tensor(std).reshape(shape) + torch.tensor(mean).reshape(shape)
    within = (pictures > -_ROUNDING) & (pictures < 1 + _ROUNDING)
    return pictures.clamp(0, 1) if bool(within.all()) else pictures


class _Called(nn.Module):
    """A function, or a network of inputs without channels, as a module of one argument."""

    def __init__(
        self, network: Callable[..., torch.Tensor], arguments: tuple[object, ...], *, flat: bool
    ) -> None:
        super().__init__()
        self.network, self.arguments, self.flat = network, arguments, flat

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what the network does."""
        return self.network(inputs[:, 0] if self.flat else inputs, *self.arguments)


def targets_of(given: object, count: int) -> list[int | str | None]:
    """Return the target of each of so many examples.

    Parameters
    ----------
    given : one for all, or a list or tensor of one for each; None is the class that is answered.

    Raises
    ------
    SettingError
        If there are more or fewer than examples.
    """
    if isinstance(given, torch.Tensor):
        given = given.tolist()
    several: list[Setting] = list(given) if isinstance(given, list | tuple) else [given] * count
    if len(several) == 1:
        several *= count
    if len(several) != count:
        raise SettingError(f"target: {len(several)} for {count} inputs; expected one, or as many")
    return [each if each is None or isinstance(each, str) else int(each) for each in several]
