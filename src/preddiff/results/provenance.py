"""Where and when a result was made, and with what."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata


def environment() -> dict[str, str]:
    """Version, libraries, machine and date; nothing that identifies a person or a folder."""
    return {
        "preddiff_version": metadata.version("preddiff"),
        "libraries": ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "numpy")),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
