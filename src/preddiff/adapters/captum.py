"""An attribution of Captum (extra `captum`), in place of its Occlusion."""

from collections.abc import Callable, Sequence

import torch
from captum.attr import Attribution

from preddiff.adapters.tensors import relevance, targets_of
from preddiff.errors import SettingError
from preddiff.types import Setting


class PredictionDifference(Attribution):  # type: ignore[misc]  # it has no types
    """Prediction difference analysis with the interface of `captum.attr.Occlusion`.

    With `baselines=` a number, `measure="DP"` and a network that returns probabilities, it gives
    what Occlusion gives. Without, what is hidden is drawn from what could stand there, and the
    attribution is in bits.

    Parameters
    ----------
    forward_func : a network in evaluation mode, or a function; it gets (n, channel, *spatial), or
        (n, y, x), and returns (n, K).
    mean, std : of each channel, that inputs were normalised by, so that samplers see pictures in
        [0, 1]; empty where they were not.
    settings : as of `preddiff.explain`, and output, labels and train_size as of
        `preddiff.load_model`, of every call of `attribute`.
    """

    def __init__(
        self,
        forward_func: Callable[..., torch.Tensor],
        *,
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
        **settings: Setting,
    ) -> None:
        super().__init__(forward_func)
        self.mean, self.std, self.settings = mean, std, settings

    def attribute(
        self,
        inputs: torch.Tensor,
        sliding_window_shapes: Sequence[int] | None = None,
        strides: int | Sequence[int] | None = None,
        baselines: float | None = None,
        target: object = None,
        additional_forward_args: object = None,
        perturbations_per_eval: int = 1,  # noqa: ARG002 - batches follow from the memory
        show_progress: bool = False,
        **settings: Setting,
    ) -> torch.Tensor:
        """Return the relevance of every pixel, of the shape of the inputs.

        Parameters
        ----------
        inputs : (n, channel, *spatial), or (n, y, x).
        sliding_window_shapes : of the window, without n; all channels are hidden together, so of
            the channels it says how many there are. None is as `preddiff.explain` chooses.
        strides : from one window to the next: one number, or as many as of the window.
        baselines : a number that is put in place of what is hidden; None is the sampler's draws.
        target : class of all examples, or a list or tensor of one for each; None is the class that
            each is answered by.
        additional_forward_args : further arguments of `forward_func`, the same for all examples.
        perturbations_per_eval : taken as Captum has it, and left to preddiff.
        show_progress : whether a bar shows it.
        settings : as of `preddiff.explain`, in place of those of this object.

        Returns
        -------
        A tensor of the inputs' shape, on their device; channels have the same values.

        Raises
        ------
        PreddiffError
            A subclass that says which setting, network or input cannot be used.
        """
        own = {**self.settings, "progress": show_progress, **settings}
        spatial = inputs.ndim - (1 if inputs.ndim == 3 else 2)
        if sliding_window_shapes is not None:
            own["window"] = (_lengths(sliding_window_shapes, spatial, inputs),)
        if strides is not None:
            own["stride"] = (
                strides if isinstance(strides, int) else _lengths(strides, spatial, None)
            )
        if baselines is not None:
            own["sampler"] = f"constant:{float(baselines)}"
        arguments = additional_forward_args
        if not isinstance(arguments, tuple):
            arguments = () if arguments is None else (arguments,)
        found = relevance(
            self.forward_func,
            inputs,
            targets_of(target, len(inputs)),
            mean=self.mean,
            std=self.std,
            arguments=arguments,
            settings=own,
        )
        return found if inputs.ndim == 3 else found[:, None].expand_as(inputs).contiguous()


def _lengths(given: Sequence[int], spatial: int, inputs: torch.Tensor | None) -> tuple[int, ...]:
    """Return lengths along the spatial axes; raise where only some channels would be hidden."""
    lengths = tuple(int(n) for n in given)
    channels = lengths[:-spatial]
    if len(lengths) not in {spatial, spatial + 1} or (
        inputs is not None and channels and channels[0] < inputs.shape[1]
    ):
        raise SettingError(
            f"sliding_window_shapes={lengths}: expected all channels and {spatial} lengths; "
            "windows hide all channels together"
        )
    return lengths[-spatial:]
