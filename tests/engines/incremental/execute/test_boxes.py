"""Boxes and where they lie on the base."""

import numpy as np
import pytest
import torch

from preddiff.engines.incremental.execute.boxes import Box, Placement, gather, split

BASE = torch.arange(60.0).view(1, 2, 6, 5)
AXES = (2, 3)
PLACEMENT = Placement([(1, 2), (1, 2), (3, 0)], (2, 3), False, 2)


@pytest.fixture
def box():
    torch.manual_seed(0)
    return Box(BASE, AXES, PLACEMENT, change=torch.randn(6, 2, 2, 3))


def whole(box):
    """Values of the whole output, put together by hand."""
    result = BASE.repeat(6, 1, 1, 1)
    for n in range(6):
        y, x = PLACEMENT.starts[n // 2]
        result[n, :, y : y + 2, x : x + 3] += box.change[n]
    return result


def test_values_are_the_base_plus_changes(box):
    for n in range(6):
        y, x = PLACEMENT.starts[n // 2]
        torch.testing.assert_close(box.value[n], whole(box)[n, :, y : y + 2, x : x + 3])
    back = Box(BASE, AXES, PLACEMENT, value=box.value)
    torch.testing.assert_close(back.change, box.change, atol=1e-5, rtol=0)
    assert back.held is back.change


def test_a_box_of_nothing_is_a_mistake():
    with pytest.raises(RuntimeError, match="either its value or its change"):
        _ = Box(BASE, AXES, PLACEMENT).value


@pytest.mark.parametrize("lengths", [(2, 3), (3, 3), (1, 2)])
@pytest.mark.parametrize("shift", [(0, 0), (1, -1), (-1, 1), (3, 2)])
def test_other_boxes_see_the_same_output(box, shift, lengths):
    starts = [(min(y + shift[0], 3), max(0, x + shift[1])) for y, x in PLACEMENT.starts]
    starts = [(max(0, y), min(x, 2)) for y, x in starts]
    values, changes = box.value_over(starts, lengths), box.change_over(starts, lengths)
    for n in range(6):
        y, x = starts[n // 2]
        cut = np.s_[:, y : y + lengths[0], x : x + lengths[1]]
        torch.testing.assert_close(values[n], whole(box)[n][cut])
        torch.testing.assert_close(changes[n], (whole(box)[n] - BASE[0])[cut], atol=1e-5, rtol=0)


def test_changes_are_0_outside_of_the_output(box):
    found = box.change_over([(-2, -1)] * 3, (3, 4))
    assert not found[:, :, :2].any()
    assert not found[:, :, :, :1].any()


def test_a_margin_stands_for_what_is_outside(box):
    table = torch.nn.functional.pad(BASE, (1, 1, 1, 1), value=-7.0)
    found = box.value_over([(-1, -1)] * 3, (3, 3), table, (1, 1))
    assert (found[:, :, 0] == -7).all()
    torch.testing.assert_close(found[4:, :, 1:, 1:], whole(box)[4:, :, :2, :2])


def test_what_windows_share_is_a_view():
    assert gather(BASE, AXES, [(1, 1)] * 3, (2, 2)).data_ptr() == BASE[:, :, 1:, 1:].data_ptr()
    assert len(gather(BASE, AXES, [(1, 1), (0, 1)], (2, 2))) == 2


def test_starts_along_three_axes():
    np.testing.assert_array_equal(PLACEMENT.starts_zyx, [[0, 1, 2], [0, 1, 2], [0, 3, 0]])


def test_rows_are_windows_times_draws():
    rows = torch.arange(12).view(6, 2)
    assert split(rows, 3).shape == (3, 2, 2)
    assert split(rows, 3).data_ptr() == rows.data_ptr()
