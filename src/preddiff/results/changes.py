"""Differences between what work was begun with and what is asked for now, in words."""

import json
from collections.abc import Mapping

# Facts that may be otherwise although the work is the same: a fingerprint stands beside each.
_NAMES_ONLY = frozenset({"model", "sampler", "mask"})


def changes(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Return in which facts two runs differ, in words.

    Parameters
    ----------
    before, now : facts by name; of fingerprints, whose values say nothing, only the name is told.
    """
    found = []
    for name, value in now.items():
        stored = before.get(name, "")
        # As they are in a file: a tuple is a list there.
        if name in _NAMES_ONLY or json.dumps(stored) == json.dumps(value):
            continue
        if name.endswith("_sha256"):
            found.append(f"the {name.removesuffix('_sha256')} changed")
        else:
            found.append(f"{name} was {_said(stored)}, is {_said(value)}")
    return found


def is_tightened(before: object, now: object) -> bool:
    """Return whether a tolerance asks for more of the same draws than another."""
    return isinstance(before, float) and isinstance(now, float) and now < before


def _said(value: object) -> str:
    return "not set" if value == "" else str(value)
