"""The incremental engine: recompute only what a window can change."""

import gc
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from preddiff.engines.base import NAME_IN_PROVENANCE
from preddiff.engines.incremental.compile.aliases import SharedMemoryError
from preddiff.engines.incremental.compile.alignment import AlignmentTables
from preddiff.engines.incremental.compile.multiply_adds import multiply_adds
from preddiff.engines.incremental.compile.trace import trace
from preddiff.engines.incremental.execute.boxes import Box, split
from preddiff.engines.incremental.execute.run import run_body, run_tail
from preddiff.engines.incremental.execute.steps import Program
from preddiff.models.networks.graph import exported
from preddiff.models.networks.network import Network
from preddiff.types import Corners, Draws, Integers, Pixels, Predictions, Values

# Rows of features that go through the tail at once: enough for products of matrices to be limited
# by arithmetic, not by reading the weights; few enough for all processors to get shares of a chunk.
_TAIL_ROWS = 256
_USUAL_DRAWS = 10  # of a window: the paper's S
# Copies of its largest box that a draw takes in memory. A layer needs three or four (input, output,
# what a library takes); the rest is lost between boxes of other sizes, which the system's
# allocator keeps: measured as the peak of whole runs (docs/performance.md).
_COPIES = 24


class Incremental:
    """An engine that runs each operation on the box of its output that the windows can change.

    Exact: what it gives differs from whole forward passes by rounding only.

    Parameters
    ----------
    model : its module must be traceable.
    inputs : (channel, *spatial).
    targets : classes (~k for 1 - p of class k), or channels of `node`.
    size : of the windows.
    node : whose channels are wanted; None is the output.
    batch : draws at once, on each processor.
    dtype : of the arithmetic inside the network; None is that of its weights.

    Attributes
    ----------
    program : the traced network.
    alignments : where the boxes of its body lie.

    Raises
    ------
    Exception
        Whatever tracing raises where the network cannot be traced.
    """

    name = NAME_IN_PROVENANCE["incremental"]

    def __init__(
        self,
        model: Network,
        inputs: Pixels,
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
        self.program = self._traced()
        self.alignments = AlignmentTables(self.program.body, inputs.shape[1:], size)

    def _traced(self) -> Program:
        """Return the network's program, in the engine's precision."""
        model = self.model
        whole = torch.from_numpy(self.inputs)[None]
        first = 1 if model.preprocessing.channels_last else 2
        axes = range(first, first + self.inputs.ndim - 1)
        part = model.traced(whole, self.node)
        with torch.inference_mode():
            normalised = model.normalised(whole)
        inputs_seen = normalised.clone()
        try:
            return trace(part, inputs_seen, axes, self.dtype)
        except SharedMemoryError:
            part = exported(part, inputs_seen, functional=True)
            return trace(part, inputs_seen, axes, self.dtype)

    @property
    def bytes_per_draw(self) -> int:
        """Bytes that one draw more in a batch takes, about: each processor has its own batch."""
        return self._workers * _COPIES * self.alignments.largest * self.dtype.itemsize

    def saved(self, starts: Corners) -> float:
        """Return the multiply-adds of whole forward passes over those of the windows' boxes."""
        order = self.alignments.similar(starts)
        several = max(1, self.batch // _USUAL_DRAWS)
        whole, boxed = 0.0, 0.0
        for first in range(0, len(starts), several):
            which = starts[order[first : first + several]]
            placements = self.alignments.placements(which, 1)
            for step in (*self.program.body, *self.program.tail):
                dense, part = multiply_adds(step, placements)
                whole += dense * len(which)
                boxed += part * len(which)
        return whole / boxed if boxed else 1.0

    def take_precision(self, dtype: torch.dtype) -> None:
        """Change the arithmetic inside the network; what the former one held is let go of first."""
        self.dtype = dtype
        for held in ("program", "alignments"):
            self.__dict__.pop(held, None)  # there is none where another precision failed
        gc.collect()  # a graph and its modules hold each other, and weights that were folded
        self.program = self._traced()
        self.alignments = AlignmentTables(self.program.body, self.inputs.shape[1:], self.size)

    def evaluate(self, starts: Corners, draws: Draws) -> Values:
        """Return the values of the targets for each draw, (window, draw, target)."""
        values = self.values(self.raw(starts, draws))
        return values.reshape(*draws.shape[:2], -1)

    def values(self, rows: torch.Tensor) -> Predictions:
        """Return the values of the targets (row, target) of what `raw` gives."""
        both = min(self.targets) < 0
        found = (
            self.model.postprocess_both(rows) if both else self.model.postprocess(rows, self.node)
        )
        return found[:, self.targets]

    def whole(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what `raw` should give, by whole forward passes, in float64.

        Parameters
        ----------
        inputs : (n, channel, *spatial), in input space.
        """
        rows = self.model.raw(inputs, self.node).double()
        return rows.flatten(2).mean(2) if rows.ndim > 2 else rows

    def raw(self, starts: Corners, draws: Draws) -> torch.Tensor:
        """Return (window · draw, ...), what `Network.raw` gives; of a map its spatial means.

        It is the base, exact, plus what changed.
        """
        base = self._base.flatten(2).double().mean(2) if self._base.ndim > 2 else self._base
        return base + self.changes(starts, draws).to(base.dtype)

    def changes(self, starts: Corners, draws: Draws) -> torch.Tensor:
        """Return (window · draw, ...), what `raw` gives, minus the same of the unperturbed input.

        Windows whose boxes have similar shapes are run together.
        """
        windows, samples = draws.shape[:2]
        order = self.alignments.similar(starts)
        # As many shares for each processor, so that none waits for the last one.
        shares = math.ceil(windows * samples / _TAIL_ROWS / self._workers) * self._workers
        parts = [part for part in np.array_split(order, shares) if len(part)]
        done = self._each(lambda part: self._share(starts[part], draws[part]), parts)
        rows = split(torch.cat(done), windows)
        return rows[torch.from_numpy(np.argsort(order)).to(rows.device)].flatten(0, 1)

    def _each(
        self, work: Callable[[Integers], torch.Tensor], parts: list[Integers]
    ) -> list[torch.Tensor]:
        """Return some work's results on every part, each processor at parts of its own.

        Two processors that share one operation wait for each other at its end, and operations on
        boxes are short. Windows have nothing to do with each other: each processor gets its own,
        with libraries limited to one thread.
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

    def _share(self, starts: Corners, draws: Draws) -> torch.Tensor:
        """Return (window · draw, ...) of the windows that one processor does at a time."""
        several = max(1, self.batch // draws.shape[1])
        with torch.inference_mode():
            held = [
                self._body(starts[first : first + several], draws[first : first + several])
                for first in range(0, len(starts), several)
            ]
            changes = torch.cat(held)
            is_map = self.program.body[-1].tensor.ndim > 2
            return changes if is_map else run_tail(self.program, changes)

    def _body(self, starts: Corners, draws: Draws) -> torch.Tensor:
        """Return (window · draw, ...), changes of what the tail takes, or of what is wanted."""
        parts = []
        for first in range(0, draws.shape[1], self.batch):
            some = np.require(draws[:, first : first + self.batch], requirements=["C", "W"])
            placements = self.alignments.placements(starts, some.shape[1])
            inputs = self.model.normalised(torch.from_numpy(some).flatten(0, 1))
            box = run_body(self.program, placements, inputs)
            parts.append(split(self._features(box), len(starts)))
        return torch.cat(parts, dim=1).flatten(0, 1)

    def _features(self, box: Box) -> torch.Tensor:
        """Return a box's changes as (row, feature): of a map, the change of its spatial mean."""
        if self.program.tail or box.base.ndim == 2:
            return box.change
        return box.change.flatten(2).double().sum(2) / box.base[0, 0].numel()
