from samplers.cohort import cohort, scans

__all__ = ["cohort", "scans"]
