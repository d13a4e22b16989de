"""What counts as inside of a mask."""

import numpy as np
import pytest

from preddiff.errors import InputError, InputWarning
from preddiff.media.masks import inside


@pytest.mark.parametrize(
    "values",
    [
        [True, False, True],
        [1.0, 1e-15, 1.0],
        [1.0, -1e-17, 0.3],
        [255, 0, 255],
        [1, 0, 614_454_277],  # labels of an atlas
        [1e-3, 0, 1e-5],
    ],
)
def test_noise_outside_of_a_mask_does_not_count(values):
    assert inside(np.array(values)).tolist() == [True, False, True]


def test_minus_one_outside_of_a_mask_does_not_count_and_is_told():
    with pytest.warns(InputWarning, match="values from -1 to 1: only those above 0 count"):
        assert inside(np.array([1, -1, 0, 1])).tolist() == [True, False, False, True]


def test_masks_that_say_nothing():
    assert not inside(np.zeros(3)).any()
    with pytest.raises(InputError, match="values from -1 to 0: expected above 0 where it matters"):
        inside(np.array([-1, 0]))
    with pytest.raises(InputError, match="NaN or infinite"):
        inside(np.array([np.nan, 1]))
