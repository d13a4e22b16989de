"""Tokens: the patches of a picture that a transformer's embedding makes one token of each."""

from torch import nn

from preddiff.errors import SettingError

# Parts of what mixes tokens, in names of classes: attention, or a mixer in its place.
_MIXING = ("attention", "attn", "mixerblock")


def token_size(module: nn.Module, spec: str) -> tuple[int, ...]:
    """Return the lengths of a token in pixels: the stride of the convolution that embeds patches.

    Raises
    ------
    SettingError
        If the network does not cut its input into patches, one beside the other.
    """
    parts = list(module.modules())
    mixes = any(name in type(each).__name__.lower() for each in parts for name in _MIXING)
    kinds = nn.Conv1d | nn.Conv2d | nn.Conv3d
    first = next((each for each in parts if isinstance(each, kinds)), None)
    if not mixes or first is None or not _cuts(first):
        why = "its first convolution is no cut into patches" if mixes else "it has no attention"
        raise SettingError(
            f"window='token': {spec} has no tokens that are patches of the input ({why}): give "
            "pixels, e.g. window=16"
        )
    return tuple(first.stride)


def _cuts(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> bool:
    """Return whether a convolution sees patches beside each other, each once."""
    aligned = layer.stride == layer.kernel_size and set(layer.dilation) == {1}
    return (
        aligned and max(layer.stride) > 1 and layer.padding in {"valid", (0,) * len(layer.stride)}
    )
