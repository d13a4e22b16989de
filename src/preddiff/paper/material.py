"""Networks and pictures that the figures are made of."""

import csv
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from preddiff.errors import InputError
from preddiff.models import load_model
from preddiff.models.network import Network

GOOGLENET = "bvlc_googlenet.onnx"
NETWORKS = {"GoogLeNet": GOOGLENET, "SqueezeNet": "squeezenet.onnx", "EfficientNet-Lite0": None}
"""Networks by name, and their file in the folder; None is the embedded one."""


@dataclass(frozen=True)
class Material:
    """A folder with models/*.onnx and images/imagenet/images.csv beside its pictures.

    Attributes
    ----------
    folder : where they are.
    seed : of all draws.
    hurry : makes windows fewer by its square, for a first look; 1 is what the figures are meant
        to be.
    """

    folder: Path
    seed: int = 0
    hurry: int = 1
    _loaded: dict[str, Network] = field(default_factory=dict, repr=False)

    def network(self, name: str) -> Network:
        """One of `NETWORKS`.

        Raises
        ------
        InputError
            If its file is not in the folder.
        """
        file = NETWORKS[name]
        if file is not None and not (self.folder / "models" / file).exists():
            raise InputError(
                f"{self.folder / 'models' / file}: not there, but the figures are made with it; "
                "say with --data where models/ and images/imagenet/ are"
            )
        if name not in self._loaded:
            spec = "embedded" if file is None else str(self.folder / "models" / file)
            loaded = load_model(spec)
            if not isinstance(loaded, Network):
                raise InputError(f"{spec}: expected a network")
            self._loaded[name] = loaded
        return self._loaded[name]

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """What images.csv says of the pictures: file, class_index, label, ..."""
        path = self.folder / "images" / "imagenet" / "images.csv"
        try:
            with path.open(encoding="utf-8", newline="") as file:
                return list(csv.DictReader(file))
        except FileNotFoundError:
            raise InputError(
                f"{path}: not there; say with --data where models/ and images/imagenet/ are"
            ) from None

    def picture(self, name: str) -> Path:
        """The picture whose file name ends in a name, e.g. "African_elephant"."""
        for row in self.rows:
            if Path(row["file"]).stem.endswith(name):
                return self.folder / "images" / "imagenet" / row["file"]
        raise InputError(f"{self.folder}: no picture {name!r} in images/imagenet/images.csv")

    def true_class(self, picture: Path) -> int:
        """The number of the class that a picture is said to be of."""
        return int(next(row["class_index"] for row in self.rows if row["file"] == picture.name))
