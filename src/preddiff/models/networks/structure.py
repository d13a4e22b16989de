"""What a network is besides its weights: its modules, and the code that runs them."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from torch import nn


def structure(module: nn.Module) -> str:
    """Return a fingerprint of a module's parts, their settings and their code.

    Who changes the `forward` of a network gets another one, though the weights stay what they were.
    """
    digest = hashlib.sha256(repr(module).encode())
    classes = {type(part) for part in module.modules()}
    for each in sorted(classes, key=lambda each: f"{each.__module__}.{each.__qualname__}"):
        for fact in _facts(each):
            digest.update(f"{fact}\n".encode())
    return digest.hexdigest()


def _facts(kind: type) -> Iterator[object]:
    """Yield what says whether a class is what it was."""
    yield f"{kind.__module__}.{kind.__qualname__}"
    code = getattr(getattr(kind, "forward", None), "__code__", None)
    if code is not None:
        yield from (code.co_code, code.co_names, code.co_consts)
    # Functions that its forward calls are in the same file, mostly.
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    with suppress(OSError):
        if file is not None:
            yield Path(file).stat().st_mtime_ns
