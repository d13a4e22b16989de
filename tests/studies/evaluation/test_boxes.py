"""How much of a map lies on the object."""

import numpy as np
import pytest

from preddiff.studies.evaluation.boxes import box_of, share_in_box


def test_a_picture_has_a_box_by_its_name_and_at_its_size():
    assert box_of("n01518878_ostrich.jpg", (224, 224)) == (85, 46, 134, 170)
    assert box_of("birds/n01518878_ostrich.jpg", (224, 224)) == (85, 46, 134, 170)
    assert box_of("n01518878_ostrich.jpg", (227, 227)) is None
    assert box_of("n01443537_goldfish.jpg", (224, 224)) is None


def test_only_what_speaks_for_the_object_counts():
    values = -np.ones((224, 224))
    values[46, 85] = values[169, 133] = 3  # the first and the last pixel of the box
    values[170, 133] = values[169, 134] = 1  # one beyond
    assert share_in_box(values, (85, 46, 134, 170)) == pytest.approx(6 / 8)
    assert np.isnan(share_in_box(-np.ones((224, 224)), (85, 46, 134, 170)))
