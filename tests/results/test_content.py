import numpy as np
import pytest
import xarray as xr

from preddiff.results.content import ATTRIBUTE, content_sha256


@pytest.fixture
def data(rng):
    arrays = {
        "a": (("y", "x"), rng.random((3, 4)), {"units": "bits"}),
        "n": ("y", np.arange(3)),
        "label": ("y", np.array(["cat", "dog", "horse"])),
    }
    return xr.Dataset(arrays, attrs={"seed": 3, "relative_error": 0.25, "input": "cat.jpg"})


def test_a_change_of_anything_changes_it(data):
    before = content_sha256(data)
    tiny = data["a"].values.copy()
    tiny[1, 2] = np.nextafter(tiny[1, 2], 1)
    others = [
        data.assign(a=data["a"].copy(data=tiny)),
        data.assign(a=data["a"].assign_attrs(units="activation")),
        data.assign(label=("y", np.array(["cat", "dog", "house"]))),
        data.assign(n=data["n"].astype(np.int32)),
        data.rename(n="m"),
        data.rename(x="z"),
        data.drop_vars("n"),
        data.assign_attrs(seed=4),
        data.assign_attrs(more=1),
    ]
    found = {before, *map(content_sha256, others)}
    assert len(found) == 1 + len(others)


def test_how_it_is_held_does_not(data):
    before = content_sha256(data)
    same = data.assign(label=("y", data["label"].values.astype("U20")))
    same["n"] = ("y", data["n"].values.astype(">i8"))
    same.attrs = {ATTRIBUTE: "…", "preddiff_format": 1, **dict(reversed(data.attrs.items()))}
    same.attrs["seed"] = np.int64(3)
    assert content_sha256(same) == before
