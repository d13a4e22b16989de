"""Tables of where boxes lie."""

import itertools

import numpy as np
import pytest
import torch
from torch import fx, nn

from preddiff.engines.incremental.compile.alignment import AlignmentTables
from preddiff.engines.incremental.compile.trace import trace
from small_networks import conv

SIZE = 24


@pytest.fixture
def tables():
    module = nn.Sequential(conv(3, 4, padding=1), nn.MaxPool2d(2), conv(4, 4, padding=1)).eval()
    inputs = torch.rand(1, 3, SIZE, SIZE)
    with torch.inference_mode():
        program = trace(fx.symbolic_trace(module), inputs, (2, 3), torch.float32)
    return AlignmentTables(program.body, (SIZE, SIZE), (4, 4))


def lengths(tables, *starts):
    placements = tables.placements(np.array(starts), 2)
    return [placements[id(step)].lengths for step in tables.steps]


def test_lengths_depend_on_the_alignment_with_strides(tables):
    """Of 4 pixels: 6 outputs of the convolution, on 3 of the pooling or on 4."""
    assert lengths(tables, (7, 7)) == [(4, 4), (6, 6), (3, 3), (5, 5)]
    assert lengths(tables, (8, 8)) == [(4, 4), (6, 6), (4, 4), (6, 6)]
    assert lengths(tables, (7, 8)) == [(4, 4), (6, 6), (3, 4), (5, 6)]


def test_boxes_are_cut_off_at_the_border(tables):
    assert lengths(tables, (0, SIZE - 4)) == [(4, 4), (5, 5), (3, 3), (4, 4)]


def test_a_batch_takes_the_longest_and_stays_inside(tables):
    placements = tables.placements(np.array([(0, 0), (8, 8), (SIZE - 4, 8)]), 2)
    last = placements[id(tables.steps[-1])]
    assert last.lengths == (6, 6)
    assert last.starts == [(0, 0), (2, 2), (SIZE // 2 - 6, 2)]
    assert not last.whole


def test_what_is_nearly_the_whole_map_is_the_whole_map():
    module = nn.Sequential(conv(3, 4, 7, padding=3), conv(4, 4, 7, padding=3)).eval()
    with torch.inference_mode():
        program = trace(fx.symbolic_trace(module), torch.rand(1, 3, 12, 12), (2, 3), torch.float32)
    found = AlignmentTables(program.body, (12, 12), (5, 5)).placements(np.array([[3, 4]]), 1)
    assert [found[id(step)].whole for step in program.body] == [False, True, True]
    assert found[id(program.body[1])].starts == [(0, 0)]


def test_similar_windows_come_together(tables):
    starts = np.array([(y, x) for y in range(6, 14) for x in range(6, 14)])
    ordered = starts[tables.similar(starts)]
    parities = [tuple(start % 2) for start in ordered]
    assert sorted(tables.similar(starts)) == list(range(64))
    assert sum(a != b for a, b in itertools.pairwise(parities)) == 3


def test_the_largest_box_is_of_any_window_and_step(tables):
    assert tables.largest == 4 * 6 * 6
