"""The versions, the machine and the date that a result was made with."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata


def environment() -> dict[str, str]:
    """Return versions, machine and date, as attributes of a result.

    Results are mailed and published, so there is neither a user, host nor folder name among them.
    """
    return {
        "preddiff_version": metadata.version("preddiff"),
        "libraries": ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "numpy")),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
