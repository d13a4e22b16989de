"""A linear classifier of scans, as the paper's (section 4.2)."""

from preddiff.classify.fitting import Fitted, fit
from preddiff.classify.table import Table
from preddiff.classify.voxels import Voxels

__all__ = ["Fitted", "Table", "Voxels", "fit"]
