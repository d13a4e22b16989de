"""preddiff bench"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo
from preddiff.errors import SettingError

_HELP = """
Measure what one draw costs with each engine.

The networks are well-known ones with random weights. With --scans, measure what one scan costs in
closed form instead.

Example: preddiff bench torchvision:resnet18@random --only
"""


def bench(
    specs: Annotated[
        list[str] | None,
        typer.Argument(metavar="SPEC...", help="More networks, as for `preddiff explain`."),
    ] = None,
    only: Annotated[
        bool, typer.Option("--only", help="Measure only the networks named here.")
    ] = False,
    windows: Annotated[
        int, typer.Option(metavar="N", help="Number of windows to time.", min=1)
    ] = 64,
    check: Annotated[
        int,
        typer.Option(
            metavar="N", help="Number of windows to compare with whole forward passes.", min=0
        ),
    ] = 24,
    scans: Annotated[
        bool,
        typer.Option("--scans", help="Measure a linear model of scans in closed form instead."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also put the table between its marks in this Markdown page.",
        ),
    ] = None,
) -> None:
    if only and not specs and not scans:
        raise SettingError("--only: no SPEC to measure; name a network, or leave --only out")
    from preddiff.cli import marks
    from preddiff.studies import machine

    section = "scans" if scans else "bench"
    # A page without marks is refused now, not after half an hour of measuring.
    if output is not None:
        marks.check(output, section)
    rows = _scan_table() if scans else _network_table(specs or [], only, windows, check)
    lines = []
    for text in itertools.chain([machine.describe(), ""], rows):
        for line in text.split("\n"):
            echo(line)  # as soon as a network is measured
            lines.append(line)
    if output is not None:
        marks.fill(output, section, "\n".join(lines))


def _network_table(specs: list[str], only: bool, windows: int, check: int) -> Iterator[str]:
    from preddiff.studies.benchmark import networks

    chosen = [*specs, *(() if only else networks.DEFAULT_NETWORKS)]
    yield networks.NETWORK_TABLE_HEADER
    yield from map(str, networks.measure_networks(chosen, windows, check))


def _scan_table() -> Iterator[str]:
    from preddiff.studies.benchmark import scans

    yield scans.SCAN_TABLE_HEADER
    yield from map(str, scans.measure_scans())
    yield (
        f"\nFitting a located sampler takes {scans.fitting_seconds():.1f} s of processor time per "
        "volume and 1,000 cells."
    )


bench.__doc__ = _HELP
