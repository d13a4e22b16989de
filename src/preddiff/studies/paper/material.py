"""Networks and pictures that the figures are made of, and explanations of them."""

import csv
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError
from preddiff.media import images
from preddiff.models import load_model
from preddiff.models.networks.network import Network
from preddiff.pipeline.explain import explain
from preddiff.pipeline.progress import duration
from preddiff.results.explanation import Explanation
from preddiff.samplers import Marginal

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
    hurry : makes draws fewer by about its square, for a first look; 1 is what the figures are meant
        to be.
    say : told in a line what each explanation took.
    """

    folder: Path
    seed: int = 0
    hurry: int = 1
    say: Callable[[str], None] = lambda _: None
    _loaded: dict[str, Network] = field(default_factory=dict, repr=False)
    _made: dict[Hashable, Explanation] = field(default_factory=dict, repr=False)
    _pools: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)

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

    def seen(self, network: str, name: str) -> NDArray[np.float32]:
        """A picture as a network sees it, (channel, y, x)."""
        return self.network(network).prepare(images.read(self.picture(name)))

    def others(self, network: str, name: str) -> Marginal:
        """The marginal sampler of all pictures but one."""
        if network not in self._pools:
            names = [Path(row["file"]).stem for row in self.rows]
            self._pools[network] = np.stack([self.seen(network, each) for each in names])
        number = [row["file"] for row in self.rows].index(self.picture(name).name)
        return Marginal(np.delete(self._pools[network], number, axis=0))

    def explain(self, network: str, name: str, **settings: Any) -> Explanation:
        """A picture explained, with the settings of `preddiff.explain`."""
        settings = {"seed": self.seed} | settings
        e = explain(self.network(network), self.picture(name), **settings)
        facts = e.provenance
        what = f"{network}, {name}, {facts['sampler']}, k = {facts['window']}"
        self.say(
            f"{what}{facts['node'] and ', '}{facts['node']}: {facts['evaluations']:,} evaluations "
            f"({facts['precision']}) in {duration(facts['seconds'])}"
            f"{e.relative_error_text and ', '}{e.relative_error_text}"
        )
        return e

    def once(self, key: Hashable, make: Callable[[], Explanation]) -> Explanation:
        """What `make` gives, which is called once for a key: figures share explanations."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]
