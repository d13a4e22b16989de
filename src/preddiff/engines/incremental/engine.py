"""The incremental engine: recomputes only what a window can change."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from preddiff.engines.incremental.boxes import Box, split
from preddiff.engines.incremental.places import Places
from preddiff.engines.incremental.run import run_body, run_tail
from preddiff.engines.incremental.trace import Program, multiply_adds, trace
from preddiff.models.network import Network

_ROWS = 256  # rows of features that go through the tail at once
_DRAWS = 10  # of a window, usually
_COPIES = 8  # of its largest box that are held for a draw: inputs, outputs, values and changes


class Incremental:
    """Runs each operation on the box of its output that the windows can change.

    Exact: what it gives differs from whole forward passes by rounding only.

    Parameters
    ----------
    model : its module must be traceable.
    inputs : (channel, *spatial).
    targets : classes, or channels of `node`.
    size : of the windows.
    node : whose channels are wanted; None is the output.
    batch : draws at once.
    dtype : of the arithmetic inside the network; None is that of its weights.

    Raises
    ------
    Exception
        Whatever tracing raises where the network cannot be traced.
    """

    name = "incremental"

    def __init__(
        self,
        model: Network,
        inputs: NDArray[np.float32],
        targets: Sequence[int],
        size: Sequence[int],
        node: str | None = None,
        batch: int = 40,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.model = model
        self.inputs = inputs
        self.targets = list(targets)
        self.size = tuple(size)
        self.node = node
        self.batch = batch
        with torch.inference_mode():
            whole = torch.from_numpy(inputs)[None]
            self._base = model.raw(whole, node)
            normalised = model.normalised(whole)
        self.dtype = dtype or normalised.dtype
        first = 1 if model.preprocessing.channels_last else 2
        axes = range(first, first + inputs.ndim - 1)
        part = model.traced(whole, node)
        self.program: Program = trace(part, normalised.clone(), axes, self.dtype)
        self.places = Places(self.program.body, inputs.shape[1:], size)

    @property
    def bytes_per_draw(self) -> int:
        """What a draw takes in memory, about: a few copies of its largest box."""
        return _COPIES * self.places.largest * self.dtype.itemsize

    def saved(self, starts: NDArray[np.int64]) -> float:
        """Multiply-adds of whole forward passes over those of the boxes of windows."""
        order = self.places.similar(starts)
        many = max(1, self.batch // _DRAWS)
        whole, boxed = 0.0, 0.0
        for first in range(0, len(starts), many):
            which = starts[order[first : first + many]]
            places = self.places.of(which, 1)
            for step in (*self.program.body, *self.program.tail):
                dense, part = multiply_adds(step, places)
                whole += dense * len(which)
                boxed += part * len(which)
        return whole / boxed if boxed else 1.0

    def in_precision(self, dtype: torch.dtype) -> "Incremental":
        """The same engine with another arithmetic inside the network."""
        return Incremental(
            self.model, self.inputs, self.targets, self.size, self.node, self.batch, dtype
        )

    def evaluate(
        self, starts: NDArray[np.int64], draws: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        rows = self.raw(starts, draws)
        values = self.model.finished(rows, self.node)[:, self.targets]
        return values.reshape(*draws.shape[:2], -1)

    def raw(self, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> torch.Tensor:
        """(window · draw, ...), what `Network.raw` gives; of a map the means over its places.

        Windows whose boxes have like shapes are run together.
        """
        windows, samples = draws.shape[:2]
        many = max(1, self.batch // samples)
        order = self.places.similar(starts)
        done: list[torch.Tensor] = []
        held: list[torch.Tensor] = []
        with torch.inference_mode():
            for first in range(0, windows, many):
                which = order[first : first + many]
                held.append(self._body(starts[which], draws[which]))
                if first + many >= windows or sum(map(len, held)) >= _ROWS:
                    done.append(self._from_features(torch.cat(held)))
                    held.clear()
            rows = split(torch.cat(done), windows)
            return rows[torch.from_numpy(np.argsort(order)).to(rows.device)].flatten(0, 1)

    def _body(self, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> torch.Tensor:
        """(window · draw, ...), the features that the tail takes, or what is wanted."""
        parts = []
        for first in range(0, draws.shape[1], self.batch):
            some = np.ascontiguousarray(draws[:, first : first + self.batch])
            places = self.places.of(starts, some.shape[1])
            inputs = self.model.normalised(torch.from_numpy(some).flatten(0, 1)).to(self.dtype)
            box = run_body(self.program, places, inputs)
            parts.append(split(self._features(box), len(starts)))
        return torch.cat(parts, dim=1).flatten(0, 1)

    def _features(self, box: Box) -> torch.Tensor:
        if self.program.tail or box.base.ndim == 2:
            return box.value
        return box.change.flatten(2).double().sum(2) / box.base[0, 0].numel()

    def _from_features(self, rows: torch.Tensor) -> torch.Tensor:
        """The base, exact, plus what changed: so the base's own rounding does not matter.

        The tail gets the base's features as one more row, to round them as it does all others.
        """
        base = self.program.body[-1].base
        if base.ndim > 2:
            return self._base.flatten(2).double().mean(2) + rows
        values = run_tail(self.program, torch.cat([rows, base]))
        return self._base + (values[:-1] - values[-1:]).to(self._base.dtype)
