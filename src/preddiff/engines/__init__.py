"""Predictions for many draws, fast."""

from preddiff.engines.base import Engine
from preddiff.engines.choice import Task, choose
from preddiff.engines.closed_form.engine import ClosedForm
from preddiff.engines.cost import seconds_per_draw
from preddiff.engines.dense import Dense

__all__ = ["ClosedForm", "Dense", "Engine", "Task", "choose", "seconds_per_draw"]
