"""What is known of boxes of a network from earlier runs: right, impossible, or no faster.

Nothing of it changes a number but for rounding: what was right is looked at again, on fewer
windows, what could not be traced cannot be traced again, and what was slower is timed no more. What
was wrong is not kept: another input may be right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from preddiff.media import kept

if TYPE_CHECKING:
    from preddiff.models.networks.network import Network

_RIGHT, _TEXT, _WHY, _SECONDS, _SLOWER = "right", "text", "why", "seconds", "slower"


@dataclass(frozen=True)
class Earlier:
    """Findings of earlier runs about the boxes of a network.

    Attributes
    ----------
    right : whether boxes were held against whole forward passes, and were right.
    text, why : why there are none, in our words and in a library's; empty where there are.
    seconds : that it took to find that out; None where it is not known.
    slower : whether they are clearly slower than whole passes by another runtime; None where the
        two were not timed.
    """

    right: bool = False
    text: str = ""
    why: str = ""
    seconds: float | None = None
    slower: bool | None = None


def about(
    network: "Network", shape: Sequence[int], size: Sequence[int], node: str | None
) -> dict[str, object]:
    """Return what makes boxes of a network what they are, the machine and versions aside.

    Parameters
    ----------
    shape, size : of the input, and of its windows.
    """
    from preddiff.models.networks.identity import identity  # it imports torch

    return {**identity(network, shape, node), "window": tuple(size)}


def found(key: dict[str, object]) -> Earlier:
    """Return what earlier runs found; nothing of what is not known."""
    facts = kept.read(key)
    text, why = (facts.get(name, "") for name in (_TEXT, _WHY))
    if not (isinstance(text, str) and isinstance(why, str)):
        return Earlier()
    seconds = facts.get(_SECONDS)
    known = seconds if isinstance(seconds, float) and 0 < seconds < math.inf else None
    slower = facts.get(_SLOWER)
    timed = slower if isinstance(slower, bool) else None
    return Earlier(facts.get(_RIGHT) is True, text, why, known, timed)


def keep(key: dict[str, object], finding: Earlier) -> None:
    """Keep what a run found, in place of what earlier ones did."""
    kept.write(
        key,
        {
            _RIGHT: finding.right,
            _TEXT: finding.text,
            _WHY: finding.why,
            _SECONDS: finding.seconds,
            _SLOWER: finding.slower,
        },
    )
