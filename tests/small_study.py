"""A small study of scans on disk: a folder, and a table that says who is a patient."""

import nibabel
import numpy as np

from preddiff.media import maps
from preddiff.media.grid import Grid

SHAPE = (4, 5, 6)
AFFINE = nibabel.affines.from_matvec(np.diag([-2.0, 2.0, 2.0]), [5, -5, -4])


def write_small_study(folder, rng, kind=maps.MAP):
    """Write 26 scans, patients brighter in a corner, and study.csv; return the folder."""
    lines = ["subject,path,group"]
    for n in range(26):
        group = "patient" if n % 3 == 0 else "healthy"
        values = rng.normal(100, 10, size=SHAPE)
        values[:2, :2, :2] += 12 * (group == "patient")
        name = f"scan{n:02d}.nii.gz"
        maps.write(values, Grid(SHAPE, AFFINE), folder / name, kind)
        lines.append(f"{n},{name},{group}")
    (folder / "study.csv").write_text("\n".join(lines) + "\n")
    return folder
