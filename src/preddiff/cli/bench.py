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
    from preddiff.cli import marks
    from preddiff.studies.benchmark import networks

    name = "scans" if scans else "bench"
    if output is not None:
        marks.check(output, name)
    chosen = [*(specs or []), *(() if only else networks.USUAL)]
    rows = _of_scans() if scans else _of_networks(chosen, windows, check)
    lines = []
    for line in itertools.chain([networks.machine(), ""], rows):
        typer.echo(line)
        lines.append(line)
    if output is not None:
        marks.put(output, name, "\n".join(lines))


def _of_networks(specs: list[str], windows: int, check: int) -> Iterator[str]:
    from preddiff.studies.benchmark import networks

    yield networks.HEADER
    yield from map(str, networks.measure(specs, windows, check))


def _of_scans() -> Iterator[str]:
    from preddiff.studies.benchmark import scans

    yield scans.HEADER
    yield from map(str, scans.measure())
    seconds = scans.seconds_to_fit()
    yield (
        f"\nTo fit a located sampler takes {seconds:.1f} s of processor time for each volume and "
        "1,000 cells."
    )


bench.__doc__ = _HELP
