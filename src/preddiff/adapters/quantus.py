"""A function that explains, as the metrics of Quantus call it."""

from collections.abc import Callable, Sequence

import torch

from preddiff.adapters.tensors import relevance, targets_of
from preddiff.types import Batch, Setting


def explain_func(
    model: Callable[..., torch.Tensor],
    inputs: Batch,
    targets: Sequence[int],
    *,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    device: str = "cpu",
    **settings: Setting,
) -> Batch:
    """Return the relevance of every pixel, (n, 1, *spatial), as `explain_func=` of a metric.

    Parameters
    ----------
    model : a torch module in evaluation mode.
    inputs : (n, channel, *spatial), as the network takes them.
    targets : (n,), the class of each.
    mean, std : of each channel, that inputs were normalised by; empty where they were not.
    device : where the network is.
    settings : as of `preddiff.explain`; a metric hands over its `explain_func_kwargs`.

    Raises
    ------
    PreddiffError
        A subclass that says which setting, network or input cannot be used.
    """
    tensors = torch.as_tensor(inputs, device=device)
    classes = targets_of(list(targets), len(tensors))
    found = relevance(model, tensors, classes, mean=mean, std=std, settings=settings)
    result: Batch = found[:, None].cpu().numpy()
    return result
