"""Interrupted work goes on where it stopped, and comes to the same result."""

import errno

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import EngineWarning, ResultError
from preddiff.pipeline import run_of_windows
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
    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", 1.0)
    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 8)
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


@pytest.mark.parametrize("share", [1.0, 1e-9])
def test_a_kill_costs_a_chunk_at_most_unless_writing_would_take_the_time(
    tmp_path, picture, monkeypatch, share
):
    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", share)
    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 8)  # two windows a chunk
    kept = []

    def progress(done, of):
        with np.load(tmp_path / "cat.npz") as file:  # what a kill at this moment leaves
            kept.append((done, int(file["visits"])))

    preddiff.explain(
        Softmax(picture.shape), picture, checkpoint=tmp_path / "cat.npz", progress=progress,
        **SETTINGS,
    )  # fmt: skip
    lost = [done - visits for done, visits in kept]
    assert len(lost) > 10
    assert (max(lost) == 0) == (share == 1)


def test_work_of_another_number_of_threads_goes_on(picture, unfinished):
    """The last bits of predictions differ with the number of threads."""
    almost = Fragile(picture.shape, at=10_000)
    almost.classify.weights = almost.classify.weights * np.float64(1 + 3e-7)
    e = preddiff.explain(almost, picture, checkpoint=unfinished, **SETTINGS)
    assert almost.seen < len(e.evidence.window) * 4


@pytest.fixture
def half_done(tmp_path, picture, small_network, monkeypatch):
    """The file that an interrupted analysis of a network left, in bfloat16, and its settings."""
    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", 1.0)
    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 8)
    path = tmp_path / "half.npz"
    interrupted(small_network, picture, checkpoint=path, precision="bfloat16", **SETTINGS)
    return path


def interrupted(model, picture, after=5, **settings):
    """Run an analysis that is interrupted after some chunks."""

    def progress(done, of):
        nonlocal after
        after -= 1
        if not after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        preddiff.explain(model, picture, progress=progress, **settings)


def test_resumed_work_goes_on_by_the_same_engine_in_the_same_precision(
    picture, small_network, half_done
):
    right = preddiff.explain(small_network, picture, precision="bfloat16", **SETTINGS)
    e = preddiff.explain(small_network, picture, checkpoint=half_done, **SETTINGS)
    assert e.provenance["precision"] == "bfloat16"
    np.testing.assert_array_equal(e.evidence, right.evidence)


@pytest.mark.parametrize("wish", [{"engine": "dense"}, {"precision": "float32"}])
def test_work_is_not_continued_by_another_engine_or_in_another_precision(
    picture, small_network, half_done, wish
):
    with pytest.raises(ResultError, match="done by the incremental engine in bfloat16; continue"):
        preddiff.explain(small_network, picture, checkpoint=half_done, **wish, **SETTINGS)
    assert half_done.exists()


def test_a_checkpoint_stays_until_the_result_is_saved(tmp_path, picture):
    kept = checkpoint.UntilSaved(tmp_path / "cat.npz")
    first = preddiff.explain(
        Fragile(picture.shape, at=10_000), picture, checkpoint=kept, **SETTINGS
    )
    again = Fragile(picture.shape, at=10)  # draws that were done are not done again
    e = preddiff.explain(again, picture, checkpoint=kept, **SETTINGS)
    np.testing.assert_array_equal(e.evidence, first.evidence)
    kept.remove()
    assert list(tmp_path.iterdir()) == []


def test_finished_work_with_a_tolerance_is_not_done_further(tmp_path, picture):
    kept = checkpoint.UntilSaved(tmp_path / "cat.npz")
    settings = {**SETTINGS, "tolerance": 0.3, "stride": 1}
    first = preddiff.explain(Softmax(picture.shape), picture, checkpoint=kept, **settings)
    e = preddiff.explain(Softmax(picture.shape), picture, checkpoint=kept, **settings)
    np.testing.assert_array_equal(e.evidence, first.evidence)


def test_a_full_disk_does_not_end_the_analysis(tmp_path, picture, monkeypatch):
    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", 1.0)

    def full(*_arguments, **_arrays):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(EngineWarning, match="is not kept: .*No space left") as warned:
        preddiff.explain(
            Softmax(picture.shape), picture, checkpoint=tmp_path / "cat.npz", **SETTINGS
        )
    assert len(warned) == 1


def test_a_checkpoint_that_could_never_be_written_is_refused_before_the_work(tmp_path, picture):
    (tmp_path / "file").touch()
    seen = Fragile(picture.shape, at=10)
    with pytest.raises(ResultError, match="not a folder that can be written"):
        preddiff.explain(seen, picture, checkpoint=tmp_path / "file" / "a.npz", **SETTINGS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "seed was 0, is 1"),
        ({"targets": 0}, r"targets was \[1\], is \[0\]"),
        ({"stride": 3}, "stride was 2, is 3; the windows changed"),
        ({"samples": 5}, "samples was 4, is 5"),
        ({"sampler": "constant:0.5"}, "the sampler changed"),
        ({"tolerance": 0.1}, "tolerance was not set, is 0.1"),
    ],
)
def test_unfinished_work_of_other_settings_is_refused_by_what_changed(
    picture, unfinished, change, said
):
    with pytest.raises(ResultError, match=f"unfinished work, but not of what .*{said}"):
        preddiff.explain(
            Fragile(picture.shape, 10_000), picture, checkpoint=unfinished, **{**SETTINGS, **change}
        )
    assert unfinished.exists()


def test_unfinished_work_of_another_model_or_input_is_refused(picture, unfinished):
    other = Fragile(picture.shape, 10_000)
    other.classify = Softmax(picture.shape, seed=2)
    with pytest.raises(ResultError, match=r"not of .* \(the model gives another answer"):
        preddiff.explain(other, picture, checkpoint=unfinished, **SETTINGS)
    with pytest.raises(ResultError, match=r"not of .* \(the input changed\); continue"):
        preddiff.explain(
            Fragile(picture.shape, 10_000), picture[::-1], checkpoint=unfinished, **SETTINGS
        )


@pytest.mark.parametrize("tolerances", [(0.3, 0.1), (0.3, 0.05)])
def test_a_smaller_tolerance_goes_on_with_the_same_draws(tmp_path, picture, tolerances):
    wide, narrow = ({**SETTINGS, "stride": 1, "tolerance": each} for each in tolerances)
    path, seen = tmp_path / "cat.npz", Fragile(picture.shape, at=10**9)
    direct = preddiff.explain(seen, picture, **narrow)
    all_passes, seen.seen = seen.seen, 0
    first = preddiff.explain(seen, picture, checkpoint=path, **wide)
    before, seen.seen = seen.seen, 0
    e = preddiff.explain(seen, picture, checkpoint=path, **narrow)
    assert first.relative_errors[0] < tolerances[0]
    np.testing.assert_array_equal(e.evidence, direct.evidence)
    np.testing.assert_array_equal(e.standard_error, direct.standard_error)
    assert seen.seen < all_passes
    assert before + seen.seen < all_passes + 20  # what every run asks of a model before its draws
    with pytest.raises(ResultError, match=rf"tolerance was {tolerances[1]}, is {tolerances[0]}"):
        preddiff.explain(seen, picture, checkpoint=path, **wide)


def test_what_is_no_checkpoint_is_refused(tmp_path, picture):
    (tmp_path / "a.npz").write_bytes(b"nothing")
    with pytest.raises(ResultError, match="not a checkpoint .*; remove it"):
        preddiff.explain(Softmax(picture.shape), picture, checkpoint=tmp_path / "a.npz", **SETTINGS)


def test_without_a_file_nothing_is_kept(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "_SHARE_OF_TIME", 1.0)
    preddiff.explain(Softmax(picture.shape), picture, **SETTINGS)
    assert list(tmp_path.iterdir()) == []
