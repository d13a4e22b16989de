"""The sampler that a classifier of scans was fitted with: a file beside it, known by its hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, Self, TypedDict

from preddiff.errors import ModelError

_CURE = "fit both anew with `preddiff classify fit --reference`, or name a sampler"


class SamplerFacts(TypedDict):
    """Plain texts in a classifier's file on the sampler that was fitted with it."""

    file: str
    sha256: str
    reference: str
    covariates: NotRequired[list[str]]


@dataclass(frozen=True)
class Remembered:
    """A file of a `Cohort`, in the folder of the classifier that remembers it.

    Attributes
    ----------
    path : of the file.
    sha256 : of its bytes, when the classifier was fitted.
    reference : the group of its scans, such as "group=control".
    covariates : names of those that it was fitted with, such as "age".
    """

    path: Path
    sha256: str
    reference: str
    covariates: tuple[str, ...] = ()

    @classmethod
    def of_file(cls, path: Path, reference: str, covariates: tuple[str, ...] = ()) -> Self:
        """Return what there is to remember of a file that was just written."""
        return cls(path, _sha256(path), reference, covariates)

    @classmethod
    def of_facts(cls, facts: Mapping[str, object], folder: Path) -> Self:
        """Return what a classifier in a folder remembers.

        Raises
        ------
        ValueError
            If the facts are not those of a file in the same folder.
        """
        file, sha256, reference = (str(facts[name]) for name in ("file", "sha256", "reference"))
        if not file or Path(file).name != file:
            raise ValueError(f"its sampler {file!r} is no name of a file beside it")
        named = facts.get("covariates", [])
        covariates = tuple(map(str, named)) if isinstance(named, list) else ()
        return cls(folder / file, sha256, reference, covariates)

    @property
    def facts(self) -> SamplerFacts:
        """Plain texts, as a classifier's file keeps them."""
        return {
            "file": self.path.name,
            "sha256": self.sha256,
            "reference": self.reference,
            "covariates": list(self.covariates),
        }

    def spec(self, model: str) -> str:
        """Return the sampler's SPEC, once its file was found to be the same.

        Parameters
        ----------
        model : the classifier's name, for messages.

        Raises
        ------
        ModelError
            If the file is not there, or is another.
        """
        if not self.path.is_file():
            raise ModelError(
                f"{self.path}: the sampler that {model} was fitted with is not there: expected it "
                f"beside the model; {_CURE}"
            )
        if _sha256(self.path) != self.sha256:
            raise ModelError(
                f"{self.path}: is not the sampler that {model} was fitted with, its sha256 "
                f"differs; {_CURE}"
            )
        return f"cohort:{self.path}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
