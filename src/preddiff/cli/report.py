"""preddiff report"""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo
from preddiff.errors import SettingError

_HELP = """
Write one page of all results in FOLDER: small pictures, filters, links to each result's own page.

It finds the most and the least certain answers, and inputs whose maps are unlike the others'. Of
scans on one grid it also shows the mean map of each group and its standard error over subjects, and
where two groups differ (permutation test, corrected for the number of voxels); these maps are
written beside the page as NIfTI. The page's path is printed.

Example: preddiff report out --table study.csv --group diagnosis
"""


def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with results.")],
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Table of the inputs, as of `preddiff explain --table`."),
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of the table with the groups.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL", help="Whose maps are averaged. [default: that of the first result]"
        ),
    ] = None,
    permutations: Annotated[
        int, typer.Option(metavar="N", min=1, help="Of subjects between two groups.")
    ] = 1000,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page. [default: report.html]"),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Write the page without opening it.")
    ] = False,
) -> None:
    from preddiff.studies.cohort_report import cohort_report, groups_in

    if (table is None) != (group is None):
        raise SettingError("--table and --group: expected both, or neither")
    known = None if table is None or group is None else groups_in(table, group)
    written = cohort_report(
        folder,
        output or folder / "report.html",
        groups=known,
        target=target,
        permutations=permutations,
    )
    if not no_browser:
        webbrowser.open(written.resolve().as_uri())
    echo(written)


report.__doc__ = _HELP
