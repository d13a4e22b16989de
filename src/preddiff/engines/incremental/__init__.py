"""The incremental engine: recompute only what a window can change (ARCHITECTURE.md, The engine)."""

from preddiff.engines.incremental.engine import Incremental

__all__ = ["Incremental"]
