"""Modules as the functions that they are."""

from typing import Any

from torch import nn


def as_function(module: nn.Module) -> tuple[str, tuple[Any, ...]]:
    """Return a module's function by name, and the function's arguments after the input.

    A module that has no function of its own goes by the name of its class, without arguments.
    """
    name = type(module).__name__
    m: Any = module  # what attributes it has depends on the name
    if name in {"Conv1d", "Conv2d", "Conv3d"} and m.padding_mode == "zeros":
        return f"conv{name[4:]}", (m.weight, m.bias, m.stride, m.padding, m.dilation, m.groups)
    if name in {"MaxPool1d", "MaxPool2d", "MaxPool3d"}:
        said = (m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices)
        return f"max_pool{name[7:]}", said
    if name in {"AvgPool1d", "AvgPool2d", "AvgPool3d"}:
        return f"avg_pool{name[7:]}", (m.kernel_size, m.stride, m.padding)
    if name in {"AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"}:
        return f"adaptive_avg_pool{name[15:]}", (m.output_size,)
    if name == "LocalResponseNorm":
        return "local_response_norm", (m.size, m.alpha, m.beta, m.k)
    if name == "Linear":
        return "linear", (m.weight, m.bias)
    if name == "Hardtanh":
        return "hardtanh", (m.min_val, m.max_val)
    if name in {"Softmax", "LogSoftmax"}:
        return "softmax", (m.dim,)
    if name == "LayerNorm":
        return "layer_norm", (m.normalized_shape,)
    if isinstance(module, nn.modules.padding._ConstantPadNd):
        return "pad", (m.padding, "constant", m.value)
    return name, ()
