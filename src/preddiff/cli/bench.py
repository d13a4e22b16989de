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

    chosen = [*(specs or []), *(() if only else benchmark.USUAL)]
    lines = [benchmark.machine(), "", benchmark.HEADER]
    typer.echo("\n".join(lines))
    for row in benchmark.measure(chosen, windows, check):
        typer.echo(str(row))
        lines.append(str(row))
    if output is not None:
        _put(output, "\n".join(lines))


def _put(page: Path, table: str) -> None:
    """The table, in place of what is between the marks."""
    from preddiff.errors import ResultError
    from preddiff.media.whole import whole

    text = page.read_text() if page.exists() else f"{_BEGIN}\n{_END}\n"
    if text.count(_BEGIN) != 1 or text.count(_END) != 1:
        raise ResultError(f"{page}: expected the marks {_BEGIN} and {_END}, once each; add them")
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    with whole(page) as written:
        written.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}")


bench.__doc__ = _HELP
