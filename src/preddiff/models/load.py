"""From a SPEC, or from an object in memory, to a Model."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING

from preddiff.errors import TORCH, ModelError, nearest, suggests_keywords
from preddiff.media.additions import additions, loaded
from preddiff.models.base import Model
from preddiff.models.columns import Columns
from preddiff.models.labels import LabelSource, names
from preddiff.models.masking import MaskSource
from preddiff.models.objects import from_object
from preddiff.models.order import Order
from preddiff.models.request import Output, PreprocessingSettings, Request

# What brings PyTorch and all else that a source needs.
_EXTRAS = {
    "embedded": "demo",
    "onnx": "onnx",
    "timm": "timm",
    "huggingface": "hf",
    "keras": "keras",
    "monai": "monai",
}


if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SpecSource:
    """A kind of SPEC and the file of preddiff.models.sources that loads it.

    Attributes
    ----------
    form : as messages show it.
    module : has `load(spec, request)`, which returns a Model. It is imported when a SPEC asks for
        it and not before: torch alone takes a second.
    prefix, suffix : what such a SPEC starts and ends with; without either, it is the form itself.
    holds : a file that every folder of this kind has; empty where it is no folder.
    """

    form: str
    module: str
    prefix: str = ""
    suffix: str = ""
    holds: str = ""

    def matches(self, spec: str) -> bool:
        """Return whether a SPEC is of this kind."""
        if not (self.prefix or self.suffix):
            return spec == self.form
        # Something must stand between: "timm:" names no network.
        named = len(spec) > len(self.prefix) + len(self.suffix)
        return named and spec.startswith(self.prefix) and spec.lower().endswith(self.suffix)


# The first that matches is taken, so a factory, which any word before a colon might be, is last.
SPEC_SOURCES = (
    SpecSource("embedded", "embedded"),
    SpecSource("torchvision:NAME[@WEIGHTS]", "torchvision", prefix="torchvision:"),
    SpecSource("timm:NAME", "timm", prefix="timm:"),
    SpecSource("hf:FOLDER", "huggingface", prefix="hf:", holds="config.json"),
    SpecSource("monai:FOLDER", "monai", prefix="monai:", holds="configs/inference.json"),
    SpecSource("PATH.onnx", "onnx", suffix=".onnx"),
    SpecSource("PATH.pt2", "pt2", suffix=".pt2"),
    SpecSource("PATH.pt", "torchscript", suffix=".pt"),
    SpecSource("PATH.keras", "keras", suffix=".keras"),
    SpecSource("PATH.skops", "skops", suffix=".skops"),
)
FACTORY = SpecSource("package.module:factory", "factory")


@suggests_keywords
def load_model(
    source: object = "embedded",
    *,
    output: Output = "auto",
    output_key: str | int | None = None,
    labels: LabelSource | None = None,
    preprocess: PreprocessingSettings | None = None,
    unit: str | None = None,
    train_size: float | None = None,
    order: Order | None = None,
    mask: MaskSource | None = None,
    table: pd.DataFrame | None = None,
) -> Model:
    """Load a model to explain.

    Parameters
    ----------
    source : a SPEC (embedded, torchvision:NAME[@WEIGHTS], timm:NAME, hf:FOLDER, monai:FOLDER,
        PATH.onnx, PATH.pt2, PATH.pt, PATH.keras, PATH.skops, package.module:factory), a
        torch.nn.Module in evaluation mode, a model of Keras on torch, a fitted scikit-learn
        classifier, or a callable that takes a float32 array (n, channel, *spatial) in input space
        and returns probabilities (n, K).
    output : for networks: whether they return "logits" or "probabilities". "auto" takes a network
        that ends in a softmax or sigmoid, or whose outputs are at least 0 and add up to 1, as
        giving probabilities, and one that ends in weights, or whose outputs leave [0, 1], as
        giving logits, to which a softmax is added. Any other is refused: say which it is. Logits
        that are "multilabel" get a sigmoid each, so that each class has its own odds. "values" are
        plain numbers, as of a regression, and also what a callable may return: their evidence is a
        difference, in their own unit.
    output_key : for torch modules that return a mapping, a sequence or an object: the key, number
        or name of what is taken; a text of digits that is no name counts. None takes `logits` or
        `out`, else the first tensor, and says so.
    unit : of "values", as figures and pages name it, e.g. "years".
    labels : names of the classes: a list, a mapping between numbers and names (id2label,
        class_to_idx), or a file with one name per line or with JSON.
    preprocess : for torch modules, state dicts and ONNX files, how pictures are resized and
        normalised: a Compose or `weights.transforms()` of torchvision, timm's
        `resolve_data_config(...)`, an image processor of HuggingFace; or a mapping or a JSON file,
        e.g. {"input_size": 224, "resize": "short side 256 (bilinear), centre crop", "mean": [...],
        "std": [...]} (docs/models.md). A module without it gets pictures as they are, in [0, 1].
    train_size : number of training examples, N of the Laplace correction.
    order : for scikit-learn classifiers of volumes, in which order a volume became features: "xyz"
        for volumes (x, y, z) as nibabel gives them, `volume.reshape(-1)`; "zyx" for arrays
        (z, y, x). A scan is only explained where this is stated, or there is a mask.
    mask : for scikit-learn classifiers whose features are the voxels in a mask: the NiftiMasker of
        nilearn that made them, or the mask, on the scans' grid, as the path of a NIfTI file or an
        image of nibabel. Voxels are in the order xyz, as `data[mask]` and nilearn have them, unless
        `order` says otherwise. A pipeline that begins with a masker needs none.
    table : for scikit-learn estimators of tables: the training examples, as a DataFrame. The
        estimator gets rows with its names, types and categories; `model.columns.encode(rows)` makes
        numbers of them, which are explained and drawn.

    Raises
    ------
    ModelError
        If there is no such model, or it cannot be loaded as requested.
    """
    columns = None if table is None else Columns(table)
    model = _loaded(
        source, Request(output, preprocess, output_key, order, mask, labels is not None, columns)
    )
    # The model may be the caller's own object, given here or kept by a factory: it is not changed.
    if labels is not None or train_size is not None or unit is not None:
        model = copy.copy(model)
    if labels is not None:
        model.labels = names(labels)
    if model.classes is not None and model.labels is not None:
        _check_number(model.labels, model.classes, model.spec)
    if train_size is not None:
        model.train_size = train_size
    if unit is not None:
        if model.value_unit is None:
            raise ModelError(
                f"unit={unit!r}: {model.spec} gives probabilities; say output='values'"
            )
        model.value_unit = unit
    return model


def _loaded(source: object, request: Request) -> Model:
    """Return the model of a source; raise where it is of a kind that lacks what is requested."""
    if isinstance(source, str | Path):
        model = _from_spec(str(source), request)
    else:
        model = from_object(source, request)
    if request.order is not None and model.order != request.order:
        raise ModelError(
            f"order={request.order!r}: {model.spec} is no scikit-learn estimator of a flattened "
            "volume; leave it out"
        )
    if request.mask is not None and model.masking is None:
        raise ModelError(f"mask: {model.spec} is no scikit-learn estimator; leave it out")
    if request.columns is not None and model.columns is None:
        raise ModelError(f"table: {model.spec} is no scikit-learn estimator; leave it out")
    return model


def _check_number(labels: Sequence[str], classes: int, spec: str) -> None:
    if len(labels) != classes:
        raise ModelError(
            f"{len(labels)} labels for {classes} classes of {spec}: expected as many; correct the "
            "labels"
        )


def _from_spec(spec: str, request: Request) -> Model:
    source = next((each for each in SPEC_SOURCES if each.matches(spec)), None)
    others = additions("preddiff.models")
    name, colon, _ = spec.partition(":")
    if source is None and colon and name in others:
        return _of_addition(others[name], spec, request)
    if source is None and _names_factory(spec):
        source = FACTORY
    if source is None:
        raise _unknown(spec)
    try:
        loader = importlib.import_module(f"preddiff.models.sources.{source.module}")
    except ModuleNotFoundError as error:
        if error.name not in TORCH:
            raise
        extra = _EXTRAS.get(source.module, "torch")
        raise ModelError(f"{spec}: needs PyTorch; pip install 'preddiff[{extra}]'") from None
    model: Model = loader.load(spec, request)
    return model


def _of_addition(addition: EntryPoint, spec: str, request: Request) -> Model:
    """Return the model of another package's source, a function of the SPEC and the request."""
    load = loaded(addition, ModelError)
    model = load(spec, request) if callable(load) else load
    if not isinstance(model, Model):
        raise ModelError(f"{spec}: {addition.value} gave {model!r:.80}: expected a models.Model")
    return model


def spec_forms() -> str:
    """Return the forms of all SPECs, for messages."""
    installed = [f"{name}:…" for name in additions("preddiff.models")]
    *others, last = (*(each.form for each in SPEC_SOURCES), *installed, FACTORY.form)
    return f"{', '.join(others)} or {last}"


def _names_factory(spec: str) -> bool:
    module, _, name = spec.partition(":")
    return bool(name) and all(part.isidentifier() for part in module.split("."))


def _unknown(spec: str) -> ModelError:
    for source in SPEC_SOURCES:
        if source.holds and (Path(spec) / source.holds).is_file():
            return ModelError(f"{spec}: a folder; name it {source.prefix}{spec}")
    if Path(spec).suffix:
        return ModelError(f"{spec}: files of this kind cannot be read; expected {spec_forms()}")
    from preddiff.models.sources import torchvision

    known = ["embedded", *(f"torchvision:{name}" for name in torchvision.names())]
    suggestion = nearest(spec.partition(":")[0], known)
    return ModelError(f"unknown model {spec!r}: expected {spec_forms()}{suggestion}")
