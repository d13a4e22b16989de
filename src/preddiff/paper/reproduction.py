"""What can be made anew, and doing it."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from preddiff.media.whole import check_folder, whole
from preddiff.paper import figures, volumes
from preddiff.paper.material import Material

FIGURES = {**figures.FIGURES, **volumes.FIGURES}
KNOWN = tuple(FIGURES)

_DPI = 110


def reproduce(
    names: Sequence[str], data: Path, output: Path, seed: int = 0, hurry: int = 1
) -> Iterator[tuple[Path, float]]:
    """Each figure's file and the seconds that it took, as soon as it is there.

    Parameters
    ----------
    names : some of `KNOWN`.
    data, seed, hurry : as of `Material`.
    output : a folder, which also gets captions.md.
    """
    material = Material(data, seed, hurry)
    check_folder(output)
    captions = []
    for name in names:
        started = time.perf_counter()
        drawn = FIGURES[name](material)
        path = output / f"{name}.png"
        with whole(path) as written:
            drawn.figure.savefig(written, dpi=_DPI, format="png")
        captions.append(f"**{name}.** {drawn.caption}\n")
        yield path, time.perf_counter() - started
        with whole(output / "captions.md") as written:
            written.write_text("\n".join(captions), encoding="utf-8")
