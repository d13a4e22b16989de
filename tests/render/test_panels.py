"""Panels in rows."""

import numpy as np

from preddiff.render.panels import Panel, PanelRow, panels

IMAGE = np.zeros((4, 5, 3), dtype=np.uint8)


def test_a_row_has_its_caption_its_gaps_and_its_own_scale():
    figure = panels(
        [
            PanelRow([Panel(IMAGE, "input"), Panel(IMAGE)], "cat", end=0.5, unit="bits"),
            PanelRow([None, Panel(IMAGE)], "$5 of $6"),
        ],
        note="below",
    )
    first, _, gap, last, bar = figure.axes
    assert (first.get_title(), first.get_ylabel()) == ("input", "cat")
    assert bar.get_ylim() == (-0.5, 0.5)
    assert "bits" in bar.get_ylabel()
    assert len(gap.get_images()) == 0
    assert len(last.get_images()) == 1
    assert gap.get_ylabel() == "$5 of $6"
    assert figure.get_supxlabel() == "below"
    figure.canvas.draw()  # the dollars are no formula


def test_an_empty_place_keeps_the_caption_of_its_row():
    figure = panels(
        [PanelRow([Panel(IMAGE), Panel(IMAGE)]), PanelRow([None, Panel(IMAGE)], "output")]
    )
    empty = figure.axes[2]
    assert (empty.get_ylabel(), empty.get_visible(), len(empty.images)) == ("output", True, 0)
    assert not any(side.get_visible() for side in empty.spines.values())


def test_a_row_that_is_shorter_is_filled_up():
    figure = panels([PanelRow([Panel(IMAGE)] * 3), PanelRow([Panel(IMAGE)])])
    assert [len(axes.get_images()) for axes in figure.axes] == [1, 1, 1, 1, 0, 0]
