"""Which channel mattered: maps of windows in one channel at a time, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from preddiff.errors import InputError
from preddiff.results.region_table import region_table

if TYPE_CHECKING:
    import pandas as pd

    from preddiff.results.explanation import Explanation


def channel_table(explanations: Sequence[Explanation]) -> pd.DataFrame:
    """Return what each channel says in all, those that matter most first.

    Parameters
    ----------
    explanations : of one input, by windows that are hidden in one channel each
        (`samplers.OneChannel`, or `compare` with channel:each:SPEC).

    Returns
    -------
    A row for each target and channel, with the columns of `region_table`; `region` is the channel's
    number here.

    Raises
    ------
    InputError
        If one of them is of windows in all channels.
    """
    import pandas as pd

    tables = []
    for each in explanations:
        if not is_of_channel(each):
            raise InputError(
                f"an explanation by the sampler {each.provenance['sampler']}: expected windows in "
                "one channel (channel:each:SPEC, samplers.OneChannel)"
            )
        name = each.provenance["hidden_channel"]
        table = region_table(each, np.ones(each.coverage.shape, dtype=np.int64))
        tables.append(table.assign(region=_number(each), name=name))
    joined = pd.concat(tables, ignore_index=True)
    order = joined["relevance"].abs().sort_values(ascending=False, kind="stable").index
    labels = {label: number for number, label in enumerate(explanations[0].labels)}
    joined = joined.loc[order]
    return joined.sort_values(
        "target", key=lambda each: each.map(labels), kind="stable"
    ).reset_index(drop=True)


def _number(explanation: Explanation) -> int:
    """Return the number of the channel that was hidden."""
    facts = explanation.provenance
    if "hidden_channel_number" in facts:
        return int(facts["hidden_channel_number"])
    # Results of earlier versions have its name, which may be its number.
    name, names = facts["hidden_channel"], facts.get("channels", [])
    return int(names.index(name) if name in names else name)


def is_of_channel(explanation: Explanation) -> bool:
    """Return whether windows were hidden in one channel alone."""
    return "hidden_channel" in explanation.provenance
