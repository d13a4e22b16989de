"""A seed: sound files that are read together, to be damaged."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Seed:
    """Files that are read together.

    Attributes
    ----------
    files : their content, by path.
    target : the path that a reader is given; of a folder, none of the files.
    """

    files: dict[str, bytes]
    target: str

    @property
    def damageable(self) -> list[str]:
        """Paths of the files that make up the target, or stand beside it."""
        return [name for name in self.files if not name.startswith("beside/")]


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, by path."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
