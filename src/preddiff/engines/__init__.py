"""Predictions for many draws, fast."""

from preddiff.engines.base import Engine
from preddiff.engines.cost import seconds_per_draw
from preddiff.engines.dense import Dense

__all__ = ["Dense", "Engine", "seconds_per_draw"]
