"""Interactions of regions: what an analysis of pairs makes, and figures and files hold."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np

from preddiff.errors import ResultError, printable
from preddiff.media import ours
from preddiff.media.archives import read_arrays
from preddiff.media.atomic import atomic_write
from preddiff.media.grid import Grid, affine_problem
from preddiff.media.input import Input
from preddiff.media.reading import failures_as
from preddiff.types import Floats, Integers, Labels, PerTarget, Pixels

RegionMatrix = Annotated[Floats, "target region region"]
"""A number for each pair of regions, and for each region on the diagonal."""

FORMAT_OF_INTERACTIONS = 1
"""Version of the file's format; a reader refuses a higher one."""


FIRM = 2.0
"""Standard errors that an interaction has to be away from 0 to be pointed at."""


class Pair(NamedTuple):
    """The interaction of two regions, by their numbers, and its standard error."""

    one: int
    other: int
    interaction: float
    error: float


@dataclass(frozen=True, eq=False)
class Interactions:
    """Interactions of regions: the evidence of two hidden together minus that of each alone.

    Attributes
    ----------
    matrix : (target, region, region), symmetric. Off the diagonal interactions, above 0 where
        either region is enough and below 0 where both are needed; on it, each region's evidence.
    error : (target, region, region), their standard errors; NaN of one draw.
    numbers : (region,), the number of each region among the labels.
    regions : (*spatial), labels: the region that each pixel or voxel belongs to; 0 of none.
    picture : (channel, *spatial), the input as the model saw it.
    targets : (target,), numbers of classes or channels.
    labels : name of each target.
    prediction : (target,), values on the unperturbed input.
    affine : of a scan that says which side is left, 4×4 from a voxel (x, y, z, 1) to millimetres;
        empty (0, 0) of anything else.
    provenance : settings, cost and origin, as of an Explanation (docs/format.md).
    """

    matrix: RegionMatrix
    error: RegionMatrix
    numbers: Annotated[Integers, "region"]
    regions: Labels
    picture: Pixels
    targets: Annotated[Integers, "target"]
    labels: tuple[str, ...]
    prediction: PerTarget
    affine: Annotated[Floats, "_world _voxel"]
    provenance: Mapping[str, Any]

    def __post_init__(self) -> None:
        # Labels and names may be strangers': terminals and figures get them safe.
        object.__setattr__(self, "labels", tuple(printable(text) for text in self.labels))
        safe = {
            printable(name): printable(value) if isinstance(value, str) else value
            for name, value in self.provenance.items()
        }
        object.__setattr__(self, "provenance", safe)

    @property
    def grid(self) -> Grid | None:
        """Position of a scan's voxels in the body; None where that is not known."""
        if not self.affine.size:
            return None
        z, y, x = self.regions.shape
        return Grid((z, y, x), self.affine)

    @property
    def unit(self) -> str:
        """Unit of matrix and error, such as bits."""
        return str(self.provenance["unit"])

    def strongest(self, target: int = 0) -> list[Pair]:
        """Return the pairs whose interaction is beyond two standard errors, the largest first.

        Parameters
        ----------
        target : position of the target in `labels`.
        """
        one, other = np.triu_indices(len(self.numbers), 1)
        values, errors = (each[target][one, other] for each in (self.matrix, self.error))
        firm = np.abs(values) > FIRM * errors  # no pair where errors are unknown
        order = np.argsort(-np.abs(values), kind="stable")
        return [
            Pair(
                int(self.numbers[one[n]]), int(self.numbers[other[n]]), float(values[n]),
                float(errors[n]),
            )
            for n in order[firm[order]]
        ]  # fmt: skip

    def save(self, path: str | Path) -> Path:
        """Write an .npz file, which `load` and numpy read.

        Raises
        ------
        ResultError
            If it cannot be written, or would replace a file of somebody else.
        """
        path = Path(path)
        ours.check_destination(path, ours.is_interactions)
        facts = json.dumps({**self.provenance, "preddiff_format": FORMAT_OF_INTERACTIONS})
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with atomic_write(path) as written, written.open("wb") as file:
            np.savez_compressed(
                file, labels=np.array(self.labels, dtype=np.str_), provenance=np.str_(facts),
                **arrays,
            )  # fmt: skip
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Interactions":
        """Read what `save` wrote; nothing is unpickled.

        Raises
        ------
        ResultError
            If there is no such file, or it is damaged, incomplete or of a newer format.
        """
        hint = "compute them again"
        arrays = read_arrays(path, ResultError, "interactions", hint)
        with failures_as(lambda why: ResultError(f"{path}: not interactions ({why}); {hint}")):
            facts = json.loads(str(arrays["provenance"]))
            if int(facts["preddiff_format"]) > FORMAT_OF_INTERACTIONS:
                raise ValueError(f"format {facts['preddiff_format']}, upgrade preddiff")
            found = {
                name: arrays[name].astype(kind, casting="safe") for name, kind in _ARRAYS.items()
            }
            labels = tuple(str(text) for text in arrays["labels"])
            loaded = cls(**found, labels=labels, provenance=facts)
            loaded._check()
        return loaded

    def _check(self) -> None:
        """Raise a ValueError unless the shapes of the arrays agree."""
        targets, count = len(self.labels), len(self.numbers)
        agree = (
            self.matrix.shape == self.error.shape == (targets, count, count)
            and self.regions.shape == self.picture.shape[1:]
            and self.targets.shape == self.prediction.shape == (targets,)
            and (self.affine.shape == (0, 0) or affine_problem(self.affine) is None)
            and np.isfinite(self.picture).all()
            and isinstance(self.provenance["unit"], str)
        )
        if not agree:
            raise ValueError("the shapes of its arrays do not agree")


def check_input(path: Path, source: Input) -> None:
    """Raise a ResultError if a file is of another input, whose work would be lost.

    Parameters
    ----------
    source : as it was opened, before it is resampled.
    """
    if not ours.is_interactions(path):
        return
    facts = Interactions.load(path).provenance
    if source.sha256 not in {facts.get("input_sha256"), facts.get("resampled_from_sha256")}:
        raise ResultError(
            f"{path}: of another input ({facts.get('input')}); remove it, choose another --output, "
            "or say --overwrite"
        )


_ARRAYS = {
    **dict.fromkeys(("matrix", "error", "prediction", "affine"), np.float64),
    **dict.fromkeys(("numbers", "regions", "targets"), np.int64),
    "picture": np.float32,
}
