"""VolumeFolder: volumes on one grid."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError
from preddiff.media import volumes


class VolumeFolder:
    """Arrays (1, z, y, x) of the volumes in a folder and the folders below it, sorted by path; or
    of those that are named.

    They are read anew whenever somebody goes through them, so that memory holds one at a time.

    Attributes
    ----------
    paths : of the volumes.
    grid : of all of them, the first one's.

    Raises
    ------
    InputError
        If there are none; and on the way, if one lies on another grid or cannot be read.
    """

    def __init__(self, source: str | Path | Sequence[Path]) -> None:
        self.paths = volumes.find(source) if isinstance(source, str | Path) else list(source)
        self.grid = volumes.read(self.paths[0]).grid

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        for path in self.paths:
            volume = volumes.read(path)
            if not volume.grid.is_like(self.grid):
                raise InputError(
                    f"{path}: a volume of {volume.grid}: expected that of the first, {self.grid}; "
                    "resample it first"
                )
            yield volume.values
