"""Forward passes: from input space to what a module gives."""

import re
from contextlib import suppress
from functools import cached_property

import torch
from torch import nn

from preddiff.errors import ModelError, first_line
from preddiff.models.networks.arrays import CHANNELS_OF_SCANS
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.models.networks.quiet import call

_ROUNDING = 1e-2  # that another order in memory may cause, also in a short precision


class Forward:
    """Runs a network's modules on inputs in input space.

    Parameters
    ----------
    module : the network; its weights say where inputs go, and in which precision.
    preprocessing : how inputs are normalised.
    spec : the model's, for messages.
    """

    def __init__(self, module: nn.Module, preprocessing: Preprocessing, spec: str) -> None:
        self.module = module
        self.preprocessing = preprocessing
        self.spec = spec
        self._channels_last = True
        self._is_settled = False
        # Quantised while they run, values depend on the range of the whole batch.
        self._one_by_one = any(
            ".quantized.dynamic." in type(each).__module__ for each in module.modules()
        )

    @cached_property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next((p.device for p in self.module.parameters()), torch.device("cpu"))

    @cached_property
    def dtype(self) -> torch.dtype:
        """Precision of the weights, which may be float64."""
        return next((p.dtype for p in self.module.parameters()), torch.float32)

    def normalised(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return (n, channel, *spatial) in input space in the network's own numbers and layout."""
        result = self.preprocessing.normalise(inputs.to(self.device)).to(self.dtype)
        return result if self._channels_last else result.contiguous()

    def run(self, module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        """Return what a module gives for inputs in input space.

        Raises
        ------
        ModelError
            If it does not take them, or returns anything but one tensor.
        """
        if self._one_by_one and len(inputs) > 1:
            return torch.cat([self.run(module, each[None]) for each in inputs])
        try:
            if module is self.module and not self._is_settled:
                self._settle(inputs[:1])
            result = call(module, self.normalised(inputs))
        except Exception as error:
            # Convolutions on processors are fastest with the channels last in memory. A network
            # that flattens by `view` needs the usual order: it fails once, and gets that from then
            # on. The values are the same.
            if self._channels_last and "view size" in str(error):
                self._channels_last = False
                return self.run(module, inputs)
            # A program that was exported or traced for one input takes no more at a time.
            if len(inputs) > 1:
                with suppress(ModelError):
                    single = [self.run(module, each[None]) for each in inputs]
                    self._one_by_one = True
                    return torch.cat(single)
            raise ModelError(
                f"{self.spec} does not take an input of shape {tuple(inputs.shape[1:])} "
                f"({first_line(error)}); {_cure(str(error))}"
            ) from error
        if not isinstance(result, torch.Tensor):
            raise ModelError(f"{self.spec} returned {type(result).__name__}: expected one tensor")
        return result

    def _settle(self, inputs: torch.Tensor) -> None:
        """Keep the usual order in memory for a network to which it makes a difference."""
        # Whatever reads memory as it lies (`as_strided`) takes other numbers with channels last.
        self._is_settled = True
        result = call(self.module, self.normalised(inputs))
        usual = call(self.module, self.normalised(inputs).contiguous())
        if isinstance(result, torch.Tensor) and isinstance(usual, torch.Tensor):
            allowed = _ROUNDING * float(usual.abs().max())
            same = torch.allclose(result, usual, rtol=_ROUNDING, atol=allowed, equal_nan=True)
            self._channels_last = self._channels_last and same

    def run_classes(self, module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        """Do the same for a module that gives (n, class).

        Raises
        ------
        ModelError
            If it gives anything else.
        """
        values = self.run(module, inputs)
        if values.ndim != 2:
            raise ModelError(
                f"{self.spec} returned shape {tuple(values.shape)}: expected (n, classes); take "
                "another output (output_key=, --output-key KEY), or make a number of it "
                "(targets=, docs/models.md)"
            )
        return values


def _cure(complaint: str) -> str:
    """Return what to do about an input of which a network complains."""
    return next(
        (cure for found, cure in _CURES.items() if re.search(found, complaint)),
        "resize the picture, or say input_size with preprocess= (--preprocess FILE)",
    )


_CURES = {
    "same number of dimensions": "of inputs that stay (models.one_input), leave out the axis of "
    "the batch, batch[0]",
    r"missing \d+ required positional": "of several inputs, hide windows in one: "
    "models.one_input(network, (picture, vector), free=0)",
    r"to have \d+ channels?, but got": f"give an input of as many channels {CHANNELS_OF_SCANS}",
    r"dtype|[Ss]calar types?": "give a network, and inputs that stay, of float32",
}
