"""The incremental engine: recomputes only what a window can change."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from preddiff.engines.incremental.compile.places import Places
from preddiff.engines.incremental.compile.trace import multiply_adds, trace
from preddiff.engines.incremental.execute.boxes import Box, split
from preddiff.engines.incremental.execute.run import run_body, run_tail
from preddiff.engines.incremental.execute.steps import Program
from preddiff.models.networks.network import Network

_ROWS = 256  # rows of features that go through the tail at once
_DRAWS = 10  # of a window, usually
_COPIES = 24  # of its largest box, for a draw: some are held, more is lost between other boxes


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
    batch : draws at once, on each processor.
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
        """What a draw more in a batch takes, about, as each processor has a batch of its own."""
        return self._workers * _COPIES * self.places.largest * self.dtype.itemsize

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
        values = self.model.postprocess(rows, self.node)[:, self.targets]
        return values.reshape(*draws.shape[:2], -1)

    def raw(self, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> torch.Tensor:
        """(window · draw, ...), what `Network.raw` gives; of a map the means over its places.

        It is the base, exact, plus what changed.
        """
        base = self._base.flatten(2).double().mean(2) if self._base.ndim > 2 else self._base
        return base + self.changes(starts, draws).to(base.dtype)

    def changes(self, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> torch.Tensor:
        """(window · draw, ...), what `raw` gives, minus the same of the unperturbed input.

        Windows whose boxes have like shapes are run together.
        """
        windows, samples = draws.shape[:2]
        order = self.places.similar(starts)
        shares = math.ceil(windows * samples / _ROWS / self._workers) * self._workers
        parts = [part for part in np.array_split(order, shares) if len(part)]
        done = self._each(lambda part: self._share(starts[part], draws[part]), parts)
        rows = split(torch.cat(done), windows)
        return rows[torch.from_numpy(np.argsort(order)).to(rows.device)].flatten(0, 1)

    def _each(
        self, work: Callable[[NDArray[np.int64]], torch.Tensor], parts: list[NDArray[np.int64]]
    ) -> list[torch.Tensor]:
        """Some work on every part, each processor at parts of its own.

        Two that work at one operation wait for each other at its end, and operations are short.
        """
        if self._workers == 1 or len(parts) == 1:
            return [work(part) for part in parts]
        threads = torch.get_num_threads()
        try:
            with ThreadPoolExecutor(
                self._workers, initializer=torch.set_num_threads, initargs=(1,)
            ) as pool:
                return list(pool.map(work, parts))
        finally:
            torch.set_num_threads(threads)

    @property
    def _workers(self) -> int:
        return torch.get_num_threads() if self.model.device.type == "cpu" else 1

    def _share(self, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> torch.Tensor:
        """(window · draw, ...) of windows that one processor does."""
        many = max(1, self.batch // draws.shape[1])
        with torch.inference_mode():
            held = [
                self._body(starts[first : first + many], draws[first : first + many])
                for first in range(0, len(starts), many)
            ]
            changes = torch.cat(held)
            is_map = self.program.body[-1].base.ndim > 2
            return changes if is_map else run_tail(self.program, changes)

    def _body(self, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> torch.Tensor:
        """(window · draw, ...), changes of what the tail takes, or of what is wanted."""
        parts = []
        for first in range(0, draws.shape[1], self.batch):
            some = np.ascontiguousarray(draws[:, first : first + self.batch])
            places = self.places.of(starts, some.shape[1])
            inputs = self.model.normalised(torch.from_numpy(some).flatten(0, 1))
            box = run_body(self.program, places, inputs)
            parts.append(split(self._features(box), len(starts)))
        return torch.cat(parts, dim=1).flatten(0, 1)

    def _features(self, box: Box) -> torch.Tensor:
        if self.program.tail or box.base.ndim == 2:
            return box.change
        return box.change.flatten(2).double().sum(2) / box.base[0, 0].numel()
