"""What commands print: one line each, safe for a terminal whoever wrote the text."""

import typer

from preddiff.errors import printable


def echo(text: object = "", *, err: bool = False) -> None:
    """Print a line, with control characters as escapes; on standard error if `err`."""
    typer.echo(printable(str(text)), err=err)
