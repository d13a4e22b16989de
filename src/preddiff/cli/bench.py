"""preddiff bench"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

_HELP = """
Measure what a draw costs with every engine, on well-known networks with random weights; or, with
--scans, what a scan costs in closed form.

Example: preddiff bench torchvision:resnet18@random --only
"""


def bench(
    specs: Annotated[
        list[str] | None,
        typer.Argument(metavar="SPEC...", help="Further networks, as for `preddiff explain`."),
    ] = None,
    only: Annotated[bool, typer.Option("--only", help="None but these.")] = False,
    windows: Annotated[int, typer.Option(metavar="N", help="Windows that are timed.")] = 64,
    check: Annotated[
        int, typer.Option(metavar="N", help="Windows held against whole forward passes.")
    ] = 24,
    scans: Annotated[
        bool, typer.Option("--scans", help="A linear model of scans in closed form instead.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Put the table between its marks in this page."
        ),
    ] = None,
) -> None:
    from preddiff.benchmark import networks

    before, after = ("", "") if output is None else _around(output, "scans" if scans else "bench")
    chosen = [*(specs or []), *(() if only else networks.USUAL)]
    rows = _of_scans() if scans else _of_networks(chosen, windows, check)
    lines = []
    for line in itertools.chain([networks.machine(), ""], rows):
        typer.echo(line)
        lines.append(line)
    if output is not None:
        from preddiff.media.whole import whole

        with whole(output) as written:
            written.write_text(before + "\n".join(["", *lines, ""]) + after)


def _of_networks(specs: list[str], windows: int, check: int) -> Iterator[str]:
    from preddiff.benchmark import networks

    yield networks.HEADER
    yield from map(str, networks.measure(specs, windows, check))


def _of_scans() -> Iterator[str]:
    from preddiff.benchmark import scans

    yield scans.HEADER
    yield from map(str, scans.measure())
    seconds = scans.seconds_to_fit()
    yield (
        f"\nTo fit a located sampler takes {seconds:.1f} s of processor time for each volume and "
        "1,000 cells."
    )


def _around(page: Path, name: str) -> tuple[str, str]:
    """What stands before and after the table, with its marks."""
    from preddiff.errors import ResultError

    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = page.read_text() if page.exists() else f"{begin}{end}\n"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ResultError(f"{page}: expected the marks {begin} and {end}, once each; add them")
    before, rest = text.split(begin)
    return before + begin, end + rest.split(end)[1]


bench.__doc__ = _HELP
