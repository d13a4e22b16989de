"""All figures and claims that can be made anew, and making them."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from preddiff.errors import SettingError
from preddiff.media import ours
from preddiff.media.atomic import atomic_write, check_folder
from preddiff.studies import machine
from preddiff.studies.paper.claims import check_claims
from preddiff.studies.paper.picture_figures import PICTURE_FIGURES
from preddiff.studies.paper.volume_figures import VOLUME_FIGURES
from preddiff.studies.paper.workspace import Workspace

_UNSORTED = {**PICTURE_FIGURES, **VOLUME_FIGURES}
FIGURES = {name: _UNSORTED[name] for name in sorted(_UNSORTED, key=lambda name: int(name[3:]))}
"""Functions that make a figure, by its name, in the paper's order."""

REPRODUCIBLE = (*FIGURES, "claims")
"""Everything that `reproduce` can be asked for."""

_DPI = 110
_CAPTIONS = "captions.md"


def reproduce(
    names: Sequence[str],
    data: Path | None,
    output: Path,
    seed: int = 0,
    hurry: int = 1,
    report: Callable[[str], None] = lambda _: None,
    volume_sampler: str = "conditional",
) -> Iterator[tuple[Path, float]]:
    """Make figures and claims; yield each one's file and the seconds it took, when it is written.

    Parameters
    ----------
    names : some of `REPRODUCIBLE`.
    data : folder of networks and pictures, as in `Workspace`; figures of volumes do without.
    output : a folder, which also gets captions.md. Files of an earlier run in it are replaced.
    seed, hurry, report, volume_sampler : as in `Workspace`.

    Raises
    ------
    SettingError
        If there is no folder of pictures, but something is asked for that needs it.
    ResultError
        If a file cannot be written, or would replace one that this package did not write.
    """
    needing = [name for name in names if name not in VOLUME_FIGURES]
    if data is None and needing:
        raise SettingError(
            f"{', '.join(needing)}: made from networks and pictures, but nothing says where they "
            "are; give the folder of models/ and images/imagenet/ with --data or PREDDIFF_DATA"
        )
    check_folder(output)
    for name in names:
        _check_destination(output / _file(name))
    if set(names) != {"claims"}:
        _check_destination(output / _CAPTIONS)
    return _make_each(names, Workspace(data, seed, hurry, report, volume_sampler), output)


def _file(name: str) -> str:
    return "claims.md" if name == "claims" else f"{name}.png"


def _check_destination(path: Path) -> None:
    ours.check_destination(path, ours.is_figure if path.suffix == ".png" else ours.is_text)


def _make_each(
    names: Sequence[str], workspace: Workspace, output: Path
) -> Iterator[tuple[Path, float]]:
    captions = []
    for number, name in enumerate(names, 1):
        workspace.report(f"{name}: {number} of {len(names)}")
        started = time.perf_counter()
        path = output / _file(name)
        if name == "claims":
            text = "\n\n".join([machine.describe(), *check_claims(workspace)])
            _write(path, text + "\n")
        else:
            made = FIGURES[name](workspace)
            _check_destination(path)  # again: the work may have taken an hour
            with atomic_write(path) as unfinished:
                made.figure.savefig(
                    unfinished, dpi=_DPI, format="png", metadata={"Software": ours.SIGN}
                )
            captions.append(f"**{name}.** {made.caption}\n")
            # Written after every figure: whoever stops early has the captions of what is there.
            _write(output / _CAPTIONS, "\n".join(captions))
        yield path, time.perf_counter() - started


def _write(path: Path, text: str) -> None:
    _check_destination(path)
    with atomic_write(path) as unfinished:
        unfinished.write_text(ours.signed(text), encoding="utf-8")
