"""3×3 convolutions by Winograd's minimal filtering: a quarter of the multiplications.

F(4×4, 3×3) of Lavin & Gray (2016, arXiv:1509.09308, section 4.3): tiles of 6×6 inputs give 4×4
outputs. It pays where there are many channels, and in float32 only: its rounding is some ten times
that of the direct sum.

One dimension first: four outputs y of six inputs d and a filter g, y_j = Σ_k g_k d_(j+k). That is
the transpose of a product of polynomials. The product of a(t), of degree 3, and g(t), of degree 2,
is of degree 5, so its values at six points determine it. Take p = 0, 1, -1, 2, -2 and ∞ (there, a
polynomial's "value" is its leading coefficient). With V_n the matrix whose rows are the powers
p^0, ..., p^(n-1) of the points, the product's coefficients are

    V_6⁻¹ [(V_3 g) ⊙ (V_4 a)],

which is a linear map of a, T(g) = V_6⁻¹ diag(V_3 g) V_4. Its entries are T_(ij) = g_(i-j), so the
outputs are its transpose applied to the inputs, and multiplications are six instead of twelve:

    y = T(g)ᵀ d = V_4ᵀ [(V_3 g) ⊙ (V_6⁻ᵀ d)].

Row p of V_6⁻ᵀ holds the coefficients of Lagrange's polynomial Π_(q≠p) (t - q) / N_p, with
N_p = Π_(q≠p) (p - q) over finite q. Moving the 1 / N_p to the filter's row, where they are paid for
once per network, leaves whole numbers for the inputs:

    y = Aᵀ [(G g) ⊙ (Bᵀ d)],   Aᵀ = V_4ᵀ,   G = V_3 / N,   Bᵀ = the coefficients of Π_(q≠p) (t - q).

Two dimensions are the same along both axes: 36 multiplications for 16 outputs instead of 144.
Summed over channels, each of the 36 is one product of matrices, (tile, c) times (c, k).
"""

import torch
from torch.nn import functional as F

_LEAST_CHANNELS = 192  # transforms cost as much for each channel; the products gain by their square
_MAX_TILE_BYTES = 16 << 20  # at once: more memory takes long to be had from the system
_FILTER_CHANNELS = 16  # input channels whose filters are made at once

# Bᵀ: of the point 0, (t² - 1)(t² - 4) = 4 - 5t² + t⁴, and so on.
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
# G: rows (1, p, p²) / N_p, with N = 4, -6, -6, 24, 24; of ∞ the leading coefficient.
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
# Aᵀ: row j has p^j; at ∞ only the leading one, j = 3, counts.
_OUTPUT = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    dtype=torch.float64,
)


def pays(weight: torch.Tensor, stride: tuple[int, ...], dilation: tuple[int, ...]) -> bool:
    """Return whether a convolution without groups is done faster by tiles."""
    return (
        weight.shape[2:] == (3, 3)
        and min(weight.shape[:2]) >= _LEAST_CHANNELS
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
        for some, filters in zip(
            torch.split(weight, _FILTER_CHANNELS, dim=1),
            torch.split(self._filters, _FILTER_CHANNELS, dim=1),
            strict=True,
        ):
            transformed = torch.einsum("ai,kcij,bj->abck", edge, some.double(), edge)
            filters.copy_(transformed.flatten(0, 1))
        # Both axes in one matrix, (36, 36) and (16, 36): vec(B d Bᵀ) = (B ⊗ B) vec(d).
        self._input = torch.kron(_INPUT, _INPUT).to(weight)
        self._output = torch.kron(_OUTPUT, _OUTPUT).to(weight)

    def __call__(self, inputs: torch.Tensor, padding: tuple[int, ...]) -> torch.Tensor:
        """Return the convolution of (n, c, y, x), with zeros on both sides: (n, k, y', x')."""
        outputs = [size + 2 * p - 2 for size, p in zip(inputs.shape[2:], padding, strict=True)]
        rows, columns = (-(-size // 4) for size in outputs)
        draw = 36 * rows * columns * inputs.shape[1] * inputs.itemsize
        some = torch.split(inputs, max(1, _MAX_TILE_BYTES // draw))
        result = torch.cat([self._convolved(each, padding, rows, columns) for each in some])
        return result[:, :, : outputs[0], : outputs[1]]

    def _convolved(
        self, inputs: torch.Tensor, padding: tuple[int, ...], rows: int, columns: int
    ) -> torch.Tensor:
        """Return whole tiles of outputs, (n, k, 4 · row, 4 · column)."""
        # One name, so that no two of these are held for longer than it takes to make the next.
        tiles = self._input @ self._tiles(inputs, padding, rows, columns)
        tiles = torch.bmm(tiles.view(36, -1, inputs.shape[1]), self._filters)
        sums = self._output @ tiles.flatten(1)
        result = sums.view(4, 4, rows, columns, len(inputs), -1).permute(4, 2, 0, 3, 1, 5)
        return result.reshape(len(inputs), 4 * rows, 4 * columns, -1).movedim(-1, 1)

    def _tiles(
        self, inputs: torch.Tensor, padding: tuple[int, ...], rows: int, columns: int
    ) -> torch.Tensor:
        """Return tiles of 6×6 inputs, which overlap by two: (36, t · n · c)."""
        pads = [
            n
            for axis, count in ((1, columns), (0, rows))
            for n in (padding[axis], 4 * count + 2 - padding[axis] - inputs.shape[2 + axis])
        ]
        padded = F.pad(inputs, pads).permute(2, 3, 0, 1)
        tiles = padded.unfold(0, 6, 4).unfold(1, 6, 4)  # (row, column, n, c, 6, 6)
        return tiles.permute(4, 5, 0, 1, 2, 3).reshape(36, -1)
