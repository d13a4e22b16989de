import numpy as np

from preddiff.samplers.gaussian.patches import (
    box_indices,
    flattened,
    patch_corners,
    split_indices,
)


def test_corners_are_of_patches_inside_some_steps_apart():
    corners = patch_corners((5, 7), 3, None, (2, 2))
    assert corners.tolist() == [[0, 0], [0, 2], [0, 4], [2, 0], [2, 2], [2, 4]]


def test_corners_are_of_patches_centred_in_a_mask():
    mask = np.zeros((6, 6), dtype=bool)
    mask[3, 2:4] = mask[0, 0] = True
    assert patch_corners((6, 6), 3, mask, (1, 1)).tolist() == [[2, 1], [2, 2]]


def test_patches_are_flattened_in_c_order(rng):
    inputs = rng.normal(size=(2, 5, 6)).astype(np.float32)
    corners = np.array([[0, 0], [2, 3], [1, 2]])
    patches = flattened(inputs, corners, (2, 3, 3))
    for (y, x), patch in zip(corners, patches, strict=True):
        np.testing.assert_array_equal(patch, inputs[:, y : y + 3, x : x + 3].reshape(-1))


def test_the_indices_of_a_box_and_of_the_rest_are_all_there_are():
    inside, rest = split_indices((2, 4, 4), (1, 2), (2, 1))
    assert inside.tolist() == [6, 10, 22, 26]
    np.testing.assert_array_equal(inside, box_indices((2, 4, 4), (1, 2), (2, 1)))
    assert sorted([*inside, *rest]) == list(range(32))


def test_what_is_kept_is_bounded():
    """A process that analyses for days does not grow."""
    assert split_indices.cache_info().maxsize is not None
