"""Additions of other packages that are installed: models, samplers and baselines of their own.

A package names them as entry points, in its pyproject.toml:

    [project.entry-points."preddiff.samplers"]
    mine = "my_package.sampler:from_spec"

Installing a package is what lets its code run; a result or a picture cannot. Names of our own come
first: nothing that is installed changes what they mean.
"""

import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Literal

from preddiff.errors import PreddiffError, first_line

Group = Literal["preddiff.models", "preddiff.samplers", "preddiff.baselines"]
"""Kinds of additions, by the names of their groups of entry points."""


def additions(group: Group) -> dict[str, EntryPoint]:
    """Return the additions of one kind, by name. Nothing of them is imported."""
    return _found(group, tuple(sys.path))


@lru_cache(maxsize=8)
def _found(group: Group, path: tuple[str, ...]) -> dict[str, EntryPoint]:  # noqa: ARG001
    # Every package that is installed is looked at, which takes as long as a forward pass.
    return {each.name: each for each in entry_points(group=group)}


def loaded(addition: EntryPoint, kind: type[PreddiffError]) -> object:
    """Return what an addition is.

    Raises
    ------
    PreddiffError
        Of this kind, if it cannot be imported.
    """
    try:
        found: object = addition.load()
    except Exception as error:
        package = addition.dist.name if addition.dist else "an installed package"
        raise kind(
            f"{addition.name}: {package} has it as {addition.value}, which cannot be imported "
            f"({first_line(error)})"
        ) from error
    return found
