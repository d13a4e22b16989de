"""Readers of every kind of file, called as the commands call them."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

import preddiff
from preddiff import media
from preddiff.classify import ScanTable
from preddiff.method.running_means import RunningMeans
from preddiff.method.windows import Windows
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.results import store
from preddiff.results.checkpoint import Checkpoint
from preddiff.samplers.load import read_sampler

_PREPROCESSING = Preprocessing((8, 8), short_side=9)
_TABLE = {"subject": "subject", "sites": ["site"], "covariates": ["age"]}


def _picture(path: Path) -> None:
    opened = media.open(path)
    hash(opened.sha256)
    if not opened.is_volume:
        _PREPROCESSING.prepare(opened.values)  # type: ignore[arg-type]


def _model(path: Path) -> None:
    model = preddiff.load_model(path)
    if model.shape is not None:
        inputs = np.zeros(model.shape, np.float32)
        model.predict(inputs[None])
        model.nodes(inputs)


def _of_networks(path: Path) -> None:
    spec = f"hf:{path}" if path.is_dir() else str(path)
    model = preddiff.load_model(spec, output="logits")
    inputs = np.zeros((1, 3, 8, 8), np.float32)
    model.predict(inputs)
    model.nodes(inputs[0])


def _skops(path: Path) -> None:
    model = preddiff.load_model(path)
    if model.shape is not None:  # a classifier of scans
        model.predict(np.zeros((1, *model.shape), np.float32))
        import_module("preddiff.cli.classify").show(path)


def _sampler(path: Path) -> None:
    sampler = read_sampler(path)
    shape = (1, 6, 6, 6) if getattr(sampler, "of_volumes", False) else (3, 6, 6)
    inputs = np.random.default_rng(0).random(shape).astype(np.float32)
    windows = Windows.over(shape[1:], 2, stride=2)
    sampler.summary()
    sampler.check(inputs, windows, (0.0, 1.0))
    sampler.draw(inputs, windows, 2, 0, (0.0, 1.0))


def checkpoint(path: Path) -> tuple[Checkpoint, RunningMeans]:
    """Return a checkpoint in a file, and the running means of its analysis before a draw."""
    windows = Windows.over((8, 8), 3)
    picture = np.zeros((3, 8, 8), np.float32)
    kept = Checkpoint(path, picture, windows, [0, 1], np.array([0.25, 0.75]), {"seed": 0})
    return kept, RunningMeans.empty(2, len(windows))


def _checkpoint(path: Path) -> None:
    kept, begun = checkpoint(path)
    kept.restore(begun)


def _result(path: Path) -> None:
    explanation = store.load(path)
    preddiff.page(explanation, path.with_name("page.html"))


def _settings(path: Path) -> None:
    preddiff.load_model(_network(), preprocess=path)


@cache
def _network() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 3)
    ).eval()


def _table(path: Path) -> None:
    ScanTable.read(path, **_TABLE)  # type: ignore[arg-type]


_KINDS: Mapping[Callable[[Path], Any], tuple[str, ...]] = {
    _picture: ("png", "jpeg", "tiff", "gif", "webp", "nifti", "nifti.gz", "dicom"),
    _model: ("onnx",),
    _of_networks: ("pt2", "torchscript", "keras", "hf"),
    _skops: ("skops",),
    _sampler: ("sampler",),
    _checkpoint: ("checkpoint",),
    _result: ("result",),
    _table: ("csv",),
    _settings: ("json",),
}
READERS = {kind: reader for reader, kinds in _KINDS.items() for kind in kinds}
"""From the name of a kind to what reads it."""

WRITTEN = ("page.html",)
"""Names of the files that readers write."""
