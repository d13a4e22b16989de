"""Assembly of explanations from the arrays of an analysis."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from preddiff.media.grid import Grid
from preddiff.method.regions import Regions
from preddiff.method.sets import SetEvidence
from preddiff.method.windows import Windows
from preddiff.results.explanation import SPATIAL_AXES, Explanation
from preddiff.types import Evidence, PerTarget, Relevance

Picture = Annotated[NDArray[np.float32], "channel *pixels"]
"""The network's input; a map over a hidden node has other spatial axes."""


class BaselineMap(NamedTuple):
    """Another method's map.

    Attributes
    ----------
    values : (target, *spatial).
    label : the method as people read it.
    signed : whether negative values mean evidence against the target.
    """

    values: Relevance
    label: str
    signed: bool


def assemble(
    *,
    windows: Windows,
    picture: Picture,
    axes: Sequence[str],
    evidence: Evidence,
    evidence_error: Evidence,
    relevance: Relevance,
    standard_error: Relevance,
    importance: Relevance,
    importance_error: Relevance,
    prediction: PerTarget,
    targets: Sequence[int],
    labels: Sequence[str],
    baselines: Mapping[str, BaselineMap],
    provenance: Mapping[str, object],
    grid: Grid | None = None,
    set_evidence: SetEvidence | None = None,
) -> Explanation:
    """Return an Explanation of the arrays of an analysis.

    Parameters
    ----------
    picture : (channel, *pixels), the network's input.
    axes : names of the axes that the windows lie on.
    windows : those that were visited.
    evidence, evidence_error : (target, window).
    relevance, standard_error, importance, importance_error : (target, *spatial).
    prediction : (target,).
    baselines : other methods' maps, by name.
    grid : of the scan whose axes the windows lie on.
    set_evidence : (target, set), of random sets of windows, where such were hidden.
    """
    unit = {"units": provenance["unit"]}
    arrays = {
        "relevance": (("target", *axes), relevance, unit),
        "standard_error": (("target", *axes), standard_error, unit),
        "importance": (("target", *axes), importance, unit),
        "importance_error": (("target", *axes), importance_error, unit),
        "coverage": (axes, windows.coverage),
        "prediction": ("target", prediction),
        "evidence": (("target", "window"), evidence, unit),
        "evidence_error": (("target", "window"), evidence_error, unit),
        "window_start": (("window", "axis"), windows.starts),
        "picture": (_picture_axes(picture, axes, windows), picture),
    }
    if set_evidence is not None:
        arrays["set_evidence"] = (("target", "set"), set_evidence, unit)
    if isinstance(windows, Regions):
        arrays["regions"] = (axes, windows.labels)
        arrays["region_number"] = ("window", windows.numbers)
    arrays |= {
        name: (
            ("target", *axes),
            each.values,
            {"long_name": each.label, "signed": int(each.signed)},
        )
        for name, each in baselines.items()
    }
    if grid is not None:
        arrays["affine"] = (("world", "voxel"), grid.affine, dict(grid.header))
    coordinates = {
        "target": np.asarray(targets, dtype=np.int64),
        "label": ("target", np.asarray(labels, dtype=np.str_)),
        "axis": np.asarray(axes, dtype=np.str_),
        **{axis: np.arange(n) for axis, n in zip(axes, windows.shape, strict=True)},
    }
    attributes = {**provenance, "baselines": ", ".join(baselines)}
    return Explanation(xr.Dataset(arrays, coords=coordinates, attrs=attributes))


def _picture_axes(picture: Picture, axes: Sequence[str], windows: Windows) -> tuple[str, ...]:
    """Return the names of the picture's axes.

    Windows on the input share its axes. A hidden node has a height and width of its own, and a
    Dataset has one length per name, so over a node the picture's axes have names of their own.
    """
    if picture.shape[1:] == windows.shape:
        return ("channel", *axes)
    names = SPATIAL_AXES[-(picture.ndim - 1) :]
    return tuple(f"picture_{name}" for name in ("channel", *names))
