"""Predictions for many draws, fast."""

from preddiff.engines.base import Engine
from preddiff.engines.choice import Task, choose
from preddiff.engines.cost import seconds_per_draw
from preddiff.engines.dense import Dense
from preddiff.engines.linear import ClosedForm

__all__ = ["ClosedForm", "Dense", "Engine", "Task", "choose", "seconds_per_draw"]
