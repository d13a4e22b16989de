"""From a SPEC, or from an object in memory, to a Model."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preddiff.errors import ModelError, first_line, nearest
from preddiff.models.base import Model

if TYPE_CHECKING:
    from preddiff.models.networks import metadata

MODEL_SPECS = (
    "embedded, torchvision:NAME[@WEIGHTS], timm:NAME, PATH.onnx, PATH.skops or "
    "package.module:factory"
)


@dataclass(frozen=True)
class _Wishes:
    """What the caller wants otherwise than the model's source says."""

    output: str
    preprocess: metadata.Source | None

    def refuse(self, what: str) -> None:
        """Raise where neither can be had."""
        if self.output != "auto" or self.preprocess is not None:
            raise ModelError(
                f"{what} knows its own output and preprocessing: output= and preprocess= are for "
                "torch modules and ONNX files"
            )


def load_model(
    source: Any = "embedded",
    *,
    output: str = "auto",
    labels: Sequence[str] | None = None,
    preprocess: metadata.Source | None = None,
    train_size: float | None = None,
) -> Model:
    """A model to explain.

    Parameters
    ----------
    source : a SPEC (embedded, torchvision:NAME[@WEIGHTS], timm:NAME, PATH.onnx, PATH.skops,
        package.module:factory), a torch.nn.Module in evaluation mode, a fitted scikit-learn
        classifier, or a callable that takes a float32 array (n, channel, *spatial) in input
        space and returns probabilities (n, K).
    output : for networks: whether they return "logits" or "probabilities". "auto" takes a network
        that ends in a softmax or sigmoid, or whose outputs are at least 0 and add up to 1, as
        giving probabilities, and any other as giving logits, to which a softmax is added.
    labels : names of the classes.
    preprocess : for torch modules and ONNX files: a mapping or a JSON file that says how pictures
        are resized and normalised, e.g. {"input_size": 224, "resize": "short side 256 (bilinear),
        centre crop", "mean": [...], "std": [...]} (docs/models.md). A module without it gets
        pictures as they are, in [0, 1].
    train_size : number of training examples, N of the Laplace correction.

    Raises
    ------
    ModelError
        If there is no such model, or it cannot be loaded as wished.
    """
    wishes = _Wishes(output, preprocess)
    if isinstance(source, Model):
        wishes.refuse("a model that is loaded already")
        changed = labels is not None or train_size is not None
        model = copy.copy(source) if changed else source
    elif isinstance(source, str | Path):
        model = _from_spec(str(source), wishes)
    else:
        model = _from_object(source, wishes)
    if labels is not None:
        model.labels = list(labels)
    if train_size is not None:
        model.train_size = train_size
    return model


def _from_spec(spec: str, wishes: _Wishes) -> Model:
    # Sources are imported when they are asked for: torch alone takes a second.
    kind, _, rest = spec.partition(":")
    if spec.lower().endswith(".onnx"):
        from preddiff.models.sources import onnx

        return onnx.load(spec, wishes.preprocess, wishes.output)  # type: ignore[arg-type]
    if rest and kind not in {"torchvision", "timm"} and _is_dotted(kind):
        return _from_factory(kind, rest, wishes)
    wishes.refuse(spec)
    if spec.lower().endswith(".skops"):
        from preddiff.models.sources import skops

        return skops.load(spec)
    if spec == "embedded":
        from preddiff.models.sources import embedded

        return embedded.load()
    if kind in {"torchvision", "timm"} and rest:
        loader = importlib.import_module(f"preddiff.models.sources.{kind}")
        name, _, weights = rest.partition("@")
        model: Model = loader.load(name, weights or None)
        return model
    if Path(spec).suffix:
        raise ModelError(f"{spec}: files of this kind cannot be read; expected {MODEL_SPECS}")
    raise ModelError(f"unknown model {spec!r}: expected {MODEL_SPECS}{nearest(kind, _known())}")


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _known() -> list[str]:
    """SPECs that somebody may have meant."""
    from torchvision import models

    return ["embedded", *(f"torchvision:{name}" for name in models.list_models(module=models))]


def _from_factory(module: str, name: str, wishes: _Wishes) -> Model:
    """What `package.module:factory` returns when called; the current folder counts as well."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"unknown model {module}:{name} ({error}): expected {MODEL_SPECS}; a factory is a "
            "function without arguments in a module that can be imported"
        ) from None
    try:
        made = factory()
    except Exception as error:
        raise ModelError(
            f"{module}:{name} raised {type(error).__name__} ({first_line(error)}): expected a "
            "function without arguments that returns a model"
        ) from error
    return made if isinstance(made, Model) else _from_object(made, wishes)


def _from_object(source: Any, wishes: _Wishes) -> Model:
    torch = sys.modules.get("torch")  # a module in memory means that torch is imported
    if torch is not None and isinstance(source, torch.nn.Module):
        from preddiff.models.networks import metadata
        from preddiff.models.networks.network import Network

        if wishes.preprocess is None:
            return Network(source, output=wishes.output)  # type: ignore[arg-type]
        says, folder = metadata.read(wishes.preprocess)
        return Network(
            source,
            metadata.preprocessing(says),
            output=wishes.output,  # type: ignore[arg-type]
            labels=metadata.labels(says, folder),
        )
    wishes.refuse(f"a {type(source).__name__}")
    if isinstance(source, type):
        raise ModelError(f"{source.__name__} is a class: expected an instance, {source.__name__}()")
    if hasattr(source, "predict_proba"):
        from preddiff.models.sources import sklearn

        return sklearn.load(source)
    if callable(source):
        from preddiff.models.function import Function

        return Function(source)
    raise ModelError(
        f"a {type(source).__name__} is no model: expected a SPEC ({MODEL_SPECS}), a "
        "torch.nn.Module, a scikit-learn classifier or a callable"
    )
