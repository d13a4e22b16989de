"""Results in the file formats of other programs."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from preddiff.errors import SettingError
from preddiff.media import maps, ours
from preddiff.media.atomic import atomic_write
from preddiff.render.maps import DEFAULT_MAP, Shown, map_named
from preddiff.results.explanation import Explanation
from preddiff.results.interactions import Interactions

_DPI = 150


def export(
    explanation: Explanation | Sequence[Explanation],
    path: str | Path,
    map: str = DEFAULT_MAP,  # noqa: A002 - the word for it everywhere
) -> Path:
    """Write a result for another program, in the format that the ending of `path` says.

    .png is the figure, .npz the arrays for numpy, .nc all arrays and the provenance as netCDF, .nii
    and .nii.gz the map on the grid of the scan (several targets along the fourth axis). Only a
    figure can show several explanations.

    Parameters
    ----------
    map : "relevance" or "importance": what figures and scans show. Arrays are always all there.

    Raises
    ------
    SettingError
        If the ending is unknown, there is no such map, or a NIfTI file is asked for of an input
        that is not a scan.
    ResultError
        If the file cannot be written, or would replace one that this package did not write.
    """
    path = Path(path)
    ending = next((ending for ending in _WRITERS if path.name.endswith(ending)), None)
    if ending is None:
        raise SettingError(
            f"{path}: unknown ending {path.suffix!r}; expected one of {', '.join(_WRITERS)}"
        )
    if not isinstance(explanation, Explanation) and ending != ".png":
        raise SettingError(
            f"{path}: only a .png can show several explanations; export each by itself"
        )
    chosen = map_named(map)
    check_destination(path)
    with atomic_write(path) as written:
        if isinstance(explanation, Explanation):
            _WRITERS[ending](explanation, written, chosen)
        else:
            _png(explanation, written, chosen)
    return path


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
        _png(interactions, written, map_named(DEFAULT_MAP))
    return path


def _png(
    explanation: Explanation | Sequence[Explanation] | Interactions, path: Path, chosen: Shown
) -> None:
    from preddiff.render.figures import figure

    figure(explanation, chosen.name).savefig(path, dpi=_DPI, metadata=_texts(explanation))


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


def _npz(explanation: Explanation, path: Path, chosen: Shown) -> None:  # noqa: ARG001
    arrays = {str(name): values.values for name, values in explanation.data.variables.items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _netcdf(explanation: Explanation, path: Path, chosen: Shown) -> None:  # noqa: ARG001
    # netCDF has no type for truth values: they become 0 and 1.
    explanation.data.assign_attrs(
        {n: int(v) if isinstance(v, bool) else v for n, v in explanation.provenance.items()}
    ).to_netcdf(path, engine="scipy")


def _nifti(explanation: Explanation, path: Path, chosen: Shown) -> None:
    if explanation.grid is None:
        raise SettingError(
            f"{explanation.provenance['input']} has no affine: NIfTI is for scans; explain the "
            "file itself, or export to npz"
        )
    values = chosen.of(explanation).values
    maps.write(values[0] if len(values) == 1 else values, explanation.grid, path)


_WRITERS: dict[str, Callable[[Explanation, Path, Shown], None]] = {
    ".png": _png,
    ".npz": _npz,
    ".nc": _netcdf,
    **dict.fromkeys(maps.MAP_EXTENSIONS, _nifti),
}
_OURS = {".png": ours.is_figure, ".npz": ours.is_arrays, ".nc": ours.is_netcdf}
