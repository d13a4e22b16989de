"""Explanation: the result that engines and plans make, and that files, figures and pages read."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from preddiff.errors import printable
from preddiff.media.grid import Grid
from preddiff.method import uncertainty
from preddiff.results.confidence import are_exact
from preddiff.types import PerTarget

# Of the package, which take an explanation; who looks for them here is told.
_FUNCTIONS = frozenset({"save", "figure", "page", "export"})
_UNITS_OF_PROBABILITIES = frozenset({"bits", "probability"})
SPATIAL_AXES = ("z", "y", "x")
"""Names of the spatial axes, slowest first; an input of fewer dimensions has the last of them."""


# Not comparable: two datasets compare elementwise, which has no truth value.
@dataclass(frozen=True, eq=False)
class Explanation:
    """Relevance of one input's pixels or voxels, as labelled arrays with their provenance.

    Attributes
    ----------
    data : an `xarray.Dataset` with the arrays that docs/format.md specifies; its attributes are
        the provenance.
    """

    data: xr.Dataset

    def __post_init__(self) -> None:
        # Labels, names and settings may be strangers': terminals, figures and pages get them safe.
        object.__setattr__(self, "data", _with_printable_texts(self.data))

    @property
    def relevance(self) -> xr.DataArray:
        """Mean evidence of the windows that cover a pixel: (target, y, x) or (target, z, y, x).

        Positive values are evidence for the target, negative ones against it. NaN where no window
        covers the pixel.
        """
        return self.data["relevance"]

    @property
    def standard_error(self) -> xr.DataArray:
        """Standard error of `relevance` due to the draws, with its dims and unit."""
        return self.data["standard_error"]

    @property
    def importance(self) -> xr.DataArray | None:
        """Dependence of the target on each pixel, either way, with the dims of `relevance`.

        The root mean square of the evidence of the windows that cover a pixel, in its unit: 0 only
        where hiding a window changes nothing, while in the relevance evidence for and against may
        cancel. None for results of versions that had none.
        """
        return self.data.get("importance")

    @property
    def importance_error(self) -> xr.DataArray | None:
        """Standard error of `importance`; NaN where importance is an upper bound (one draw)."""
        return self.data.get("importance_error")

    @property
    def coverage(self) -> xr.DataArray:
        """Number of windows that cover each pixel: (y, x) or (z, y, x)."""
        return self.data["coverage"]

    @property
    def regions(self) -> xr.DataArray | None:
        """Number of the region that each pixel belongs to, 0 of none; None of windows.

        `evidence` then has one value for each region, with its number as coordinate `region`.
        """
        return self.data.get("regions")

    @property
    def prediction(self) -> xr.DataArray:
        """Value of each target on the unperturbed input: (target,)."""
        return self.data["prediction"]

    @property
    def evidence(self) -> xr.DataArray:
        """Evidence of each window: (target, window); coordinates y, x (and z) hold its corner."""
        # Files keep all corners in one array (window, axis); here each axis becomes a coordinate of
        # its own, so that evidence can be selected and plotted by position.
        corners = {
            str(axis): ("window", self.data["window_start"].sel(axis=axis).values)
            for axis in self.data["axis"].values
        }
        if "region_number" in self.data:
            corners["region"] = ("window", self.data["region_number"].values)
        return self.data["evidence"].drop_vars("axis", errors="ignore").assign_coords(corners)

    @property
    def evidence_error(self) -> xr.DataArray:
        """Standard error of `evidence`: (target, window)."""
        return self.data["evidence_error"]

    @property
    def window_sizes(self) -> Annotated[NDArray[np.int64], "window axis"]:
        """Lengths of each window along each axis, in pixels or voxels.

        1 for a node's channels and units.
        """
        shape = (self.data.sizes["window"], self.coverage.ndim)
        if "window_length" in self.data:
            lengths = self.data["window_length"]
            each = lengths.values if lengths.ndim == 2 else lengths.values[:, None]
        else:
            each = np.array(lengths_of(self.data.attrs["window"]) or [1])
        return np.array(np.broadcast_to(each, shape), dtype=np.int64)

    @property
    def picture(self) -> xr.DataArray:
        """The input as the model saw it, in input space: (channel, y, x) or (channel, z, y, x)."""
        return self.data["picture"]

    if not TYPE_CHECKING:  # else every attribute would be known

        def __getattr__(self, name: str) -> NoReturn:
            """Say where to find what is looked for here: an explanation is data."""
            cure = f"; it is preddiff.{name}(e, ...)" if name in _FUNCTIONS else ""
            raise AttributeError(f"an Explanation has no attribute {name!r}{cure}")

    @property
    def crop(self) -> tuple[float, float, float, float] | None:
        """The part of the original picture that the model saw; None where it is not known.

        Left, top, width and height, in pixels of the picture turned upright.
        """
        try:
            left, top, width, height = map(float, str(self.provenance.get("crop", "")).split(","))
        except ValueError:
            return None
        known = all(map(math.isfinite, (left, top, width, height)))
        return (left, top, width, height) if known and width > 0 < height else None

    @property
    def sensitivity(self) -> xr.DataArray | None:
        """Sensitivity map of Simonyan et al. (2013): (target, y, x); None without a gradient."""
        return self.data.get("sensitivity")

    @property
    def baselines(self) -> dict[str, xr.DataArray]:
        """Other methods' maps (target, y, x) of the same targets, by name.

        The attribute `long_name` of each is how people call the method; `signed` is 1 where
        negative values mean evidence against the target, else 0.
        """
        names = str(self.data.attrs["baselines"])
        return {name: self.data[name] for name in names.split(", ") if name}

    @property
    def grid(self) -> Grid | None:
        """Position of a scan's voxels in the body; None for pictures and for arrays."""
        if "affine" not in self.data:
            return None
        affine = self.data["affine"]
        z, y, x = self.coverage.shape
        return Grid((z, y, x), affine.values, affine.attrs)

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of each target."""
        return tuple(str(label) for label in self.data["label"].values)

    @property
    def values(self) -> tuple[str, ...]:
        """`prediction` as text, with enough digits to tell a probability below 1 from 1."""
        is_probability = self.of_probabilities
        return tuple(_formatted(float(value), is_probability) for value in self.prediction.values)

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, model, sampler, settings, seed, cost and machine: see docs/format.md."""
        return dict(self.data.attrs)

    @property
    def unit(self) -> str:
        """Unit of relevance, importance and evidence, such as bits."""
        return str(self.data.attrs["unit"])

    @property
    def of_probabilities(self) -> bool:
        """True if `prediction` holds probabilities, false if it holds activations or values."""
        return str(self.data.attrs["unit"]) in _UNITS_OF_PROBABILITIES

    @property
    def draws(self) -> str:
        """Number of draws per window, or of sets of windows, in words."""
        samples = self.data.attrs["samples"]
        if sets := self.random_sets:
            return f"{sets} × {samples} draw{'s' * (samples > 1)}"
        if not samples:  # the closed form takes none: it is the mean over all of them
            return self.exactness or "all draws (closed form)"
        # With a tolerance, draws go to the windows that need them: not all have the full number.
        return f"{self._up_to}{samples} draws"

    @property
    def exactness(self) -> str:
        """Words for a map without error, such as exact (closed form, no sampling); else empty."""
        if not are_exact(self.standard_error.values):
            return ""
        closed = not self.data.attrs["samples"]
        return f"exact ({'closed form, no sampling' if closed else 'every possible draw'})"

    @property
    def random_sets(self) -> str:
        """Number of random sets that were hidden, in words; empty of windows one at a time."""
        sets = self.data.attrs.get("sets", "")
        return f"{self._up_to}{sets:,} random sets of {self.parts}" if sets else ""

    @property
    def parts(self) -> str:
        """The word for what was hidden: windows or regions."""
        return "windows" if self.regions is None else "regions"

    @property
    def _up_to(self) -> str:
        """Words before a number that a tolerance may have left unreached."""
        return "up to " if self.data.attrs["tolerance"] != "" else ""

    @property
    def relative_error_text(self) -> str:
        """Relative error of the map in words, if it is known, and whether the map is partial."""
        error = self.data.attrs.get("relative_error", "")
        of = " for the least certain target" if len(self.labels) > 1 else ""
        known = "" if error == "" else f"relative error {percent(error)}{of}"
        parts = list(filter(None, [self.exactness or known]))
        return ", ".join(
            [*parts, *(["partial: stopped before the end"] if self.is_partial else [])]
        )

    @property
    def precision_text(self) -> str:
        """`relative_error_text`, or that the map is no larger than its error."""
        if self.relative_error_text or not self.is_noise.any():
            return self.relative_error_text
        of = " for the least certain target" if len(self.labels) > 1 else ""
        return f"the map is no larger than its error{of} (take more {self.effort})"

    @property
    def relative_errors(self) -> PerTarget:
        """Root mean square of `standard_error` over that of `relevance`, (target,).

        Infinite where it is unknown, or where errors are as large as the relevance.
        """
        relevance, error = self.relevance.values, self.standard_error.values
        return uncertainty.relative_errors(relevance, error, ~np.isnan(relevance[0]))

    @property
    def is_noise(self) -> Annotated[NDArray[np.bool_], "target"]:
        """True for targets whose map is no larger than its errors, which are known."""
        errors = self.standard_error.values[:, ~np.isnan(self.relevance.values[0])]
        # A map of zeros that are exact is not noise.
        has_errors = np.isfinite(errors).all(axis=1) & (errors > 0).any(axis=1)
        return np.asarray(np.isinf(self.relative_errors) & has_errors)

    @property
    def effort(self) -> str:
        """The word for what more of makes the map more precise: draws, or sets."""
        return "sets" if self.random_sets else "draws"

    @property
    def is_partial(self) -> bool:
        """True if somebody stopped the analysis before its end."""
        return bool(self.data.attrs.get("partial", False))

    def __repr__(self) -> str:
        shape = "×".join(str(n) for n in self.coverage.shape)
        facts = self.data.attrs
        separator = ", " if facts.get("sets", "") or not facts["samples"] else " × "
        precision = "" if self.exactness else self.precision_text
        said = [f"{self.data.sizes['window']} {self.parts}{separator}{self.draws}", self.unit]
        return (
            f"<Explanation of {shape} for {', '.join(self.labels)}: "
            f"{', '.join(filter(None, [*said, precision]))}>"
        )


def lengths_of(window: object) -> list[int]:
    """Return the lengths that a result's `window` states: one, or one for each axis.

    None of what are no lengths, such as a node's channels.
    """
    texts = str(window).split("x")
    return [int(text) for text in texts] if all(map(str.isdecimal, texts)) else []


def percent(share: float) -> str:
    """Return a share with two digits, such as 9.7 % or 120 %; an infinite one is unknown."""
    return f"{float(f'{100 * share:.2g}'):g} %" if math.isfinite(share) else "unknown"


def _formatted(value: float, is_probability: bool) -> str:
    """Return a prediction with four significant digits, or two digits of what it lacks to 1."""
    text = f"{value:.4g}"
    if is_probability and text == "1" and value < 1:
        # Evidence is a difference of log-odds, in which 0.99999 and 0.9999999 are far apart, so the
        # leading digits of 1 - p must be visible: 1 - p = 3.2e-6 gives 7 decimals, 0.9999968.
        decimals = 1 - math.floor(math.log10(1 - value))
        text = f"{value:.{decimals}f}"
    return text


def _with_printable_texts(data: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose labels and attributes have no control characters."""
    data = data.assign_attrs(_printable(data.attrs))
    for name in data.variables:
        data[name].attrs = _printable(data[name].attrs)
    if "label" not in data or data["label"].dtype.kind != "U":  # which is no result
        return data
    texts = data["label"].values
    safe = np.array([printable(str(text)) for text in texts.ravel()], dtype=np.str_)
    return data.assign_coords(label=data["label"].copy(data=safe.reshape(texts.shape)))


def _printable(attributes: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {
        printable(str(name)): printable(value) if isinstance(value, str) else value
        for name, value in attributes.items()
    }
