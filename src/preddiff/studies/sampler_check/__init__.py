"""Samplers held against what really stands in windows of inputs that they have not seen."""
