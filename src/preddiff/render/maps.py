"""The maps of a result that figures, exports and pages can show, and which they show by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from preddiff.errors import SettingError
from preddiff.render import colours
from preddiff.render.sides import FOR_AND_AGAINST

if TYPE_CHECKING:
    import xarray as xr

    from preddiff.results.explanation import Explanation


@dataclass(frozen=True)
class Shown:
    """A map, and how it is shown.

    Attributes
    ----------
    name, error : of the map and of its standard error among a result's arrays.
    scale : of its colours.
    signed : whether values are for and against, on a scale with 0 in its middle.
    caption : what it shows, in words.
    """

    name: str
    error: str
    scale: str
    signed: bool
    caption: str

    def of(self, explanation: Explanation) -> xr.DataArray:
        """Return the map (target, *spatial).

        Raises
        ------
        SettingError
            If the result is of a version that did not have it.
        """
        if self.name not in explanation.data:
            raise SettingError(
                f"map={self.name!r}: the result of {explanation.provenance['input']} is older and "
                f"does not have it; explain again, or show {DEFAULT_MAP!r}"
            )
        return explanation.data[self.name]

    def bar_label(self, unit: str, sides: tuple[str, str] = FOR_AND_AGAINST) -> str:
        """Return the text beside a colour bar, with words for its upper and its lower side."""
        name = f"{self.name} ({unit})"
        return f"{sides[1]}  ←  {name}  →  {sides[0]}" if self.signed else name


MAPS = {
    each.name: each
    for each in (
        Shown(
            "relevance", "standard_error", colours.SIGNED, True,
            "evidence for (red) and against (blue)",
        ),
        Shown(
            "importance", "importance_error", colours.SEQUENTIAL, False,
            "how much the answer depends on each place, either way",
        ),
    )
}  # fmt: skip

DEFAULT_MAP = "relevance"
"""What figures and pages show unless they are asked for another map: the one place to change it."""


def map_named(name: str) -> Shown:
    """Return the map of a name.

    Raises
    ------
    SettingError
        If there is none.
    """
    if name not in MAPS:
        raise SettingError(f"map={name!r}: expected one of {', '.join(MAPS)}")
    return MAPS[name]
