"""Prepare stroke lesion maps for `preddiff classify fit`: block means of 4 mm, and a table.

    python scripts/lesions.py FOLDER OUT

FOLDER holds Subject_NNN.nii.gz and behavior.txt, one score a line in the same order, as LESYMAP
(Pustina et al. 2018) ships them. Groups are the scores above the median and the others.
"""

import sys
from pathlib import Path

import nibabel
import numpy as np

from preddiff.media import volumes
from preddiff.media.grid import Grid

BLOCK = 4  # voxels of 1 mm


def coarser(volume: volumes.Volume) -> tuple[np.ndarray, Grid]:
    """Means of blocks of voxels, those at the far ends filled up with 0, and their grid."""
    filled = np.pad(volume.values[0], [(0, -n % BLOCK) for n in volume.grid.shape])
    z, y, x = (n // BLOCK for n in filled.shape)
    means = filled.reshape(z, BLOCK, y, BLOCK, x, BLOCK).mean(axis=(1, 3, 5))
    centre = np.eye(4)
    centre[:3] *= BLOCK
    centre[:3, 3] = (BLOCK - 1) / 2
    return means, Grid((z, y, x), volume.grid.affine @ centre)


def main(folder: Path, out: Path) -> None:
    scores = np.loadtxt(folder / "behavior.txt")
    lines = ["path,group"]
    out.mkdir(parents=True, exist_ok=True)
    for path, score in zip(sorted(folder.glob("*.nii.gz")), scores, strict=True):
        means, grid = coarser(volumes.read(path))
        nibabel.Nifti1Image(means.T, grid.affine).to_filename(out / path.name)
        lines.append(f"{path.name},{'above' if score > np.median(scores) else 'below'}")
    (out / "table.csv").write_text("\n".join(lines) + "\n")
    print(out / "table.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
