"""A linear classifier of scans, like the paper's (section 4.2)."""

from preddiff.classify.fitting import FittedClassifier, fit
from preddiff.classify.reference import ReferenceGroup
from preddiff.classify.table import ScanTable
from preddiff.classify.voxels import Voxels

__all__ = ["FittedClassifier", "ReferenceGroup", "ScanTable", "Voxels", "fit"]
