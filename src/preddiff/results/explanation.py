"""Explanation: what everything upstream makes and everything downstream reads."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from preddiff.media.grid import Grid
from preddiff.method.windows import Windows

SPATIAL_AXES = ("z", "y", "x")
"""Names of the spatial axes, the last ones for an input of fewer dimensions."""

BASELINES = {
    "sensitivity": "sensitivity",
    "integrated_gradients": "integrated gradients",
    "grad_cam": "Grad-CAM",
    "occlusion": "occlusion",
}
"""Maps of other methods: their names among the arrays, and for people."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why one input was classified as it was; labelled arrays and where they come from.

    Attributes
    ----------
    data : all arrays in one `xarray.Dataset`, as docs/format.md names them; its attributes are
        the provenance.
    """

    data: xr.Dataset

    @property
    def relevance(self) -> xr.DataArray:
        """Mean evidence of the windows that cover a pixel: (target, y, x) or (target, z, y, x).

        Positive: evidence for the target; negative: against it; NaN: no window covers it.
        """
        return self.data["relevance"]

    @property
    def standard_error(self) -> xr.DataArray:
        """Standard error of `relevance` from the draws, same dims and unit."""
        return self.data["standard_error"]

    @property
    def coverage(self) -> xr.DataArray:
        """Number of windows that cover a pixel: (y, x) or (z, y, x)."""
        return self.data["coverage"]

    @property
    def prediction(self) -> xr.DataArray:
        """Value of every target on the unperturbed input: (target,)."""
        return self.data["prediction"]

    @property
    def evidence(self) -> xr.DataArray:
        """Evidence of every window: (target, window), its corner in coordinates y, x (and z)."""
        corner = {
            str(axis): ("window", self.data["window_start"].sel(axis=axis).values)
            for axis in self.data["axis"].values
        }
        return self.data["evidence"].drop_vars("axis", errors="ignore").assign_coords(corner)

    @property
    def evidence_error(self) -> xr.DataArray:
        """Standard error of `evidence`: (target, window)."""
        return self.data["evidence_error"]

    @property
    def picture(self) -> xr.DataArray:
        """The input as the model saw it, in input space: (channel, y, x) or (channel, z, y, x)."""
        return self.data["picture"]

    @property
    def sensitivity(self) -> xr.DataArray | None:
        """Simonyan et al.'s map (target, y, x), or None where the model has no gradient."""
        return self.data.get("sensitivity")

    @property
    def baselines(self) -> dict[str, xr.DataArray]:
        """Other methods' maps (target, y, x) of the same targets, by their name in `BASELINES`."""
        return {name: self.data[name] for name in BASELINES if name in self.data}

    @property
    def grid(self) -> Grid | None:
        """Where the voxels of a scan lie; None for pictures, and for arrays, which do not say."""
        if "affine" not in self.data:
            return None
        affine = self.data["affine"]
        z, y, x = self.coverage.shape
        return Grid((z, y, x), affine.values, affine.attrs)

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for every target."""
        return tuple(str(label) for label in self.data["label"].values)

    @property
    def values(self) -> tuple[str, ...]:
        """`prediction` as text, with digits enough to tell a probability below 1 from 1."""
        return tuple(_text(float(value), self.of_probabilities) for value in self.prediction.values)

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, model, sampler, settings, seed, cost and machine."""
        return dict(self.data.attrs)

    @property
    def unit(self) -> str:
        """Unit of relevance and evidence, e.g. bits."""
        return str(self.data.attrs["unit"])

    @property
    def of_probabilities(self) -> bool:
        """Whether `prediction` holds probabilities, not activations."""
        return str(self.data.attrs["unit"]) != "activation"

    @property
    def draws(self) -> str:
        """How many draws each window had, or that all there could be are known."""
        samples = self.data.attrs["samples"]
        if not samples:
            return "all draws (closed form)"
        least = "up to " if self.data.attrs["tolerance"] != "" else ""
        return f"{least}{samples} draws"

    @property
    def relative_error_text(self) -> str:
        """The map's relative error in words; empty where it is not known."""
        error = self.data.attrs["relative_error"]
        return "" if error == "" else f"relative error {percent(error)}"

    def __repr__(self) -> str:
        shape = "×".join(str(n) for n in self.coverage.shape)
        return (
            f"<Explanation of {shape} for {', '.join(self.labels)}: "
            f"{self.data.sizes['window']} windows × {self.draws}, {self.unit}>"
        )


def percent(share: float) -> str:
    """Two digits of a share, as a person writes them: 9.7 %, 120 %."""
    return f"{float(f'{100 * share:.2g}'):g} %"


def _picture_axes(
    picture: NDArray[np.float32], axes: Sequence[str], windows: Windows
) -> tuple[str, ...]:
    """Those of the windows, unless these lie on a hidden node, whose axes are its own."""
    if picture.shape[1:] == windows.shape:
        return ("channel", *axes)
    names = SPATIAL_AXES[-(picture.ndim - 1) :]
    return tuple(f"picture_{name}" for name in ("channel", *names))


def _text(value: float, probability: bool) -> str:
    text = f"{value:.4g}"
    if probability and text == "1" and value < 1:
        decimals = 1 - math.floor(math.log10(1 - value))
        text = f"{value:.{decimals}f}"
    return text


def assemble(
    *,
    windows: Windows,
    picture: NDArray[np.float32],
    axes: Sequence[str],
    evidence: NDArray[np.float64],
    evidence_error: NDArray[np.float64],
    relevance: NDArray[np.float64],
    standard_error: NDArray[np.float64],
    prediction: NDArray[np.float64],
    targets: Sequence[int],
    labels: Sequence[str],
    baselines: Mapping[str, NDArray[np.float64]],
    provenance: Mapping[str, Any],
    grid: Grid | None = None,
) -> Explanation:
    """An Explanation from the arrays of an analysis.

    Parameters
    ----------
    picture : (channel, *spatial), the network's input.
    axes : names of the axes that the windows lie on.
    windows : those that were visited.
    evidence, evidence_error : (target, window).
    relevance, standard_error : (target, *spatial).
    prediction : (target,).
    baselines : (target, *spatial) each, by their name in `BASELINES`.
    grid : of the scan whose axes the windows lie on.
    """
    unit = {"units": provenance["unit"]}
    arrays = {
        "relevance": (("target", *axes), relevance, unit),
        "standard_error": (("target", *axes), standard_error, unit),
        "coverage": (axes, windows.coverage),
        "prediction": ("target", prediction),
        "evidence": (("target", "window"), evidence, unit),
        "evidence_error": (("target", "window"), evidence_error, unit),
        "window_start": (("window", "axis"), windows.starts),
        "picture": (_picture_axes(picture, axes, windows), picture),
    }
    arrays |= {name: (("target", *axes), values) for name, values in baselines.items()}
    if grid is not None:
        arrays["affine"] = (("world", "voxel"), grid.affine, dict(grid.header))
    coordinates = {
        "target": np.asarray(targets, dtype=np.int64),
        "label": ("target", np.asarray(labels, dtype=np.str_)),
        "axis": np.asarray(axes, dtype=np.str_),
        **{axis: np.arange(n) for axis, n in zip(axes, windows.shape, strict=True)},
    }
    return Explanation(xr.Dataset(arrays, coords=coordinates, attrs=dict(provenance)))
