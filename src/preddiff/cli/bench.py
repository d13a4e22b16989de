"""preddiff bench"""

from pathlib import Path
from typing import Annotated

import typer

_HELP = """
Measure what a draw costs with every engine, on well-known networks with random weights.

Example: preddiff bench torchvision:resnet18@random --only
"""

_BEGIN, _END = "<!-- bench: begin -->", "<!-- bench: end -->"


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
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Put the table between its marks in this page."
        ),
    ] = None,
) -> None:
    from preddiff import benchmark

    before, after = ("", "") if output is None else _around(output)
    chosen = [*(specs or []), *(() if only else benchmark.USUAL)]
    lines = [benchmark.machine(), "", benchmark.HEADER]
    typer.echo("\n".join(lines))
    for row in benchmark.measure(chosen, windows, check):
        typer.echo(str(row))
        lines.append(str(row))
    if output is not None:
        from preddiff.media.whole import whole

        with whole(output) as written:
            written.write_text(before + "\n".join(["", *lines, ""]) + after)


def _around(page: Path) -> tuple[str, str]:
    """What stands before and after the table, with the marks."""
    from preddiff.errors import ResultError

    text = page.read_text() if page.exists() else f"{_BEGIN}{_END}\n"
    if text.count(_BEGIN) != 1 or text.count(_END) != 1:
        raise ResultError(f"{page}: expected the marks {_BEGIN} and {_END}, once each; add them")
    before, rest = text.split(_BEGIN)
    return before + _BEGIN, _END + rest.split(_END)[1]


bench.__doc__ = _HELP
