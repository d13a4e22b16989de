"""Aliases of the arrays in this room."""

from typing import Annotated

from preddiff.types import Floats

PerVoxel = Annotated[Floats, "v"]
"""One number for each voxel of a mask, in C order."""

Loadings = Annotated[Floats, "r v"]
"""What one standard deviation of each factor does to each voxel."""

PerScan = Annotated[Floats, "v n"]
"""One number for each voxel of a mask in several scans."""

Scans = Annotated[Floats, "n v"]
"""Values of a mask's voxels in several scans."""

Regressors = Annotated[Floats, "n covariate"]
"""Covariates of several scans, each of mean 0 and variance 1."""
