"""A result as one file: its folder in a zip archive, NAME.zarr.zip."""

import json
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from preddiff.errors import ResultError
from preddiff.media.archives import check_archive
from preddiff.media.reading import check_file, failures_as

ENDING = ".zarr.zip"

_LONGEST_ATTRIBUTES = 1 << 20  # bytes
_MOST_PARTS = 2  # of a member's name: an array and its chunk


def is_archive(path: Path) -> bool:
    """Return whether a path is named as a result in one file."""
    return path.name.lower().endswith(ENDING)


def pack(folder: Path, path: Path) -> None:
    """Write a folder as an archive; its chunks are compressed, and are not again."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                # Without the time of writing: the same result is the same file.
                name = file.relative_to(folder).as_posix()
                archive.writestr(zipfile.ZipInfo(name), file.read_bytes())


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield a folder, which lasts as long as the block, with what an archive holds.

    Raises
    ------
    ResultError
        If it is no archive, would take more memory than it may, or holds anything but plain files
        of a group.
    """
    check_file(path, ResultError, "a result")
    with tempfile.TemporaryDirectory(prefix="preddiff-") as made:
        folder = Path(made) / path.name.removesuffix(".zip")
        folder.mkdir()
        with (
            failures_as(lambda why: ResultError(f"{path}: not a result in one file ({why})")),
            path.open("rb") as file,
        ):
            check_archive(path, file, ResultError)
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    _extract(archive, member, folder)
        yield folder


def attributes(path: Path) -> object:
    """Return the attributes of a result in one file; a ResultError where there are none."""
    check_file(path, ResultError, "a result")
    with (
        failures_as(lambda why: ResultError(f"{path}: not a result in one file ({why})")),
        zipfile.ZipFile(path) as archive,
        archive.open(".zattrs") as file,
    ):
        return json.loads(file.read(_LONGEST_ATTRIBUTES))


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """Write a member below a folder: only one that a group can have."""
    parts = PurePosixPath(member.filename).parts
    kind = stat.S_IFMT(member.external_attr >> 16)
    plain = kind in {0, stat.S_IFREG} and not member.is_dir()
    named = 1 <= len(parts) <= _MOST_PARTS and not {"/", "..", "."}.intersection(parts)
    if not (plain and named) or "\\" in member.filename or ":" in member.filename:
        raise ValueError(f"{member.filename!r:.60} is no file of a result")
    target = folder.joinpath(*parts)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(archive.read(member))
