import numpy as np
import pytest

from preddiff.errors import SettingError
from preddiff.samplers.spec import SpecContext


def test_the_patch_is_the_window_with_its_margin_on_both_sides():
    context = SpecContext((3, 20, 20), 4, np.int64(2), prepare=None, mean=None)
    assert context.patch == 8


@pytest.mark.parametrize("margin", [0, -1, 1.5, True, "2", None])
def test_margins_that_leave_no_room_are_refused(margin):
    context = SpecContext((3, 20, 20), 4, margin, prepare=None, mean=None)
    with pytest.raises(SettingError, match=f"margin={margin} leaves no room around the window"):
        _ = context.patch
