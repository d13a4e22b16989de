"""The results of a study together: which stand out, and what its groups have in common."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import numpy as np

from preddiff.engines.memory import machine_memory
from preddiff.errors import InputError, ResultError, SettingError
from preddiff.media import maps
from preddiff.media.grid import Grid
from preddiff.media.listing import listed_in
from preddiff.media.names import file_names, name_of_result
from preddiff.media.tables import rows_of
from preddiff.render import colours
from preddiff.render.colours import ERROR
from preddiff.render.strips import peak
from preddiff.results import summary
from preddiff.results.collection import coarse, find_results, read_results
from preddiff.results.explanation import Explanation, percent
from preddiff.results.groups import (
    GroupDifference,
    GroupMap,
    group_difference,
    group_map,
    unlikeness,
)
from preddiff.types import AnyShape
from preddiff.viewer.report import GroupPicture, Listing, report, slices, thumbnail

PERMUTATIONS = 1000
_SIGNIFICANT = 0.05
_MOST_OF_MEMORY = 4  # a quarter of the machine's, for the maps of all subjects
_ALL = "all"


@dataclass
class _Study:
    """What is read of the results, one after the other.

    Attributes
    ----------
    with_groups : whether results have groups.
    why_not : why there are no maps of groups, empty where nobody asked; None where there are some.
    """

    listings: list[Listing] = field(default_factory=list)
    coarse: list[tuple[str, AnyShape | None]] = field(default_factory=list)
    maps: list[AnyShape] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    scan: AnyShape | None = None
    grid: Grid | None = None
    with_groups: bool = False
    why_not: str | None = None


def cohort_report(
    folder: Path,
    path: Path,
    *,
    groups: Mapping[str, str] | None = None,
    target: str | None = None,
    permutations: int = PERMUTATIONS,
) -> Path:
    """Write the page of all results in a folder, and maps of groups of scans beside it.

    Parameters
    ----------
    path : of the page.
    groups : group of each result by its name; None is one group. Of two groups, the difference is
        tested; the first in the order of names is subtracted from.
    target : label whose maps are averaged; None is that of the first result.
    permutations : of subjects between two groups.

    Raises
    ------
    PreddiffError
        A subclass, if there are no results, a result has no group, or the page cannot be written.
    """
    paths = find_results(folder)
    study = _Study(with_groups=groups is not None)
    label = target
    for each, result in read_results(paths):
        name = str(each.relative_to(folder).with_name(name_of_result(each)))
        group = _group(groups, name)
        if isinstance(result, ResultError):
            study.listings.append(_unreadable(name, group, str(result)))
            study.coarse.append(("", None))
            continue
        study.listings.append(_listing(each, path, name, group, result))
        study.coarse.append((result.labels[0], coarse(result.relevance.values[0])))
        label = result.labels[0] if label is None else label
        _take_map(study, result, label, group, len(paths))
    pictures = [] if study.why_not is not None else _group_pictures(study, path, permutations)
    listings = _with_unlikeness(study)
    table, missing = _without_result(folder, {each.name for each in listings}, groups or {})
    beside = table is not None and table.parent.resolve() == path.parent.resolve()
    return report(
        [*listings, *missing],
        pictures,
        path,
        title=folder.resolve().name,
        note=study.why_not or "",
        summary=table.name if table is not None and beside else "",
    )


def groups_in(table: Path, column: str) -> dict[str, str]:
    """Return the group of each result, by its name, from the table that inputs were listed in.

    Raises
    ------
    InputError
        If the table cannot be read, or has no such column.
    """
    rows = rows_of(table, ["path", column])
    names = [each.name for each in listed_in(table)]
    return dict(zip(names, (row[column] for row in rows.values()), strict=True))


def _group(groups: Mapping[str, str] | None, name: str) -> str:
    if groups is None:
        return ""
    if name not in groups:
        raise InputError(f"{name}: a result that is in no row of the table; add it, or remove it")
    return groups[name]


def _unreadable(name: str, group: str, why: str) -> Listing:
    return Listing(name, "", "", "", group, None, None, "", None, why, "", "")


def _without_result(
    folder: Path, listed: Collection[str], groups: Mapping[str, str]
) -> tuple[Path | None, list[Listing]]:
    """Return the summary of the inputs, and those in it that have no result."""
    table = summary.find(folder)
    if table is None:
        return None, []
    rows = [row for row in summary.read(table) if not row["result"] and row["name"] not in listed]
    return table, [
        replace(
            _unreadable(
                row["name"],
                groups.get(row["name"], ""),
                f"{row['state']}: {row['error']}" if row["error"] else row["state"],
            ),
            input=row["input"],
        )
        for row in rows
    ]


def _listing(path: Path, page: Path, name: str, group: str, result: Explanation) -> Listing:
    """Return what the page says of a result."""
    error = float(result.relative_errors[0])
    own = path.with_name(name_of_result(path) + ".html")
    link = ""
    if own.is_file() and own.resolve().is_relative_to(page.parent.resolve()):
        # ./ and escapes: whatever a name is, a browser takes it for that of a file.
        relative = own.resolve().relative_to(page.parent.resolve())
        link = f"./{quote(relative.as_posix())}"
    return Listing(
        name=name,
        input=str(result.provenance["input"]),
        label=result.labels[0],
        value=result.values[0],
        group=group,
        prediction=float(result.prediction.values[0]),
        error=error if math.isfinite(error) else None,
        precision=_precision(result, error),
        unlike=None,
        note=_note(result),
        link=link,
        thumbnail=thumbnail(result),
    )


def _precision(result: Explanation, error: float) -> str:
    """Return how precise a result's first map is; nothing where a note says it."""
    if result.exactness or result.is_noise[0]:
        return result.exactness
    return f"relative error {percent(error)}" if math.isfinite(error) else "no standard error"


def _note(result: Explanation) -> str:
    """Return what is to be kept in mind about a result's first map."""
    notes = ["partial: stopped before the end"] if result.is_partial else []
    return ", ".join([*notes, *(["no larger than its error"] if result.is_noise[0] else [])])


def _take_map(study: _Study, result: Explanation, label: str, group: str, count: int) -> None:
    """Take the map of a target for its group, or note why there are no maps of groups."""
    if study.why_not is not None:
        return
    name = str(result.provenance["input"])
    if result.grid is None:
        study.why_not = study.with_groups * "No maps of groups: these are of scans on one grid."
    elif study.grid is not None and not result.grid.is_like(study.grid):
        study.why_not = f"No maps of groups: {name} lies on another grid than the first result."
    elif label not in result.labels:
        study.why_not = (
            f"No maps of groups: the result of {name} is not of “{label}”; explain all with one "
            "--target."
        )
    elif 4 * count * result.coverage.size > machine_memory() // _MOST_OF_MEMORY:
        study.why_not = f"No maps of groups: those of {count} scans do not fit into memory."
    if study.why_not is not None:
        study.maps.clear()
        return
    values = result.relevance.values[result.labels.index(label)]
    study.maps.append(values.astype(np.float32))
    study.groups.append(group or _ALL)
    scan = result.picture.values.mean(axis=0)
    study.grid = result.grid if study.grid is None else study.grid
    study.scan = scan / count if study.scan is None else study.scan + scan / count


def _with_unlikeness(study: _Study) -> list[Listing]:
    """Return what is listed, with how unlike the others' of its label each map is."""
    kinds: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    for number, (label, values) in enumerate(study.coarse):
        if values is not None:
            kinds.setdefault((label, values.shape), []).append(number)
    listings = list(study.listings)
    for numbers in kinds.values():
        if len(numbers) < 2:
            continue
        stacked = np.stack([values for n in numbers if (values := study.coarse[n][1]) is not None])
        for number, unlike in zip(numbers, unlikeness(stacked), strict=True):
            known = float(unlike) if math.isfinite(unlike) else None
            listings[number] = replace(listings[number], unlike=known)
    return listings


def _group_pictures(study: _Study, path: Path, permutations: int) -> list[GroupPicture]:
    """Return the pictures of all groups, whose maps are written beside the page."""
    if not study.maps or study.grid is None or study.scan is None:
        return []
    stacked = np.stack(study.maps)
    names = sorted(set(study.groups))
    members = {name: stacked[[group == name for group in study.groups]] for name in names}
    made = [group_map(name, values) for name, values in members.items()]
    end = max(colours.limit(each.mean) for each in made)
    # Of all groups the same slices: through the place where one of them is largest.
    at = peak(max((each.mean for each in made), key=lambda m: np.nanmax(np.abs(m), initial=0.0)))
    files = dict(zip(names, file_names(names), strict=True))
    pictures = []
    for each in made:
        _write(each.mean, study.grid, path, f"mean.{files[each.name]}")
        _write(each.error, study.grid, path, f"error.{files[each.name]}")
        pictures += _of_group(each, study.scan, study.grid, end, at)
    if len(names) == 2:
        one, other = names
        try:
            difference = group_difference((one, other), members[one], members[other], permutations)
        except SettingError as error:
            return [*pictures, GroupPicture("Difference", str(error), "")]
        _write(difference.difference, study.grid, path, f"difference.{files[one]}.{files[other]}")
        _write(difference.p, study.grid, path, f"p.{files[one]}.{files[other]}")
        pictures.append(_of_difference(difference, study.scan, study.grid))
    return pictures


def _write(values: AnyShape, grid: Grid, page: Path, name: str) -> None:
    maps.write(values, grid, page.with_name(f"{page.stem}.{name}.nii.gz"))


def _of_group(
    each: GroupMap, scan: AnyShape, grid: Grid, end: float, at: tuple[int, ...]
) -> list[GroupPicture]:
    note = f"{each.count} subject{'s' * (each.count != 1)}"
    pictures = [
        GroupPicture(f"{each.name}: mean map", note, slices(each.mean, scan, grid, end=end, at=at))
    ]
    if np.isfinite(each.error).any():
        largest = colours.limit(each.error)
        said = f"{note}; black is {largest:.2g}"
        image = slices(each.error, scan, grid, end=largest, scale=ERROR, at=at)
        pictures.append(GroupPicture(f"{each.name}: standard error over subjects", said, image))
    return pictures


def _of_difference(found: GroupDifference, scan: AnyShape, grid: Grid) -> GroupPicture:
    one, other = found.names
    known = found.p[np.isfinite(found.p)]
    certain = found.p < _SIGNIFICANT
    said = (
        f"p < {_SIGNIFICANT} in {int(certain.sum()):,} of {len(known):,} voxels, corrected for "
        f"their number (family-wise, {found.permutations:,} permutations); the smallest p is "
        f"{known.min(initial=1.0):.2g}"
    )
    shown = np.where(certain, found.difference, 0.0) if certain.any() else found.difference
    which = ", where p is below that" if certain.any() else ""
    image = slices(shown, scan, grid, end=colours.limit(shown))
    return GroupPicture(f"{one} minus {other}{which}", said, image)
