"""A simulated cohort as files: scans, masks of the truth, and a table of the groups."""

import csv
from pathlib import Path

import numpy as np

from preddiff.datasets.cohort import LABELS, SimulatedCohort
from preddiff.media import maps, ours
from preddiff.media.atomic import atomic_write, check_folder

_TABLE, _MASK = "table.csv", "mask.nii.gz"


def check_destinations(folder: Path, subjects: int, *, overwrite: bool = True) -> None:
    """Raise a ResultError if a cohort's files would replace one that this package did not write.

    Parameters
    ----------
    overwrite : whether they may replace an earlier cohort.
    """
    check_folder(folder)
    ours.check_destination(folder / _TABLE, ours.is_cohort_table, overwrite=overwrite)
    maps.check_destination(folder / _MASK, overwrite=overwrite)
    for name in map(_name, range(subjects)):
        maps.check_destination(folder / "scans" / name, maps.SCAN, overwrite=overwrite)
        maps.check_destination(folder / "truth" / name, overwrite=overwrite)


def _name(subject: int) -> str:
    return f"subject_{subject:03d}.nii.gz"


def write(cohort: SimulatedCohort, folder: Path) -> Path:
    """Write a cohort into a folder, and return the path of its table.

    The folder gets scans/, truth/ (for each patient, where signal was lost), mask.nii.gz and
    table.csv. The table has the columns path, group and truth, with paths relative to the table:
    `preddiff classify fit` takes it as it is.

    An earlier cohort in the folder is replaced, also where it was larger.

    Raises
    ------
    ResultError
        If a file cannot be written, or would replace one that this package did not write.
    """
    check_destinations(folder, len(cohort.scans))
    table = folder / _TABLE
    rows = []
    for subject, scan in enumerate(cohort.scans):
        patient = bool(cohort.patient[subject])
        name = _name(subject)
        # Written as SCAN: whoever searches this folder for scans to draw from must find these, but
        # not the masks, which are written as maps.
        maps.write(scan[0], cohort.grid, folder / "scans" / name, maps.SCAN)
        if patient:
            maps.write(
                cohort.truth(subject).astype(np.float32), cohort.grid, folder / "truth" / name
            )
        rows.append((f"scans/{name}", LABELS[patient], f"truth/{name}" if patient else ""))
    maps.write(cohort.mask.astype(np.float32), cohort.grid, folder / _MASK)
    _remove_rest(folder, len(cohort.scans))
    with atomic_write(table) as written, written.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([ours.COHORT_COLUMNS, *rows])
    return table


def _remove_rest(folder: Path, subjects: int) -> None:
    """Remove the files of an earlier cohort that this one, which is smaller, did not replace.

    Whoever draws from all scans of the folder would otherwise draw from both.
    """
    kept = set(map(_name, range(subjects)))
    for below, kind in (("scans", maps.SCAN), ("truth", maps.MAP)):
        for path in sorted((folder / below).glob("subject_*.nii.gz")):
            if path.name not in kept and maps.is_map(path, kind):
                path.unlink()
