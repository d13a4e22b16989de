"""An inferer as those of MONAI: called with inputs and a network, like its SaliencyInferer."""

from collections.abc import Callable, Sequence

import torch

from preddiff.adapters.tensors import relevance, targets_of
from preddiff.types import Setting


class PredictionDifferenceInferer:
    """Prediction difference analysis with the interface of `monai.inferers.SaliencyInferer`.

    Parameters
    ----------
    class_idx : class of all examples, or a list of one for each; None is the class that each is
        answered by.
    mean, std : of each channel, that inputs were normalised by; empty where they were not.
    settings : as of `preddiff.explain`, and output, labels and train_size as of
        `preddiff.load_model`.
    """

    def __init__(
        self,
        class_idx: int | Sequence[int] | None = None,
        *,
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
        **settings: Setting,
    ) -> None:
        self.class_idx = class_idx
        self.mean, self.std, self.settings = mean, std, settings

    def __call__(
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: object
    ) -> torch.Tensor:
        """Return the relevance of every pixel or voxel, (n, 1, *spatial), on the inputs' device.

        Parameters
        ----------
        inputs : (n, channel, *spatial).
        network : in evaluation mode; it returns (n, K).
        args : further arguments of the network.

        Raises
        ------
        PreddiffError
            A subclass that says which setting, network or input cannot be used.
        """
        found = relevance(
            network,
            inputs,
            targets_of(self.class_idx, len(inputs)),
            mean=self.mean,
            std=self.std,
            arguments=args,
            settings=self.settings,
        )
        return found[:, None]
