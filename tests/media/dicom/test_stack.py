"""Slices that are missing, doubled or turned are told; none is moved."""

import numpy as np
import pytest

import slices
from preddiff.errors import InputError, InputWarning
from preddiff.media import volumes


@pytest.fixture
def stored(rng):
    return rng.integers(0, 2000, size=(5, 6, 5))


def every_other(folder, stored, **tags):
    """Slices 0, 2, 4 … of a series, with the numbers that they had."""
    folder.mkdir()
    series = slices.uids()
    for n in range(0, 2 * len(stored), 2):
        slices.write_slice(
            folder / f"{n}.dcm", n + 1, stored[n // 2], series, slices.place_of(n), **tags
        )
    return folder


@pytest.mark.parametrize(
    "tags", [{"SliceThickness": 2.5}, {"SpacingBetweenSlices": 2.5}, {"SpacingBetweenSlices": -2.5}]
)
def test_every_other_slice_missing_is_refused(tmp_path, stored, tags):
    folder = every_other(tmp_path / "half", stored, **tags)
    with pytest.raises(InputError, match="apart, .* slices are missing") as told:
        volumes.read(folder)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"SliceThickness": 1.25}, "are 1.25 mm thick and lie 2.5 mm apart"),
        ({"SpacingBetweenSlices": 3.1}, "lie 2.5 mm apart, and 3.1 by SpacingBetweenSlices"),
    ],
)
def test_spacing_that_headers_deny_is_told(tmp_path, stored, tags, message):
    folder = slices.write_series(tmp_path / "series", stored, **tags)
    with pytest.warns(InputWarning, match=message):
        volume = volumes.read(folder)
    slices.check_places(volume, stored, [slices.place_of(n) for n in range(5)])


def test_numbers_that_skip_are_told(tmp_path, stored):
    with pytest.warns(InputWarning, match="have the numbers 1, 3, 5"):
        volumes.read(every_other(tmp_path / "half", stored))


@pytest.mark.parametrize(
    "tags",
    [
        {"SliceThickness": 5},  # slices overlap
        {"SliceThickness": 2, "SpacingBetweenSlices": 0.5},  # the gap between their edges
        {"SliceThickness": 2, "SpacingBetweenSlices": 2.5},
    ],
)
def test_sound_series_are_read_without_a_word(tmp_path, stored, tags):
    volumes.read(slices.write_series(tmp_path / "series", stored, **tags))


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_one_slice_missing_is_refused(tmp_path, stored, missing):
    folder = slices.write_series(tmp_path / "series", stored)
    (folder / f"IM{missing * 7 % 5:04d}.dcm").unlink()
    with pytest.raises(InputError, match="lie 2.5 to 5 mm apart, expected equal gaps"):
        volumes.read(folder)


def test_directions_that_differ_in_the_seventh_decimal_are_one(tmp_path, stored):
    folder = tmp_path / "own"
    folder.mkdir()
    series = slices.uids()
    for n, values in enumerate(stored):
        directions = [*(slices.ROW + n * 1e-7), *slices.COLUMN]
        slices.write_slice(
            folder / str(n),
            n,
            values,
            series,
            slices.place_of(n),
            ImageOrientationPatient=list(np.round(directions, 9)),
        )
    slices.check_places(volumes.read(folder), stored, [slices.place_of(n) for n in range(5)])


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}, "differ in direction or pixel size"),
        ({"PixelSpacing": [1.5, 0.9]}, "differ in direction or pixel size"),
        ({"ImagePositionPatient": list(slices.place_of(2) + slices.ROW)}, "off a straight line"),
        ({"ImagePositionPatient": list(np.round(slices.place_of(1), 9))}, "several slices at"),
    ],
)
def test_slices_that_are_no_grid_are_refused(tmp_path, stored, tags, message):
    folder = tmp_path / "series"
    folder.mkdir()
    series = slices.uids()
    for n, values in enumerate(stored):
        own = tags if n == 2 else {}
        slices.write_slice(folder / str(n), n, values, series, slices.place_of(n), **own)
    with pytest.raises(InputError, match=message) as told:
        volumes.read(folder)
    assert len(str(told.value).splitlines()) == 1
