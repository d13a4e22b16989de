"""Results on disk: Zarr groups as docs/format.md specifies them. Nothing here unpickles."""

import json
import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from preddiff.errors import ResultError
from preddiff.media.atomic import atomic_write
from preddiff.media.grid import affine_problem
from preddiff.media.input import Input
from preddiff.media.orientation import ORIENTATION_FIELDS
from preddiff.media.reading import failures_as, read_text
from preddiff.media.staging import clear_abandoned
from preddiff.results import archive
from preddiff.results.chunks import check_group
from preddiff.results.content import ATTRIBUTE, content_sha256
from preddiff.results.explanation import Explanation, lengths_of

FORMAT = 1
"""Version of the format, attribute `preddiff_format` of every result."""

# Dims of the required variables, as docs/format.md has them; "spatial" is all axes of a map.
# Those of `picture` are not here: over a hidden node they have names of their own.
_REQUIRED_DIMS = {
    "relevance": ("target", "spatial"),
    "standard_error": ("target", "spatial"),
    "prediction": ("target",),
    "evidence": ("target", "window"),
    "evidence_error": ("target", "window"),
    "window_start": ("window", "axis"),
    "target": ("target",),
    "label": ("target",),
    "axis": ("axis",),
}
# Attributes that figures and pages rely on.
_ATTRIBUTES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("input", "model", "sampler", "unit", "preddiff_version"), (str,)),
    **dict.fromkeys(("samples", "windows"), (int, float)),
    **dict.fromkeys(("tolerance", "relative_error"), (int, float, str)),
}
_REQUIRED = frozenset({"coverage", "picture", *_REQUIRED_DIMS})
# Maps that older results do not have; newer ones have both.
_IMPORTANCE = ("importance", "importance_error")
# Of results about regions.
_REGIONS = ("regions", "region_number")
_ATTEMPTS = 10  # to read a result that is being replaced
_TEXTS = frozenset({"label", "axis"})
# Name, label and sign of the baselines that older results may hold without saying so.
_OLD_BASELINES = {
    "sensitivity": ("sensitivity", 0),
    "integrated_gradients": ("integrated gradients", 1),
    "grad_cam": ("Grad-CAM", 0),
    "occlusion": ("occlusion", 1),
}


def save(explanation: Explanation, path: str | Path) -> Path:
    """Write a result as a Zarr group, which `load` and `xarray.open_zarr` read.

    A path that ends with .zarr.zip gets the same in one file. Folder or file appears complete or
    not at all. An earlier result at `path` is replaced; anything else is left alone.

    Raises
    ------
    ResultError
        If the folder cannot be written, or `path` exists and is not a result.
    """
    path = Path(path)
    check_destination(path)
    facts = {"preddiff_format": FORMAT, ATTRIBUTE: content_sha256(explanation.data)}
    data = explanation.data.assign_attrs(facts)
    if archive.is_archive(path):
        with tempfile.TemporaryDirectory(prefix="preddiff-") as made, atomic_write(path) as written:
            _write(data, Path(made))
            archive.pack(Path(made), written)
    else:
        with atomic_write(path, folder=True) as written:
            _write(data, written)
    return path


def _write(data: xr.Dataset, folder: Path) -> None:
    # Version 2 of Zarr, because version 3 has no specified type for text yet.
    data.to_zarr(folder, zarr_format=2, consolidated=True)


def check_destination(path: Path) -> None:
    """Raise a ResultError if `path` exists and is not a result, so that no other work is lost."""
    if path.exists() and not _is_result(path):
        raise ResultError(f"{path}: exists and is not a result; remove it or choose another name")


def check_input(path: Path, source: Input) -> None:
    """Raise a ResultError if a result is that of another input, whose work would be lost.

    Parameters
    ----------
    source : as it was opened, before it is resampled.
    """
    facts = json.loads((path / ".zattrs").read_text())
    # Older results have no fingerprint, or none of what was resampled: there the name decides.
    of_source = facts.get("resampled_from_sha256") or facts.get("input_sha256")
    unknown = facts.get("resampled") and "resampled_from_sha256" not in facts
    if facts.get("input") == source.name and (unknown or of_source in {None, "", source.sha256}):
        return
    raise ResultError(
        f"{path}: the result of another input ({facts.get('input')}); remove it, choose another "
        "--output, or say --overwrite"
    )


def load(path: str | Path) -> Explanation:
    """Read a result that `save` wrote into memory.

    Another program may replace the result meanwhile: either the old or the new one is returned.

    Raises
    ------
    ResultError
        If there is none, or it is damaged, incomplete, of a newer format, or holds anything but
        plain numbers and text.
    """
    path = Path(path)
    if not path.exists():
        clear_abandoned(path.parent)  # a program that was killed while it replaced the result
    for _ in range(_ATTEMPTS - 1):
        folder = _identity(path)
        try:
            explanation = _read(path)
        except ResultError:
            if folder == _identity(path):
                raise
        else:
            if folder == _identity(path):
                return explanation
    return _read(path)


def _identity(path: Path) -> tuple[int, ...] | None:
    """Return what tells a folder from another that gets its name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_mtime_ns)


def _read(path: Path) -> Explanation:
    if not path.exists():
        raise ResultError(f"{path}: no such result; check the path")
    if not _is_result(path):
        raise ResultError(
            f"{path}: not a result of preddiff; expected a folder NAME.zarr, or NAME.zarr.zip"
        )
    if path.is_file():
        with archive.unpacked(path) as folder:
            try:
                return _read(folder)
            except ResultError as error:
                raise ResultError(str(error).replace(str(folder), str(path))) from None
    # Before xarray opens the file: opening already decodes coordinates.
    complete = check_group(path)
    logging.getLogger("asyncio").addFilter(_is_worth_logging)  # once, however often it is added
    with (
        failures_as(
            lambda why: ResultError(
                f"{path}: the result is damaged ({why}); run the analysis again"
            )
        ),
        # What they warn of, such as files that are no arrays, is refused below if it matters.
        warnings.catch_warnings(action="ignore"),
        xr.open_zarr(path, consolidated=False, chunks=None, zarr_format=2) as opened,
    ):
        data = opened.load()
        faults = "; ".join(_faults(data))
    if not complete and ATTRIBUTE in data.attrs and not faults:
        # Zarr would take the fill value for what is not there.
        same = data.attrs[ATTRIBUTE] == content_sha256(data)
        faults = "" if same else "parts of arrays are missing, as where it was copied too early"
    if faults:
        raise ResultError(f"{path}: not as docs/format.md says ({faults}); run the analysis again")
    return Explanation(_with_baselines(data))


def _is_worth_logging(record: logging.LogRecord) -> bool:
    """Return False for the arrays that zarr was still reading when another one failed.

    asyncio logs each with its traceback, at some later time; the failure itself is raised.
    """
    text = record.getMessage()
    return not ("exception was never retrieved" in text and "zarr" in text)


def _with_baselines(data: xr.Dataset) -> xr.Dataset:
    """Return a result with the list of its baselines, which older ones lack."""
    if "baselines" in data.attrs:
        return data
    found = {name: value for name, value in _OLD_BASELINES.items() if name in data}
    for name, (label, signed) in found.items():
        data[name].attrs.update(long_name=label, signed=signed)
    return data.assign_attrs(baselines=", ".join(found))


def _faults(data: xr.Dataset) -> Iterator[str]:
    """Yield what keeps a dataset from being a complete result, in words.

    A file that lacks an array, or has it along other axes, would load and fail much later, in a
    figure or a page. Lengths need no check: a Dataset has one length per dim.
    """
    missing = sorted(_REQUIRED.difference(data.variables))
    if missing:
        yield f"{', '.join(missing)} missing"
        return
    spatial = data["coverage"].dims
    for name, dims in _REQUIRED_DIMS.items():
        expected = tuple(axis for dim in dims for axis in (spatial if dim == "spatial" else (dim,)))
        if data[name].dims != expected:
            yield f"{name} has {_shape(data[name].dims)}, expected {_shape(expected)}"
    for name in sorted(_REQUIRED):
        kinds, expected_kind = ("U", "text") if name in _TEXTS else ("fiu", "numbers")
        if data[name].dtype.kind not in kinds:
            yield f"{name} holds {data[name].dtype}, expected {expected_kind}"
        elif name in _TEXTS:
            for text in data[name].values:
                str(text).encode()  # what is no text raises here, and not in a page
        elif not data[name].size:
            yield f"{name} is empty"
    if tuple(data["axis"].values) != spatial:
        yield f"axis names {_shape(data['axis'].values)}, expected {_shape(spatial)}"
    if data["picture"].ndim < 2:
        yield f"picture has {_shape(data['picture'].dims)}, expected a channel and spatial axes"
    elif not np.isfinite(data["picture"].values).all():
        yield "picture has values that are NaN or infinite"
    yield from _range_faults(data)
    yield from _attribute_faults(data)
    yield from _optional_faults(data)


def _range_faults(data: xr.Dataset) -> Iterator[str]:
    """Yield which arrays have finite values that float32 has not: maps in files and pages do."""
    largest = float(np.finfo(np.float32).max)
    for name, array in data.variables.items():
        finite = array.values[np.isfinite(array.values)] if array.dtype.kind == "f" else ()
        if len(finite) and np.abs(finite).max() > largest:
            yield f"{name} has values beyond {largest:.2g}"


def _attribute_faults(data: xr.Dataset) -> Iterator[str]:
    """Yield which attributes are missing, or not of the type that readers rely on."""
    for name, kinds in _ATTRIBUTES.items():
        value = data.attrs.get(name)
        if not isinstance(value, kinds) or isinstance(value, bool):
            yield f"attribute {name} is {value!r:.60}, expected {_named(kinds)}"
    for name, value in data.attrs.items():
        if isinstance(value, str):
            value.encode()
        elif not isinstance(value, int | float | list):
            yield f"attribute {name} is no number or text"
    window = data.attrs.get("window")
    if "window_length" not in data and (
        not lengths_of(window) and window not in ("unit", "channel")
    ):
        yield f"attribute window is {window!r:.60}, expected a length"


def _optional_faults(data: xr.Dataset) -> Iterator[str]:
    """Yield what is wrong with maps that not every result has, and with a scan's affine."""
    maps = [name for name in _IMPORTANCE if name in data]
    if maps and len(maps) < len(_IMPORTANCE):
        yield f"{maps[0]} is there without {', '.join(set(_IMPORTANCE).difference(maps))}"
    for name in [*maps, *filter(None, str(data.attrs.get("baselines", "")).split(", "))]:
        if name not in data or data[name].dims != ("target", *data["coverage"].dims):
            yield f"{name} is no map on the axes of relevance"
        elif data[name].dtype.kind not in "fiu":
            yield f"{name} holds {data[name].dtype}, expected numbers"
    if "window_length" in data:
        lengths = data["window_length"]
        known = lengths.dims in (("window",), ("window", "axis"))
        if not known or lengths.dtype.kind not in "iu" or (lengths < 1).any():
            yield "window_length holds no length for each window"
    regions = [name for name in _REGIONS if name in data]
    if regions and len(regions) < len(_REGIONS):
        yield f"{regions[0]} is there without {', '.join(set(_REGIONS).difference(regions))}"
    for name in regions:
        expected = data["coverage"].dims if name == "regions" else ("window",)
        if data[name].dims != expected or data[name].dtype.kind not in "iu":
            yield f"{name} is no array of whole numbers with {_shape(expected)}"
    yield from _set_faults(data)
    if "affine" not in data:
        return
    affine = data["affine"]
    if data["coverage"].ndim != 3 or affine.shape != (4, 4) or affine.dtype.kind not in "fiu":
        yield "affine is not 4×4 of a scan"
    elif problem := affine_problem(affine.values):
        yield problem
    for name, value in affine.attrs.items():
        if name not in ORIENTATION_FIELDS or not _plain_numbers(value):
            yield f"attribute {name} of affine is no field of orientation"


def _set_faults(data: xr.Dataset) -> Iterator[str]:
    """Yield what is wrong with the evidence of random sets of windows, where there is any."""
    kinds: dict[str, tuple[list[tuple[str, ...]], str]] = {
        "set_evidence": ([("target", "set")], "fiu"),
        "set_window_length": ([("set",), ("set", "axis")], "iu"),
    }
    for name, (known, kind) in kinds.items():
        if name in data and (data[name].dims not in known or data[name].dtype.kind not in kind):
            yield f"{name} is no array of numbers with {_shape(known[0])}"


def _plain_numbers(value: object) -> bool:
    several = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(each, int | float) for each in np.asarray(several).ravel().tolist())


def _named(kinds: tuple[type, ...]) -> str:
    return " or ".join("text" if kind is str else "a number" for kind in kinds if kind is not int)


def _shape(dims: Iterable[object]) -> str:
    return f"({', '.join(map(str, dims))})"


def _is_result(path: Path) -> bool:
    """Return whether this is a group with our attribute, in a format that this version reads."""
    try:
        if path.is_file() and archive.is_archive(path):
            attributes = archive.attributes(path)
        else:
            attributes = json.loads(read_text(path / ".zattrs", ResultError, "a result", 1 << 20))
    except (ValueError, RecursionError):  # a ResultError is a ValueError
        return False
    version = attributes.get("preddiff_format") if isinstance(attributes, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise ResultError(
            f"{path}: format {version}, this version reads up to {FORMAT}; upgrade preddiff"
        )
    return isinstance(version, int)
