"""Engines: a model's values with one window replaced at a time, for many draws, fast."""

from preddiff.engines.base import Engine, ExpectationEngine
from preddiff.engines.choice import choose
from preddiff.engines.closed_form.engine import ClosedForm
from preddiff.engines.cost import seconds_per_draw
from preddiff.engines.dense import Dense
from preddiff.engines.task import Choice, Task

__all__ = [
    "Choice",
    "ClosedForm",
    "Dense",
    "Engine",
    "ExpectationEngine",
    "Task",
    "choose",
    "seconds_per_draw",
]
