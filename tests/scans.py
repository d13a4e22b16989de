"""Scans that several tests need, in several orientations."""

import nibabel
import numpy as np

OBLIQUE = np.array(
    [[1.9, 0.3, -0.2, -33.0], [-0.35, 1.7, 0.5, -21.0], [0.1, -0.4, 2.2, -17.0], [0, 0, 0, 1]]
)

AFFINES = {
    "RAS": nibabel.affines.from_matvec(np.diag([2.0, 2.0, 3.0]), [-20, -30, -40]),
    "LAS": nibabel.affines.from_matvec(np.diag([-2.0, 2.0, 3.0]), [20, -30, -40]),
    "PIR": nibabel.affines.from_matvec([[0, 0, 2.0], [-2.0, 0, 0], [0, -3.0, 0]], [-20, 30, 40]),
    "oblique": OBLIQUE,
}


def scan(rng, affine=OBLIQUE, shape=(7, 9, 8)):
    """An image with a sform, another qform, and texts that tell who it is of."""
    image = nibabel.Nifti1Image(rng.normal(100, 10, size=shape).astype(np.float32), affine)
    image.set_sform(affine, code="mni")
    same_handed = "LAS" if np.linalg.det(affine) < 0 else "PIR"
    image.set_qform(AFFINES[same_handed], code="scanner")
    image.header["descrip"] = b"Jane Doe 1970-01-01"
    image.header["aux_file"] = b"jane.doe.txt"
    image.header["db_name"] = b"ward 7, Jane"
    image.header["intent_name"] = b"Jane Doe"
    return image


def analyze(folder, affine=None):
    stored = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    kind = nibabel.AnalyzeImage if affine is None else nibabel.Spm99AnalyzeImage
    image = kind(stored, affine)
    image.header.set_zooms((2, 2, 3))
    image.to_filename(folder / "old.img")
    return stored
