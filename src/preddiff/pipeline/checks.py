"""Checks of single settings: what each may be, and what it is stored as.

All raise a SettingError that names the setting, its value and what was expected.
"""

from collections.abc import Sequence

import numpy as np

from preddiff.baselines import registry
from preddiff.errors import SettingError, nearest

LARGEST = 2**63
"""Seeds and lengths are stored as int64."""


def whole(name: str, value: object, least: int) -> int:
    """Return a whole number, also one of numpy's, as Python's: results are stored as JSON."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        number = int(value)
        if least <= number < LARGEST:
            return number
    raise SettingError(f"{name}={value!r}: expected a whole number of at least {least}")


def number(name: str, value: object, expected: str, most: float = np.inf) -> float:
    """Return a number above 0 and up to `most`, also one of numpy's, as Python's."""
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        found = float(value)
        if 0 < found <= most:
            return found
    raise SettingError(f"{name}={value!r}: expected {expected}")


def flag(name: str, value: object) -> bool:
    """Return a truth value, also one of numpy's, as Python's."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise SettingError(f"{name}={value!r}: expected True or False")


def check_name(name: str, value: object, expected: str) -> None:
    """Raise a SettingError for what is neither None nor a text."""
    if value is not None and not isinstance(value, str):
        raise SettingError(f"{name}={value!r}: expected {expected}")


def check_choice(name: str, value: object, known: Sequence[str]) -> None:
    """Raise a SettingError for what is none of the known ones."""
    if value not in known:
        raise SettingError(f"{name}={value!r}: expected one of {', '.join(known)}")


def baseline_names(baselines: object) -> tuple[str, ...]:
    """Return the names of baselines; one alone need not stand in a list."""
    known = registry.names()
    several = (baselines,) if isinstance(baselines, str) else baselines
    if not isinstance(several, Sequence):
        raise SettingError(f"baselines={baselines!r}: expected some of {', '.join(known)}")
    for name in several:
        if name not in known:
            raise SettingError(
                f"baselines={name!r}: expected some of {', '.join(known)}"
                f"{nearest(str(name), known)}"
            )
    return tuple(several)
