"""Explanations, side by side and on disk."""
