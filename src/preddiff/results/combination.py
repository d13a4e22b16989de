"""One explanation of several, by windows of different sizes: the mean of their maps."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import xarray as xr

from preddiff.method import uncertainty
from preddiff.results.explanation import Explanation
from preddiff.types import Integers, Relevance

_ERRORS = {"relevance": "standard_error", "importance": "importance_error"}
_SUMMED = ("sets", "windows", "evaluations", "seconds")


def combined(parts: Sequence[Explanation]) -> Explanation:
    """Return one explanation of several that differ in the size of their windows.

    Every size counts alike, whatever the number of its windows; a pixel has the mean of the sizes
    that cover it. The draws of different sizes are independent, and so are their errors.
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0].data
    data = first.drop_dims({"window", "set"}.intersection(first.dims))
    for name, error in _ERRORS.items():
        values, errors = mean_of_sizes(
            [each.data[name].values for each in parts], [each.data[error].values for each in parts]
        )
        data = data.assign(
            {name: first[name].copy(data=values), error: first[error].copy(data=errors)}
        )
    for name in parts[0].baselines:
        maps = np.stack([each.data[name].values for each in parts])
        data = data.assign({name: first[name].copy(data=maps.mean(axis=0))})
    cubes = all((each.window_sizes == each.window_sizes[:, :1]).all() for each in parts)
    coverage = np.sum([each.coverage.values for each in parts], axis=0)
    of_windows = [
        each.data[["evidence", "evidence_error", "window_start"]].assign(
            window_length=_lengths("window", each.window_sizes, whole=cubes)
        )
        for each in parts
    ]
    data = data.assign(coverage=first["coverage"].copy(data=coverage)).merge(
        xr.concat(of_windows, "window", data_vars="minimal", coords="minimal", compat="override")
    )
    if all("set_evidence" in each.data for each in parts):
        data = data.assign(_of_sets(parts, cubes=cubes).variables)
    covered = coverage > 0
    relative = uncertainty.relative_error(
        data["relevance"].values, data["standard_error"].values, covered
    )
    facts = {
        **{name: fact(name, [each.data.attrs[name] for each in parts]) for name in first.attrs},
        "relative_error": relative if np.isfinite(relative) else "",
    }
    return Explanation(data.assign_attrs(facts))


def _of_sets(parts: Sequence[Explanation], *, cubes: bool) -> xr.Dataset:
    """Return the evidence of the random sets of all sizes, and the length of each one's windows."""
    counts = [each.data.sizes["set"] for each in parts]
    sizes = np.repeat([each.window_sizes[0] for each in parts], counts, axis=0)
    joined = xr.concat([each.data["set_evidence"] for each in parts], "set", coords="minimal")
    lengths = _lengths("set", sizes, whole=cubes)
    return xr.Dataset({"set_evidence": joined, "set_window_length": lengths})


def _lengths(
    name: str, sizes: Annotated[Integers, "row axis"], *, whole: bool
) -> tuple[tuple[str, ...], Integers]:
    """Return one length of each window where all are cubes (`whole`), else one for each axis."""
    return ((name,), sizes[:, 0]) if whole else ((name, "axis"), sizes)


def mean_of_sizes(
    maps: Sequence[Relevance], errors: Sequence[Relevance]
) -> tuple[Relevance, Relevance]:
    """Return the mean of the maps (t, *shape) that have a value at a pixel, and its error."""
    values, known = np.stack(maps), np.isfinite(np.stack(maps))
    count = known.sum(axis=0)

    def over(total: Relevance) -> Relevance:
        return np.asarray(
            np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        )

    variance = np.where(known, np.stack(errors) ** 2, 0).sum(axis=0)
    return over(np.where(known, values, 0).sum(axis=0)), over(np.sqrt(variance))


def fact(name: str, values: Sequence[Any]) -> Any:
    """Return an attribute of the whole: one value where all have it, else their sum or a list."""
    if name in _SUMMED and all(value != "" for value in values):
        return sum(values)
    if name == "partial":
        return any(values)
    if name == "seed":
        return values[0]
    if name == "samples":
        return max(values)
    texts = list(dict.fromkeys(str(value) for value in values))
    return values[0] if len(texts) == 1 else ", ".join(texts)
