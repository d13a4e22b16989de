"""Aliases of the arrays that normals over patches are made of.

p is a value in the flattened patch, w one in the window, r one in the rest of the patch.
"""

from typing import Annotated

from preddiff.types import Floats, Integers

CellNumbers = Annotated[Integers, "cell"]
"""Numbers of cells of the grid over a volume."""

Patches = Annotated[Floats, "n p"]
"""Patches flattened in C order, channels first."""

PatchMean = Annotated[Floats, "p"]
PatchCovariance = Annotated[Floats, "p p"]

PatchIndices = Annotated[Integers, "w"]
"""Where some values stand in the flattened patch: those of the window."""

RestIndices = Annotated[Integers, "r"]
"""Where the rest of the patch's values stand in it."""
