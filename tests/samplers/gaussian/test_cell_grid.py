import numpy as np

from preddiff.samplers.gaussian.cell_grid import CellGrid


def test_every_position_has_a_cell_and_cells_are_of_like_sizes():
    grid = CellGrid.over((12, 9), 3, (4, 3))
    corners = np.argwhere(np.ones((10, 7), dtype=bool))
    cells = grid.numbers(corners).reshape(10, 7)
    assert cells[:, 0].tolist() == [0, 0, 0, 3, 3, 6, 6, 6, 9, 9]
    assert cells[0].tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_there_are_no_more_cells_than_positions():
    assert CellGrid.over((12, 9), 3, (20, 3)).cells == (10, 3)


def test_large_cells_are_looked_at_in_steps():
    assert CellGrid((91, 109, 91), 7, (20, 20, 20)).step == (1, 2, 1)
    assert CellGrid((30, 8), 3, (1, 6)).step == (6, 1)


def test_cells_that_a_mask_touches_are_those_of_patches_that_hold_one_of_its_voxels():
    grid = CellGrid.over((8, 8), 3, (6, 6))
    mask = np.zeros((8, 8), dtype=bool)
    mask[0, 7] = True
    assert grid.touching(mask).tolist() == [5]
    mask[4, 4] = True
    expected = [5, *(6 * y + x for y in (2, 3, 4) for x in (2, 3, 4))]
    assert grid.touching(mask).tolist() == expected
    assert grid.touching(None).tolist() == list(range(36))
