"""The versions, the machine and the date that a result was made with."""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata

_WHERE_INSTALLED = ("torch", "numpy")
# Others that numbers may depend on, by what they are imported as: named where a program has them.
_WHERE_IMPORTED = {
    "scipy": "scipy",
    "numba": "numba",
    "PIL": "Pillow",
    "torchvision": "torchvision",
    "timm": "timm",
    "onnx2torch": "onnx2torch",
    "onnxruntime": "onnxruntime",
    "sklearn": "scikit-learn",
    "skops": "skops",
    "nibabel": "nibabel",
    "nilearn": "nilearn",
    "pydicom": "pydicom",
    "skimage": "scikit-image",
    "cv2": "OpenCV",
    "captum": "captum",
}


def _installed() -> Iterator[tuple[str, str]]:
    """Yield names and versions of what is named wherever it is installed."""
    for name in _WHERE_INSTALLED:
        with suppress(metadata.PackageNotFoundError):
            yield name, metadata.version(name)


def environment() -> dict[str, str]:
    """Return versions, machine and date, as attributes of a result.

    Results are mailed and published, so there is neither a user, host nor folder name among them.
    """
    imported = {
        name: str(version)
        for module, name in _WHERE_IMPORTED.items()
        if (version := getattr(sys.modules.get(module), "__version__", None))
    }
    versions = {
        **dict(_installed()),
        **imported,
        "Python": platform.python_version(),
    }
    return {
        "preddiff_version": metadata.version("preddiff"),
        "libraries": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
