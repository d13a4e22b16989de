"""Data whose truth is known."""

from preddiff.datasets.cohort import SimulatedCohort, simulated_cohort

__all__ = ["SimulatedCohort", "simulated_cohort"]
