"""A model that a function of the user's own code makes: package.module:factory."""

import importlib
import sys
from collections.abc import Callable

from preddiff.errors import ModelError, first_line
from preddiff.models.base import Model
from preddiff.models.objects import from_object
from preddiff.models.request import Request


def load(spec: str, request: Request) -> Model:
    """Return what `package.module:factory` returns when called, as a Model.

    Raises
    ------
    ModelError
        If there is no such function, or it raises, or returns no model.
    """
    factory = _factory(spec)
    try:
        made = factory()
    except Exception as error:
        raise ModelError(
            f"{spec} raised {type(error).__name__} ({first_line(error)}): expected a function "
            "without arguments that returns a model"
        ) from error
    return from_object(made, request)


def _factory(spec: str) -> Callable[[], object]:
    # A program that is installed, as `preddiff` is, does not look for modules in the current
    # folder, where the user's own are.
    if "" not in sys.path:
        sys.path.insert(0, "")
    module, _, name = spec.partition(":")
    try:
        factory: Callable[[], object] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"unknown model {spec} ({error}): expected package.module:factory, a function without "
            "arguments in a module that can be imported, or another SPEC (`preddiff model --help`)"
        ) from None
    return factory
