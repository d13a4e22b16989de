"""Bars of a hidden node's channels."""

import numpy as np
import pytest
import xarray as xr

from preddiff.render.bars import bars
from preddiff.results.explanation import Explanation


def explained(values, errors):
    return Explanation(
        xr.Dataset(
            {
                "relevance": (("target", "channel"), np.array([values])),
                "standard_error": (("target", "channel"), np.array([errors])),
                "prediction": ("target", np.array([0.25])),
            },
            coords={"target": [3], "label": ("target", ["cat"])},
            attrs={"unit": "bits", "source": "conv1"},
        )
    )


def test_the_strongest_channels_come_first_with_95_percent_intervals():
    e = explained([0.5, -2.0, 1.0], [0.1, 0.2, np.nan])
    (panel,) = bars([("", e)]).axes
    assert [bar.get_height() for bar in panel.patches] == [-2.0, 1.0, 0.5]
    assert [text.get_text() for text in panel.get_xticklabels()] == ["1", "2", "0"]
    (intervals,) = panel.containers[0].lines[2]
    lengths = [np.ptp(segment[:, 1]) for segment in intervals.get_segments()]
    assert lengths == pytest.approx([2 * 1.96 * 0.2, 0, 2 * 1.96 * 0.1])
    assert panel.get_title() == "cat, p = 0.25"


def test_no_more_than_twenty_and_it_says_of_how_many():
    values = np.linspace(1, 2, 30)
    (panel,) = bars([("window 3", explained(values, 0 * values))]).axes
    assert len(panel.patches) == 20
    assert panel.get_xlabel() == "channel of conv1, 20 of 30"
    assert panel.get_title().startswith("window 3: cat")
