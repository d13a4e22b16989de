"""Warnings of many inputs: each kind is said once, and counted."""

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from preddiff.cli.terminal import echo

# Names and numbers: what differs within a kind.
_OF_ONE_INPUT = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d.,]*")


@contextmanager
def said_once() -> Iterator[None]:
    """Within, print the first warning of each kind, and at the end how many more there were."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    show = warnings.showwarning

    def show_first(message: Warning | str, *where: object) -> None:
        kind = _OF_ONE_INPUT.sub("…", str(message))
        counts[kind] += 1
        if counts[kind] == 1:
            first[kind] = str(message)
            show(message, *where)  # type: ignore[arg-type]

    warnings.showwarning = show_first  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = show
        for kind, count in counts.items():
            if count > 1:
                echo(f"preddiff: {count - 1} more like this: {first[kind]}", err=True)
