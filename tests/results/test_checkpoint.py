"""Interrupted work goes on where it stopped, and comes to the same result."""

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import ResultError
from preddiff.pipeline import run
from preddiff.results import checkpoint

SETTINGS = {"targets": 1, "window": 4, "stride": 2, "samples": 4}


class Fragile:
    """A classifier that is interrupted at a certain call."""

    def __init__(self, shape, at):
        self.classify, self.at, self.seen = Softmax(shape), at, 0

    def __call__(self, inputs):
        self.seen += len(inputs)
        if self.seen > self.at:
            raise KeyboardInterrupt
        return self.classify(inputs)


@pytest.fixture
def picture(rng):
    return rng.random((3, 16, 16)).astype(np.float32)


@pytest.fixture
def unfinished(tmp_path, picture, monkeypatch):
    """The file that an interrupted analysis left."""
    monkeypatch.setattr(checkpoint, "_SECONDS_BETWEEN_WRITES", 0.0)
    monkeypatch.setattr(run, "_MAX_DRAWS_HELD", 8)
    path = tmp_path / "cat.unfinished.npz"
    with pytest.raises(KeyboardInterrupt):
        preddiff.explain(Fragile(picture.shape, at=30), picture, checkpoint=path, **SETTINGS)
    assert path.exists()
    return path


def test_it_goes_on_where_it_stopped(picture, unfinished):
    whole = preddiff.explain(Softmax(picture.shape), picture, **SETTINGS)
    again = Fragile(picture.shape, at=10_000)
    e = preddiff.explain(again, picture, checkpoint=unfinished, **SETTINGS)
    np.testing.assert_array_equal(e.evidence, whole.evidence)
    np.testing.assert_array_equal(e.evidence_error, whole.evidence_error)
    assert again.seen < len(whole.evidence.window) * 4
    assert not unfinished.exists()


@pytest.mark.parametrize("change", [{"seed": 1}, {"targets": 0}, {"stride": 3}, {"samples": 5}])
def test_unfinished_work_of_other_settings_is_refused(picture, unfinished, change):
    with pytest.raises(ResultError, match="unfinished work of another input, model or setting"):
        preddiff.explain(
            Fragile(picture.shape, 10_000), picture, checkpoint=unfinished, **{**SETTINGS, **change}
        )
    assert unfinished.exists()


def test_unfinished_work_of_another_model_is_refused(picture, unfinished):
    other = Fragile(picture.shape, 10_000)
    other.classify = Softmax(picture.shape, seed=2)
    with pytest.raises(ResultError, match="unfinished work of another input, model or setting"):
        preddiff.explain(other, picture, checkpoint=unfinished, **SETTINGS)


def test_what_is_no_checkpoint_is_refused(tmp_path, picture):
    (tmp_path / "a.npz").write_bytes(b"nothing")
    with pytest.raises(ResultError, match="not a checkpoint .*; remove it"):
        preddiff.explain(Softmax(picture.shape), picture, checkpoint=tmp_path / "a.npz", **SETTINGS)


def test_without_a_file_nothing_is_kept(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "_SECONDS_BETWEEN_WRITES", 0.0)
    preddiff.explain(Softmax(picture.shape), picture, **SETTINGS)
    assert list(tmp_path.iterdir()) == []
