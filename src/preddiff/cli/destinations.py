"""Files of results: what they are called, what they may not replace, and how they are written."""

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from preddiff.errors import InputError, SettingError

if TYPE_CHECKING:
    from preddiff.results.comparison import Comparison

# Of what is written.
_ENDINGS = (".zarr", ".nii.gz", ".png", ".html", ".unfinished.npz", ".draws.npz")


def with_ending(result: Path, ending: str) -> Path:
    """Add an ending; Path.with_suffix would cut names at their last dot."""
    return result.with_name(result.name + ending)


def write_results(explanations: "Comparison", result: Path, *, only: bool) -> list[Path]:
    """Write results, figure and page; return the paths of the results, and of what to look at.

    Parameters
    ----------
    only : leave out figure and page.
    """
    from preddiff.media.atomic import atomic_write
    from preddiff.media.names import file_names
    from preddiff.render import exports
    from preddiff.results import store
    from preddiff.results.channel_table import channel_table, is_of_channel
    from preddiff.viewer.page import page

    saved = []
    for name, explanation in zip(file_names(explanations.titles), explanations, strict=True):
        own = result if len(explanations) == 1 else with_ending(result, f".{name}")
        saved.append(store.save(explanation, with_ending(own, ".zarr")))
        if explanation.grid is not None:
            exports.export(explanation, with_ending(own, ".nii.gz"))
    if all(is_of_channel(each) for each in explanations):
        with atomic_write(channels_path(result)) as written:
            channel_table(explanations).to_csv(written, index=False)
    if only or any(each.provenance["window"] == "unit" for each in explanations):
        return [*saved, saved[0]]  # nobody can look at a hundred thousand units
    drawn = exports.export(explanations, with_ending(result, ".png"))
    if any(each.provenance["window"] == "channel" for each in explanations):
        return [*saved, drawn]  # channels lie on no picture: there is no page
    only_one = drawn if len(explanations) == 1 else None  # of several, a page's picture is smaller
    return [*saved, page(explanations, with_ending(result, ".html"), drawn=only_one)]


def channels_path(result: Path) -> Path:
    """Return where the table of an input's channels goes."""
    return with_ending(result, ".channels.csv")


def check_not_read(
    results: Sequence[Path], read: Mapping[str, Iterable[Path | None]], *, several: bool
) -> None:
    """Raise if results would replace a file that is read, by its kind."""
    from preddiff.media import ours

    written = [with_ending(result, ending) for result in results for ending in _ENDINGS]
    if several:
        written += [
            taken for result in results for taken in _taken(result, ".nii.gz", several=True)
        ]
    for kind, paths in read.items():
        ours.check_not_read(written, [path for path in paths if path is not None], kind)


def _taken(result: Path, ending: str, *, several: bool) -> Iterator[Path]:
    """Yield what has a name that results may get.

    The names of several results follow from what differs, known at the end: all are taken for it.
    """
    name = glob.escape(result.name) + (".*" if several else "")
    return result.parent.glob(name + ending)


def check_destinations(
    path: Path,
    result: Path,
    *,
    several: bool,
    overwrite: bool,
    channels: Sequence[str] | None = None,
) -> None:
    """Raise if results would replace what is no result, or that of another input unasked."""
    from preddiff.media import ours
    from preddiff.media.input import open_input
    from preddiff.media.several import paths as joined
    from preddiff.render import exports
    from preddiff.results import store
    from preddiff.viewer.page import check_destination

    # Path.exists raises for a name that is too long.
    if not (joined(path) or os.path.exists(path)):  # noqa: PTH110
        return  # which is said when it is opened
    try:
        os.lstat(with_ending(path.absolute().parent / result.name, max(_ENDINGS, key=len)))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SettingError(
            f"{result}: no result can have this name ({error.strerror}); rename the input"
        ) from None
    for taken in _taken(result, ".zarr", several=several):
        store.check_destination(taken)
        if not overwrite:
            with suppress(InputError):  # which is said when it is explained
                store.check_input(taken, open_input(path, channels))
    for taken in _taken(result, ".nii.gz", several=several):
        exports.check_destination(taken)
    exports.check_destination(with_ending(result, ".png"))
    ours.check_destination(channels_path(result), ours.is_region_table)
    check_destination(with_ending(result, ".html"))
