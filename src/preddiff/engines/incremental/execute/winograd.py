"""3×3 convolutions by Winograd's minimal filtering: a quarter of the multiplications.

F(4×4, 3×3) of Lavin & Gray (2016, arXiv:1509.09308, section 4.3): tiles of 6×6 inputs give 4×4
outputs. It pays where there are many channels, and in float32 only: its rounding is some ten times
that of the direct sum.
"""

import torch
from torch.nn import functional as F

_LEAST = 192  # channels from which on the transforms are worth their while
_HELD = 16 << 20  # bytes of tiles at once: more take long to be had from the system
_AT_ONCE = 16  # input channels whose filters are made at once

_INPUT = torch.tensor(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    dtype=torch.float64,
)
_FILTER = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    dtype=torch.float64,
)
_OUTPUT = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    dtype=torch.float64,
)


def pays(weight: torch.Tensor, stride: tuple[int, ...], dilation: tuple[int, ...]) -> bool:
    """Whether a convolution without groups is done faster by tiles."""
    return (
        weight.shape[2:] == (3, 3)
        and min(weight.shape[:2]) >= _LEAST
        and set(stride) == set(dilation) == {1}
        and weight.dtype == torch.float32
    )


class Tiles:
    """A convolution with 3×3 weights (k, c, 3, 3), stride 1.

    Axis names: n draw, c input channel, k output channel, t tile.
    """

    def __init__(self, weight: torch.Tensor) -> None:
        edge = _FILTER.to(weight.device)
        self._filters = weight.new_empty(36, weight.shape[1], weight.shape[0])  # (36, c, k)
        # In double precision, and few channels at a time: of wide layers it would take much memory.
        for some, place in zip(
            torch.split(weight, _AT_ONCE, dim=1),
            torch.split(self._filters, _AT_ONCE, dim=1),
            strict=True,
        ):
            place.copy_(torch.einsum("ai,kcij,bj->abck", edge, some.double(), edge).flatten(0, 1))
        self._input = torch.kron(_INPUT, _INPUT).to(weight)
        self._output = torch.kron(_OUTPUT, _OUTPUT).to(weight)

    def __call__(self, inputs: torch.Tensor, padding: tuple[int, ...]) -> torch.Tensor:
        """(n, c, y, x) to (n, k, y', x'), with zeros on both sides."""
        outputs = [size + 2 * p - 2 for size, p in zip(inputs.shape[2:], padding, strict=True)]
        rows, columns = (-(-size // 4) for size in outputs)
        draw = 36 * rows * columns * inputs.shape[1] * inputs.itemsize
        some = torch.split(inputs, max(1, _HELD // draw))
        result = torch.cat([self._convolved(each, padding, rows, columns) for each in some])
        return result[:, :, : outputs[0], : outputs[1]]

    def _convolved(
        self, inputs: torch.Tensor, padding: tuple[int, ...], rows: int, columns: int
    ) -> torch.Tensor:
        """Whole tiles of outputs, (n, k, 4 · row, 4 · column)."""
        # One name, so that no two of these are held for longer than it takes to make the next.
        tiles = self._input @ self._tiles(inputs, padding, rows, columns)
        tiles = torch.bmm(tiles.view(36, -1, inputs.shape[1]), self._filters)
        sums = self._output @ tiles.flatten(1)
        result = sums.view(4, 4, rows, columns, len(inputs), -1).permute(4, 2, 0, 3, 1, 5)
        return result.reshape(len(inputs), 4 * rows, 4 * columns, -1).movedim(-1, 1)

    def _tiles(
        self, inputs: torch.Tensor, padding: tuple[int, ...], rows: int, columns: int
    ) -> torch.Tensor:
        """Overlapping tiles, (36, t · n · c)."""
        pads = [
            n
            for axis, count in ((1, columns), (0, rows))
            for n in (padding[axis], 4 * count + 2 - padding[axis] - inputs.shape[2 + axis])
        ]
        padded = F.pad(inputs, pads).permute(2, 3, 0, 1)
        tiles = padded.unfold(0, 6, 4).unfold(1, 6, 4)  # (row, column, n, c, 6, 6)
        return tiles.permute(4, 5, 0, 1, 2, 3).reshape(36, -1)
