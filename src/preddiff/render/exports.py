"""Results in the file formats of other programs."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from preddiff.errors import SettingError, suggests_keywords
from preddiff.media import maps, ours
from preddiff.media.atomic import atomic_write
from preddiff.render.beside import Beside
from preddiff.render.figures import figure
from preddiff.render.maps import DEFAULT_MAP, Shown, map_named
from preddiff.render.outlines import figure_of_regions
from preddiff.render.strips import DEFAULT_THRESHOLD
from preddiff.results.explanation import Explanation
from preddiff.results.interactions import Interactions
from preddiff.types import Labels

DPI = 150
"""Dots per inch of figures, .png."""


@suggests_keywords
def export(
    explanation: Explanation | Sequence[Explanation],
    path: str | Path,
    map: str = DEFAULT_MAP,  # noqa: A002 - the word for it everywhere
    *,
    target: str | None = None,
    outside: float = math.nan,
    slices: Sequence[str] = (),
    threshold: float = DEFAULT_THRESHOLD,
    beside: Beside = None,
) -> Path:
    """Write a result for another program, in the format that the ending of `path` says.

    .png, .pdf and .svg are the figure, .npz the arrays for numpy, .nc all arrays and the provenance
    as netCDF, .nii and .nii.gz the map on the grid of the scan (several targets along the fourth
    axis). Only a figure can show several explanations.

    Parameters
    ----------
    map : "relevance" or "importance": what figures and scans show. Arrays are always all there.
    target : label of the only one that is written; None for all.
    outside : of .nii and .nii.gz, the value of voxels that no window covers.
    slices, threshold, beside : of figures, as of `figure`.

    Raises
    ------
    SettingError
        If the ending is unknown, there is no such map, or a NIfTI file is asked for of an input
        that is not a scan.
    ResultError
        If the file cannot be written, or would replace one that this package did not write.
    """
    path = Path(path)
    ending = next((ending for ending in _ENDINGS if path.name.endswith(ending)), None)
    if ending is None:
        raise SettingError(
            f"{path}: unknown ending {path.suffix!r}; expected one of {', '.join(_ENDINGS)}"
        )
    if not isinstance(explanation, Explanation) and ending not in _FIGURES:
        raise SettingError(
            f"{path}: only a figure (.png, .pdf, .svg) can show several explanations; export each "
            "by itself"
        )
    chosen = map_named(map)
    if target is not None:
        several = [explanation] if isinstance(explanation, Explanation) else explanation
        only = [_only(each, target) for each in several]
        explanation = only[0] if isinstance(explanation, Explanation) else only
    check_destination(path)
    with atomic_write(path) as written:
        if ending in _FIGURES:
            drawn = figure(
                explanation, chosen.name, slices=slices, threshold=threshold, beside=beside
            )
            _draw(drawn, explanation, written, ending)
        elif ending in _ARRAYS:
            _ARRAYS[ending](explanation, written)  # type: ignore[arg-type]
        else:
            _nifti(explanation, written, chosen, outside)  # type: ignore[arg-type]
    return path


def _only(explanation: Explanation, target: str) -> Explanation:
    """Return an explanation of one of its targets."""
    if target not in explanation.labels:
        raise SettingError(
            f"target={target!r}: expected one of the result's, {', '.join(explanation.labels)}"
        )
    row = explanation.labels.index(target)
    return Explanation(explanation.data.isel(target=[row]))


def check_destination(path: Path) -> None:
    """Raise a ResultError if a file exists there that this package did not write."""
    for ending, is_ours in _OURS.items():
        if path.name.endswith(ending):
            ours.check_destination(path, is_ours)
    if path.name.endswith(maps.MAP_EXTENSIONS):
        maps.check_destination(path)


def export_figure(interactions: Interactions, path: Path) -> Path:
    """Write the figure of interactions as .png.

    Raises
    ------
    ResultError
        If the file cannot be written, or would replace one that this package did not write.
    """
    check_destination(path)
    with atomic_write(path) as written:
        _draw(figure(interactions), interactions, written, ".png")
    return path


def export_outlines(explanation: Explanation, labels: Labels, path: Path) -> Path:
    """Write the outlines and numbers of regions (y, x) over a picture as .png.

    Raises
    ------
    ResultError
        If the file cannot be written, or would replace one that this package did not write.
    """
    check_destination(path)
    with atomic_write(path) as written:
        drawn = figure_of_regions(explanation.picture.values, labels)
        _draw(drawn, explanation, written, ".png")
    return path


def _draw(
    drawn: Figure,
    shown: Explanation | Sequence[Explanation] | Interactions,
    path: Path,
    ending: str,
) -> None:
    facts: dict[str, str | None] = {**_texts(shown)}
    # Vector files say when they were made, unless told otherwise: one result would give many.
    if ending != ".png":
        date = "CreationDate" if ending == ".pdf" else "Date"
        facts = {"Creator": ours.SIGN, "Title": facts["Title"], date: None}
    drawn.savefig(path, format=ending[1:], dpi=DPI, metadata=facts)


def _texts(shown: Explanation | Sequence[Explanation] | Interactions) -> dict[str, str]:
    """Return what a figure's file says of it: so that a figure by itself tells where it is from."""
    several = [shown] if isinstance(shown, Explanation | Interactions) else list(shown)

    def each(name: str) -> str:
        return _listed(str(result.provenance.get(name, "")) for result in several)

    targets = _listed(label for result in several for label in result.labels)
    texts = {
        "Title": f"{targets} in {each('input')}",
        "Model": each("model"),
        "Target": targets,
        "Sampler": each("sampler"),
        "Seed": each("seed"),
        "Version": each("preddiff_version"),
    }
    return {"Software": ours.SIGN, **{name: text for name, text in texts.items() if text}}


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(filter(None, dict.fromkeys(texts)))


def _npz(explanation: Explanation, path: Path) -> None:
    arrays = {str(name): values.values for name, values in explanation.data.variables.items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _netcdf(explanation: Explanation, path: Path) -> None:
    # netCDF has no type for truth values: they become 0 and 1.
    explanation.data.assign_attrs(
        {n: int(v) if isinstance(v, bool) else v for n, v in explanation.provenance.items()}
    ).to_netcdf(path, engine="scipy")


def _nifti(explanation: Explanation, path: Path, chosen: Shown, outside: float) -> None:
    if explanation.grid is None:
        raise SettingError(
            f"{explanation.provenance['input']} has no affine: NIfTI is for scans; explain the "
            "file itself, or export to npz"
        )
    values = chosen.of(explanation).values
    values = np.where(np.isnan(values), outside, values)
    maps.write(values[0] if len(values) == 1 else values, explanation.grid, path)


_FIGURES = (".png", ".pdf", ".svg")
_ARRAYS: dict[str, Callable[[Explanation, Path], None]] = {".npz": _npz, ".nc": _netcdf}
_ENDINGS = (*_FIGURES, *_ARRAYS, *maps.MAP_EXTENSIONS)
_OURS = {
    ".png": ours.is_figure,
    ".pdf": ours.is_vector_figure,
    ".svg": ours.is_vector_figure,
    ".npz": ours.is_arrays,
    ".nc": ours.is_netcdf,
}
