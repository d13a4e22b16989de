"""The networks and pictures that the figures are made from, and explanations of them."""

import csv
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack, cast

import numpy as np

from preddiff.errors import InputError
from preddiff.media import images
from preddiff.models import load_model
from preddiff.models.networks.network import Network
from preddiff.pipeline.explain import explain
from preddiff.pipeline.progress import duration
from preddiff.pipeline.settings import PAPER
from preddiff.results.explanation import Explanation
from preddiff.samplers import Marginal, Sampler
from preddiff.types import Batch, Mask, Pixels

NETWORKS = {
    "GoogLeNet": "bvlc_googlenet.onnx",
    "SqueezeNet": "squeezenet.onnx",
    "EfficientNet-Lite0": None,
}
"""Networks by name, and their file in the folder's models/; None is the embedded one."""

_SAY_WHERE = "say with --data or PREDDIFF_DATA where models/ and images/imagenet/ are"

_Made = TypeVar("_Made")


class ExplainOptions(TypedDict, total=False):
    """Arguments of `preddiff.explain` that figures and claims set."""

    targets: int | str | tuple[int, ...] | list[int]
    node: str
    sampler: str | Sampler
    window: int
    samples: int
    stride: int
    seed: int
    tolerance: float
    mask: Mask


@dataclass(frozen=True)
class Workspace:
    """A folder with models/*.onnx and images/imagenet/, and what was made from it so far.

    Attributes
    ----------
    folder : holds models/ and images/imagenet/images.csv beside its pictures. None will do as long
        as nothing asks for a picture or for the network of a file.
    seed : all draws follow from it.
    hurry : coarsens the figures for a first look, by strides and tolerances this many times larger;
        1 makes the figures as they are meant to be.
    report : is given a line of text on each explanation, when it is made.
    volume_sampler : hides windows of scans: conditional, as in the paper, or cohort.
    """

    folder: Path | None
    seed: int = 0
    hurry: int = 1
    report: Callable[[str], None] = lambda _: None
    volume_sampler: str = "conditional"
    _networks: dict[str, Network] = field(default_factory=dict, repr=False)
    _kept: dict[Hashable, object] = field(default_factory=dict, repr=False)
    _pools: dict[str, Batch] = field(default_factory=dict, repr=False)

    def network(self, name: str) -> Network:
        """Return one of `NETWORKS`, loaded when it is first asked for.

        Raises
        ------
        InputError
            If its file is not in the folder.
        """
        if name not in self._networks:
            self._networks[name] = self._load(NETWORKS[name])
        return self._networks[name]

    def _load(self, file: str | None) -> Network:
        spec = "embedded" if file is None else str(self._path("models", file))
        network = load_model(spec)
        if not isinstance(network, Network):
            raise InputError(f"{spec}: expected a network; replace the file")
        return network

    def _path(self, *parts: str) -> Path:
        """A file in the folder, which must be there."""
        if self.folder is None:
            raise InputError(f"{'/'.join(parts)}: no folder to look in; {_SAY_WHERE}")
        path = self.folder.joinpath(*parts)
        if not path.exists():
            raise InputError(f"{path}: no such file, but figures are made with it; {_SAY_WHERE}")
        return path

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """The rows of images.csv, one for each picture: file, class_index, label, …"""
        path = self._path("images", "imagenet", "images.csv")
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def picture(self, name: str) -> Path:
        """Return the path of the picture whose file name ends in a name, e.g. "sax".

        Raises
        ------
        InputError
            If images.csv lists no such picture.
        """
        for row in self.rows:
            if Path(row["file"]).stem.endswith(name):
                return self._path("images", "imagenet", row["file"])
        raise InputError(f"{self.folder}: no picture {name!r} in images/imagenet/images.csv")

    def true_class(self, picture: Path) -> int:
        """Return the number of the class that images.csv gives for a picture."""
        return int(next(row["class_index"] for row in self.rows if row["file"] == picture.name))

    def inputs(self, network: str, name: str) -> Pixels:
        """Return a picture as a network sees it, (channel, y, x)."""
        return self.network(network).prepare(images.read(self.picture(name)))

    def marginal_of_others(self, network: str, name: str) -> Marginal:
        """Return the marginal sampler whose pool is every picture but this one.

        With the picture itself in the pool, one draw in 120 would put the hidden pixels back.
        """
        if network not in self._pools:
            names = [Path(row["file"]).stem for row in self.rows]
            self._pools[network] = np.stack([self.inputs(network, each) for each in names])
        number = [row["file"] for row in self.rows].index(self.picture(name).name)
        return Marginal(np.delete(self._pools[network], number, axis=0))

    def explain(self, network: str, name: str, **options: Unpack[ExplainOptions]) -> Explanation:
        """Explain a picture, with the settings of `preddiff.explain`, and report what it took."""
        explanation = explain(
            self.network(network),
            self.picture(name),
            settings=PAPER,
            **({"seed": self.seed} | options),
        )
        facts = explanation.provenance
        parts = [network, name, facts["sampler"], f"k = {facts['window']}", facts["node"]]
        took = [
            f"{facts['evaluations']:,} evaluations ({facts['precision']}) in "
            f"{duration(facts['seconds'])}",
            explanation.precision_text,
        ]
        self.report(f"{', '.join(filter(None, parts))}: {', '.join(filter(None, took))}")
        return explanation

    def once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """Return what `make` gives; it is called only once for a key, as figures share much.

        What is kept lives as long as this workspace: a cache of the module would hold cohorts of
        hundreds of megabytes until the process ends.
        """
        if key not in self._kept:
            self._kept[key] = make()
        return cast(_Made, self._kept[key])
