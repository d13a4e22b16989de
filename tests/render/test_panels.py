"""Rows of pictures."""

import numpy as np

from preddiff.render.panels import Panel, PanelRow, panels


def test_an_empty_place_keeps_the_caption_of_its_row():
    image = np.zeros((2, 2, 3), dtype=np.uint8)
    figure = panels(
        [PanelRow([Panel(image), Panel(image)]), PanelRow([None, Panel(image)], "output")]
    )
    empty = figure.axes[2]
    assert (empty.get_ylabel(), empty.get_visible(), len(empty.images)) == ("output", True, 0)
    assert not any(side.get_visible() for side in empty.spines.values())
