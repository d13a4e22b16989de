"""Explanations: in memory, side by side and on disk."""
