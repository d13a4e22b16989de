"""Volumes as text: where voxels lie, and on which side of a threshold they are."""

import base64
import gzip
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from preddiff.media.grid import Grid
from preddiff.viewer.volume_encoding import LEVELS, frame, pack_map, pack_scan, within_cap

SHAPE = (8, 10, 12)  # z, y, x
RAS = np.array([[2.0, 0, 0, -9], [0, 2, 0, -11], [0, 0, 3, -5], [0, 0, 0, 1]])
LAS = np.array([[-2.0, 0, 0, 13], [0, 2, 0, -11], [0, 0, 3, -5], [0, 0, 0, 1]])
TURNED = np.array([[0.2, 0, 2.4, -9], [-2, 0.1, 0.2, 11], [0, 2, -0.2, -5], [0, 0, 0, 1]])


def unpacked(text):
    """What the page's script makes of a packed volume."""
    held = gzip.decompress(base64.b64decode(text))
    steps = np.frombuffer(held[352:], np.uint8).reshape(2, -1).T.copy().view("<i2").ravel()
    shape = nibabel.Nifti1Header(held[:348]).get_data_shape()
    levels = steps.reshape(shape, order="F")
    for axis in range(3):
        levels = levels.cumsum(axis=axis, dtype="<i2")
    return nibabel.Nifti1Image.from_bytes(held[:352] + levels.tobytes(order="F"))


@pytest.mark.parametrize("affine", [RAS, LAS, TURNED])
def test_a_packed_map_lies_where_the_scan_does(rng, affine):
    relevance = rng.normal(size=SHAPE)
    grid = Grid(SHAPE, affine, {})
    packed, end = pack_map(relevance, frame(SHAPE, grid))
    image = unpacked(packed)
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    for index in ([0, 0, 0], [7, 9, 11], [3, 1, 10]):
        voxel = np.linalg.inv(image.affine) @ [*grid.world(np.array([index]))[0], 1]
        value = image.dataobj[tuple(np.rint(voxel[:3]).astype(int))]
        np.testing.assert_allclose(value, relevance[tuple(index)], atol=end / LEVELS)


def test_a_packed_volume_has_no_text_in_its_header(rng):
    header = unpacked(pack_scan(rng.random(SHAPE), frame(SHAPE, Grid(SHAPE, RAS, {})))).header
    for field in ("descrip", "db_name", "data_type", "aux_file", "intent_name"):
        assert bytes(header[field]).strip(b"\0") == b""


def test_a_packed_scan_keeps_twelve_bits(rng):
    scan = rng.normal(40, 300, size=SHAPE)
    held = unpacked(pack_scan(scan, frame(SHAPE, None))).get_fdata().T
    np.testing.assert_allclose(held, scan, atol=np.ptp(scan) / 4095)
    flat = unpacked(pack_scan(np.full(SHAPE, 7.0), frame(SHAPE, None))).get_fdata()
    np.testing.assert_array_equal(flat, 7)


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20), st.integers(0, 99))
@example(values=[100.0, 7.0, -7.0, 7.001, 29.0], percent=7)
@example(values=[100.0, 7.0, 29.0, 28.999, -29.0001], percent=29)
def test_levels_are_above_a_percentage_where_values_are(values, percent):
    relevance = np.array(values).reshape(1, 1, -1)
    packed, end = pack_map(relevance, frame(relevance.shape, None))
    levels = np.asarray(unpacked(packed).dataobj.get_unscaled()).T.astype(int)
    above = np.abs(relevance) / end - percent / 100
    clear = (np.abs(above) > 1e-10) | (above == 0)
    expected = above > 1e-10
    np.testing.assert_array_equal(
        (np.abs(levels) > percent * LEVELS // 100)[clear], expected[clear]
    )


def test_a_voxel_without_a_window_is_told_from_zero(rng):
    relevance = rng.normal(size=SHAPE)
    relevance[0] = np.nan
    packed, _ = pack_map(relevance, frame(SHAPE, None))
    levels = np.asarray(unpacked(packed).dataobj.get_unscaled()).T
    np.testing.assert_array_equal(levels == -32768, np.isnan(relevance))


def test_a_page_of_a_large_scan_stays_below_its_cap():
    where = frame((256, 256, 256), None)
    large = within_cap(where, 256**3, 2)
    assert (large.scan_step, large.map_step) == (1, 2)
    small = within_cap(where, 91 * 109 * 91, 10)
    assert (small.scan_step, small.map_step) == (1, 1)
    huge = within_cap(where, 1024**3, 2)
    assert 1.6 * 1024**3 * (1 / huge.scan_step**3 + 2 / huge.map_step**3) <= 48e6


def test_what_a_page_halves_are_means_of_what_is_known():
    relevance = np.full((4, 4, 5), np.nan)
    relevance[0, 0, :] = [1, 3, 5, 7, 8]
    relevance[3, 3, 4] = -6
    where = replace(frame(relevance.shape, None), map_step=2)
    packed, end = pack_map(relevance, where)
    held = unpacked(packed)
    assert (end, float(held.header["intent_p1"])) == (8, 2)
    found = held.get_fdata().T
    assert found.shape == (2, 2, 3)
    np.testing.assert_allclose(found[0, 0], [2, 6, 8], atol=1e-3)
    np.testing.assert_allclose(found[1, 1, 2], -6, atol=1e-3)
    assert (found[0, 1] < -7.9).all()  # unknown is the lowest level of all
