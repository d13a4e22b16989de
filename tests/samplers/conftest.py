from samplers.cohort import cohort, located, scans

__all__ = ["cohort", "located", "scans"]
