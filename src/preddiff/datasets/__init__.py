"""Data whose truth is known."""

from preddiff.datasets.cohort import Cohort, simulated_cohort

__all__ = ["Cohort", "simulated_cohort"]
