"""Read damaged files of every kind, and count what became of them.

Run `python scripts/fuzz.py [--count N] [--kinds KIND ...] [--seed N] [--keep FOLDER]`. Every file
must be read, or refused in one line; whatever does anything else is kept in FOLDER, and the exit
code is 1.
"""

import argparse
import datetime
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from fuzzing.mutations import mutated
from fuzzing.readers import WRITTEN
from fuzzing.seed import Seed
from fuzzing.seeds import SEEDS
from fuzzing.watch import SECONDS, Report, Watched

_COLUMNS = ("read", "refused", "traceback", "hang", "memory", "crash", "elsewhere", "warnings")
_SECONDS_TO_IMPORT = 120.0


def main(arguments: list[str]) -> int:
    chosen = _parser().parse_args(arguments)
    print(f"{_machine()}, {datetime.date.today()}, seed {chosen.seed}\n")
    print(f"| kind | files | {' | '.join(_COLUMNS)} | most MiB | s |")
    print(f"|---{'|---:' * (len(_COLUMNS) + 3)}|", flush=True)
    offences = 0
    for kind in chosen.kinds:
        start = time.monotonic()
        counts, peak = _fuzzed(kind, chosen.count, chosen.seed, chosen.keep)
        offences += sum(counts[name] for name in _COLUMNS[2:])
        cells = (kind, chosen.count, *(counts[name] for name in _COLUMNS), peak >> 20)
        seconds = time.monotonic() - start
        print(f"| {' | '.join(map(str, cells))} | {seconds:.0f} |", flush=True)
    return int(offences > 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=2000, help="files of each kind")
    parser.add_argument("--kinds", nargs="+", default=list(SEEDS), choices=list(SEEDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-offenders"))
    return parser


def damaged(kind: str, seeds: list[Seed], number: int, seed: int) -> Seed:
    """Return one damaged file, which follows from all that is given."""
    rng = random.Random(f"{seed} {kind} {number}")  # noqa: S311
    chosen = rng.choice(seeds)
    name = rng.choice(chosen.damageable)
    return Seed({**chosen.files, name: mutated(chosen.files[name], rng)}, chosen.target)


def _fuzzed(kind: str, count: int, seed: int, keep: Path) -> tuple[Counter[str], int]:
    counts, peak, seeds = Counter[str](), 0, list(SEEDS[kind]())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name), "watched")
        folder.mkdir()
        os.environ["TMPDIR"] = str(folder)  # of the process that reads
        watched = Watched(kind, folder)
        for sound in seeds:  # the first imports what it needs
            report = _read(watched, folder, sound, seconds=_SECONDS_TO_IMPORT)
            if report.is_offence or report.outcome != "read":
                print(f"{kind}: a sound file: {report.outcome} {report.said[-500:]} {report.notes}")
        for number in range(count):
            one = damaged(kind, seeds, number, seed)
            report = _read(watched, folder, one)
            counts[report.outcome] += 1
            counts["elsewhere"] += any(note.startswith("left") for note in report.notes)
            counts["warnings"] += any(not note.startswith("left") for note in report.notes)
            peak = max(peak, report.peak)
            if report.is_offence:
                _keep(keep / f"{kind}-{seed}-{number}", one, report)
        watched.close()
    del os.environ["TMPDIR"]
    return counts, peak


def _read(watched: Watched, folder: Path, one: Seed, seconds: float = SECONDS) -> Report:
    write(folder, one.files)
    report = watched.read(folder / one.target, seconds)
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    left = set(files) - set(one.files) - set(WRITTEN)
    changed = [n for n, content in one.files.items() if files[n].read_bytes() != content]
    report.notes += [f"left {name}" for name in (*sorted(left), *changed)]
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return report


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _keep(folder: Path, one: Seed, report: Report) -> None:
    write(folder / "files", one.files)
    facts = f"{report.outcome} (+{report.peak >> 20} MiB), read {one.target}"
    (folder / "report.txt").write_text("\n".join([facts, report.said, *report.notes]))


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
