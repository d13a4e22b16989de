import numpy as np
import pytest

from preddiff.samplers.gaussian import box_columns
from preddiff.samplers.gaussian.box_columns import ShiftedBoxes


@pytest.mark.parametrize("spatial", [(7, 9), (6, 7, 8)])
@pytest.mark.parametrize("share", [1.0, 0.3])
@pytest.mark.parametrize("memory", [1, 1 << 26])
def test_columns_are_the_boxes_flattened(rng, monkeypatch, spatial, share, memory):
    monkeypatch.setattr(box_columns, "_MAX_COPY_BYTES", memory)
    array = rng.normal(size=(2, *spatial))
    lengths, inner = (3,) * len(spatial), (1,) * len(spatial)
    positions = np.argwhere(rng.random([n - 2 for n in spatial]) < share)
    positions = positions[rng.permutation(len(positions))]
    whole = ShiftedBoxes(array, (0,) * len(spatial), lengths)
    centre = ShiftedBoxes(array, inner, inner)
    met = []
    for some, (boxes, centres) in box_columns.box_columns(positions, whole, centre):
        met.extend(some)
        for n, box, middle in zip(some, boxes.T, centres.T, strict=True):
            at = tuple(slice(p, p + 3) for p in positions[n])
            np.testing.assert_array_equal(box, array[(slice(None), *at)].reshape(-1))
            np.testing.assert_array_equal(middle, array[(slice(None), *(positions[n] + 1))])
    assert sorted(met) == list(range(len(positions)))
