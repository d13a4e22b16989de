"""Values on another grid: their place in the world, their edge, and what is refused."""

import numpy as np
import pytest
from scipy import ndimage

from preddiff.errors import InputError, InputWarning
from preddiff.media import volumes
from preddiff.media.grid import Grid, Turns
from preddiff.media.resampling import onto
from preddiff.media.volumes import Volume
from scans import AFFINES, OBLIQUE

SHAPE = (7, 8, 9)
SILENT = {"sform_code": 0, "qform_code": 0}


def shifted(affine, *voxels):
    return affine @ np.array([[1, 0, 0, voxels[0]], [0, 1, 0, voxels[1]], [0, 0, 1, voxels[2]],
                              [0, 0, 0, 1.0]])  # fmt: skip


@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize("way", [0.02, -0.02])
def test_a_fiftieth_of_a_voxel_does_not_zero_the_last_plane(rng, way, nearest):
    values = rng.normal(100, 10, size=SHAPE)
    target = Grid(SHAPE, shifted(OBLIQUE, way, way, way))
    moved, share = onto(values, Grid(SHAPE, OBLIQUE), target, nearest=nearest)
    assert share == 1
    assert moved.min() > 50


def test_inside_numbers_are_those_of_linear_interpolation(rng):
    values = rng.normal(size=SHAPE).astype(np.float32)
    grid, target = Grid(SHAPE, OBLIQUE), Grid((5, 5, 5), shifted(OBLIQUE, 1.3, 2.6, 0.4))
    z, y, x = np.indices((5, 5, 5)) + np.reshape([0.4, 2.6, 1.3], (3, 1, 1, 1))
    expected = ndimage.map_coordinates(values, [z, y, x], order=1)
    np.testing.assert_allclose(onto(values, grid, target)[0], expected, atol=1e-5)


@pytest.mark.parametrize("name", AFFINES)
def test_flipped_and_permuted_axes_are_brought_back_to_the_bit(rng, name):
    values = rng.normal(size=SHAPE).astype(np.float32)
    grid, turns = Grid(SHAPE, AFFINES[name]), Turns((2, 0, 1), (True, False, True))
    moved, share = onto(values, grid, grid.turned(turns))
    np.testing.assert_array_equal(moved, turns.applied(values))
    assert share == 1


def test_a_scan_500_mm_away_is_refused(rng):
    far = AFFINES["RAS"].copy()
    far[0, 3] += 500
    with pytest.raises(InputError, match=r"do not overlap: expected the same part.*register"):
        onto(rng.normal(size=SHAPE), Grid(SHAPE, far), Grid(SHAPE, AFFINES["RAS"]))


def test_a_scan_that_shows_a_corner_only_is_told(rng):
    volume = Volume(rng.normal(size=(1, *SHAPE)).astype(np.float32), Grid(SHAPE, AFFINES["RAS"]))
    target = Grid(SHAPE, shifted(AFFINES["RAS"], 6, 5, 4))
    with pytest.warns(InputWarning, match=r"only \d+% of .* shows; the rest is 0"):
        volumes.resample(volume, target)


@pytest.mark.parametrize("silent", ["scan", "model", "both"])
def test_where_sides_are_unknown_nothing_is_resampled(rng, silent):
    one = Grid(SHAPE, OBLIQUE, {} if silent == "model" else SILENT)
    other = Grid((5, 5, 5), OBLIQUE, {} if silent == "scan" else SILENT)
    with pytest.raises(InputError, match="which side is left"):
        onto(rng.normal(size=SHAPE), one, other)
