"""Fixed: a network of several inputs, of which all but one stay."""

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import nn

from preddiff.types import Floats


class Fixed(nn.Module):
    """A network of one input; the others are parts of it, as its weights are.

    Parameters
    ----------
    network : takes batches of all inputs, one after the other.
    others : those that stay, without the axis of the batch.
    free : the number of the one that is given.
    """

    def __init__(
        self, network: nn.Module, others: Sequence[Annotated[Floats, "..."]], free: int
    ) -> None:
        super().__init__()
        self.network = network
        self.free = free
        for number, each in enumerate(others):
            self.register_buffer(f"input_{number}", torch.from_numpy(each.copy())[None])
        self.train(network.training)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the network says of a batch of the free input."""
        others = [each.expand(x.shape[0], *each.shape[1:]) for each in self.buffers(recurse=False)]
        answer: torch.Tensor = self.network(*others[: self.free], x, *others[self.free :])
        return answer
