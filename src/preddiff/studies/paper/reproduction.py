"""What can be made anew, and doing it."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from preddiff.media.atomic import atomic_write, check_folder
from preddiff.studies.benchmark import networks
from preddiff.studies.paper import figures, volumes
from preddiff.studies.paper.claims import claims
from preddiff.studies.paper.material import Material

_MADE = {**figures.FIGURES, **volumes.FIGURES}
FIGURES = {name: _MADE[name] for name in sorted(_MADE, key=lambda name: int(name[3:]))}
KNOWN = (*FIGURES, "claims")

_DPI = 110


def reproduce(
    names: Sequence[str],
    data: Path,
    output: Path,
    seed: int = 0,
    hurry: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[Path, float]]:
    """Each figure's file and the seconds that it took, as soon as it is there.

    Parameters
    ----------
    names : some of `KNOWN`.
    data, seed, hurry, say : as of `Material`.
    output : a folder, which also gets captions.md.
    """
    material = Material(data, seed, hurry, say)
    check_folder(output)
    captions = []
    for number, name in enumerate(names, 1):
        say(f"{name}: {number} of {len(names)}")
        started = time.perf_counter()
        if name == "claims":
            text = "\n\n".join([networks.machine(), *claims(material)])
            path = _written(output / "claims.md", text + "\n")
        else:
            drawn = FIGURES[name](material)
            path = output / f"{name}.png"
            with atomic_write(path) as place:
                drawn.figure.savefig(place, dpi=_DPI, format="png")
            captions.append(f"**{name}.** {drawn.caption}\n")
            _written(output / "captions.md", "\n".join(captions))
        yield path, time.perf_counter() - started


def _written(path: Path, text: str) -> Path:
    with atomic_write(path) as place:
        place.write_text(text, encoding="utf-8")
    return path
