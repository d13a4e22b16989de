"""Several scans as the channels of one: T1.nii.gz+FLAIR.nii.gz."""

from pathlib import Path


def paths(source: str | Path) -> list[Path]:
    """Return the paths that a plus joins; none of what is the path of one file."""
    text = str(source)
    if "+" not in text or Path(text).exists():
        return []
    parts = [Path(part) for part in text.split("+")]
    return parts if all(part.name for part in parts) else []
