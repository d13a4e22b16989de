"""From an object in memory to a Model."""

from __future__ import annotations

import sys
from collections.abc import Callable

from preddiff.errors import ModelError
from preddiff.models.base import Model
from preddiff.models.function import Function
from preddiff.models.request import Request


def from_object(source: object, request: Request) -> Model:
    """Return the model that an object is, or becomes.

    Raises
    ------
    ModelError
        If it is no model, or not one of which that can be requested.
    """
    for recognise in _RECOGNISERS:
        model = recognise(source, request)
        if model is not None:
            return model
    raise ModelError(
        f"an object of type {type(source).__name__} is no model: expected a SPEC as in `preddiff "
        "model --help`, a torch.nn.Module, a scikit-learn classifier or a callable"
    )


def _model(source: object, request: Request) -> Model | None:
    if not isinstance(source, Model):
        return None
    request.refuse("a model that is loaded already")
    if request.mask is not None:
        raise ModelError("mask: is of an estimator, and this is a model already; leave it out")
    return source


def _keras_model(source: object, request: Request) -> Model | None:
    """A model of Keras is a module of torch as well, or no module where it runs on another."""
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(source, keras.Model):
        return None
    from preddiff.models.sources import keras as on_torch

    return on_torch.of_model(source, request, f"keras:{source.name}")


def _torch_module(source: object, request: Request) -> Model | None:
    torch = sys.modules.get("torch")  # whoever has a module has imported torch: no need to do so
    if torch is None or not isinstance(source, torch.nn.Module):
        return None
    from preddiff.models.networks import huggingface, metadata
    from preddiff.models.networks.network import Network

    found = metadata.described(request)
    named, output = found.labels, found.output
    if huggingface.takes_pixel_values(source):
        named = named or huggingface.labels(source)
        output = "logits" if output == "auto" else output
    return Network(
        source,
        found.preprocessing,
        output=output,
        output_key=request.output_key,
        spec=f"module:{type(source).__name__}",
        labels=named,
    )


def _class(source: object, request: Request) -> Model | None:
    """A class is callable, but a call would make an instance and no prediction."""
    if not isinstance(source, type):
        return None
    request.refuse(f"a {type(source).__name__}")
    raise ModelError(f"{source.__name__} is a class: expected an instance, {source.__name__}()")


def _estimator(source: object, request: Request) -> Model | None:
    # A support vector machine without probabilities has a decision function only.
    classifies = hasattr(source, "predict_proba") or hasattr(source, "decision_function")
    if not classifies and not (hasattr(source, "predict") and hasattr(source, "get_params")):
        return None
    from preddiff.models.sources import sklearn

    regresses = sklearn.is_regressor(source)
    if not classifies and not regresses:
        return None
    if not (regresses and request.output == "values"):
        request.refuse(f"a {type(source).__name__}")
    return sklearn.from_estimator(source, request.order, request.mask, request.columns)


def _callable(source: object, request: Request) -> Model | None:
    if not callable(source):
        return None
    if request.output == "values" and request.preprocess is None:
        return Function(source, output="values")
    request.refuse(f"a {type(source).__name__}")
    return Function(source)


Recogniser = Callable[[object, Request], Model | None]
"""Returns the model that an object becomes, or None for an object of another kind."""

# In this order: torch modules and estimators may be callable, and classes are.
_RECOGNISERS: tuple[Recogniser, ...] = (
    _model, _keras_model, _torch_module, _class, _estimator, _callable,
)  # fmt: skip
