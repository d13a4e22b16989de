"""A simulated cohort as files: scans, masks of what differs, and a table of who is who."""

import csv
from pathlib import Path

import numpy as np

from preddiff.datasets.cohort import LABELS, Cohort
from preddiff.media import maps
from preddiff.media.atomic import atomic_write, check_folder


def write(cohort: Cohort, folder: Path) -> Path:
    """Write FOLDER/scans, FOLDER/truth (of patients), mask.nii.gz and table.csv, whose path it is.

    The table has the columns path, group and truth, whose paths are relative to it: it goes into
    `preddiff classify fit` as it is.

    Raises
    ------
    ResultError
        If something cannot be written, or stands there and is none of our files.
    """
    check_folder(folder)
    rows = []
    for subject, scan in enumerate(cohort.scans):
        patient = bool(cohort.patient[subject])
        name = f"subject_{subject:03d}.nii.gz"
        maps.write(scan[0], cohort.grid, folder / "scans" / name, maps.SCAN)
        if patient:
            maps.write(
                cohort.truth(subject).astype(np.float32), cohort.grid, folder / "truth" / name
            )
        rows.append((f"scans/{name}", LABELS[patient], f"truth/{name}" if patient else ""))
    maps.write(cohort.mask.astype(np.float32), cohort.grid, folder / "mask.nii.gz")
    table = folder / "table.csv"
    with atomic_write(table) as written, written.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "group", "truth"), *rows])
    return table
