"""preddiff: why a classifier decided as it did, by prediction difference analysis.

Zintgraf, Cohen, Adel & Welling, ICLR 2017. Names are imported when they are first used, so that
`import preddiff` is quick.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from preddiff.errors import PreddiffError

if TYPE_CHECKING:
    from preddiff import datasets, models, samplers, targets
    from preddiff.models import load_model
    from preddiff.pipeline.comparison import compare
    from preddiff.pipeline.explain import explain
    from preddiff.pipeline.interactions import interactions
    from preddiff.pipeline.many import explain_many
    from preddiff.pipeline.rerun import rerun
    from preddiff.pipeline.settings import PAPER
    from preddiff.pipeline.verification import verify
    from preddiff.render.exports import export
    from preddiff.render.figures import figure
    from preddiff.results.channel_table import channel_table
    from preddiff.results.explanation import Explanation
    from preddiff.results.region_table import region_table
    from preddiff.results.store import load, save
    from preddiff.viewer.page import page

__all__ = [
    "PAPER",
    "Explanation",
    "PreddiffError",
    "channel_table",
    "compare",
    "datasets",
    "explain",
    "explain_many",
    "export",
    "figure",
    "interactions",
    "load",
    "load_model",
    "models",
    "page",
    "region_table",
    "rerun",
    "samplers",
    "save",
    "targets",
    "verify",
]

_HOMES = {
    "PAPER": "preddiff.pipeline.settings",
    "Explanation": "preddiff.results.explanation",
    "channel_table": "preddiff.results.channel_table",
    "compare": "preddiff.pipeline.comparison",
    "explain": "preddiff.pipeline.explain",
    "explain_many": "preddiff.pipeline.many",
    "export": "preddiff.render.exports",
    "figure": "preddiff.render.figures",
    "interactions": "preddiff.pipeline.interactions",
    "load": "preddiff.results.store",
    "load_model": "preddiff.models",
    "page": "preddiff.viewer.page",
    "region_table": "preddiff.results.region_table",
    "rerun": "preddiff.pipeline.rerun",
    "save": "preddiff.results.store",
    "verify": "preddiff.pipeline.verification",
}


def __getattr__(name: str) -> Any:
    if name in {"datasets", "models", "samplers", "targets"}:
        return importlib.import_module(f"preddiff.{name}")
    if name == "__version__":
        from importlib import metadata

        return metadata.version("preddiff")
    if name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
        _let_notebooks_show()
        return found
    raise AttributeError(f"module 'preddiff' has no attribute {name!r}")


def _let_notebooks_show() -> None:
    """Give results, which know nothing of pages, the methods that notebooks ask for."""
    for name in ("Explanation", "Comparison", "Interactions"):
        known = sys.modules.get(f"preddiff.results.{name.lower()}")
        if known is not None:
            getattr(known, name)._repr_png_ = _image
            if name != "Interactions":  # of which there is no page
                getattr(known, name)._repr_html_ = _frame


def _frame(shown: Any) -> str | None:
    from preddiff.viewer.notebook import frame

    return frame(shown)


def _image(shown: Any) -> bytes | None:
    from preddiff.viewer.notebook import image

    return image(shown)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
