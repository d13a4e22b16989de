"""Small facts that are kept between runs, in the user's cache folder.

One file for each thing that facts are of: two programs never write to one file of two things, and
of one thing the last one counts. Whatever cannot be read, or is not ours, is as if it were not
there; whatever cannot be written is not kept.
"""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

from preddiff.errors import PreddiffError
from preddiff.media.atomic import atomic_write

FOLDER_VARIABLE = "PREDDIFF_CACHE"
"""Environment variable with the folder of what is kept; an empty one keeps nothing."""

_PACKAGES = ("preddiff", "torch", "onnxruntime", "numba")
_MOST_BYTES = 1 << 16
_MOST_FILES = 256


def read(about: Mapping[str, object]) -> dict[str, object]:
    """Return the facts that are kept of something on this machine; none are an empty mapping.

    Parameters
    ----------
    about : names and values that say what it is, such as a model's fingerprint. The machine and
        the versions of packages are added to them.
    """
    key = _complete(about)
    path = _path(key)
    with suppress(OSError, ValueError, RecursionError):
        if path is not None and path.is_file() and path.stat().st_size <= _MOST_BYTES:
            content = json.loads(path.read_bytes())
            if isinstance(content, dict) and content.get("about") == key:
                facts = content.get("facts")
                return facts if isinstance(facts, dict) else {}
    return {}


def write(about: Mapping[str, object], facts: Mapping[str, object]) -> None:
    """Keep facts, plain numbers and text, in place of those that were kept of the same thing."""
    key = _complete(about)
    path = _path(key)
    if path is None:
        return
    with suppress(OSError, PreddiffError):
        with atomic_write(path) as file:
            file.write_text(json.dumps({"about": key, "facts": dict(facts)}, indent=1))
        _forget_oldest(path.parent)


def folder() -> Path | None:
    """Return the folder of what is kept; None where nothing is."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    try:
        return _users_caches() / "preddiff"
    except RuntimeError:  # a user without a home
        return None


def _users_caches() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    named = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says that a relative path there is to be ignored.
    return Path(named) if Path(named).is_absolute() else Path.home() / ".cache"


def _path(key: Mapping[str, str]) -> Path | None:
    at = folder()
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return None if at is None else at / f"{name[:32]}.json"


def _complete(about: Mapping[str, object]) -> dict[str, str]:
    """Return what facts are of, as text, with the machine and the versions of packages."""
    return {name: str(value) for name, value in about.items()} | _surroundings()


@cache
def _surroundings() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "Python": sys.version,
        **versions,
    }


def _processor() -> str:
    """Return the processor's name; Linux has it in a file only."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return f"{platform.machine()} {value.strip()}"
    return f"{platform.machine()} {platform.processor()}"


def _forget_oldest(at: Path) -> None:
    """Remove what was written longest ago, where there is much."""
    files = [(path.stat().st_mtime, path) for path in at.glob("*.json")]
    for _, path in sorted(files)[:-_MOST_FILES]:
        path.unlink(missing_ok=True)
