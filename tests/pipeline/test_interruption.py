"""Ctrl-C and SIGTERM end an analysis with the map so far."""

import os
import signal
import threading

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.pipeline import run_of_windows
from preddiff.pipeline.interruption import current, interruptible
from preddiff.results.checkpoint import UntilSaved

SHAPE = (3, 16, 16)
WINDOWS = {"window": 4, "stride": 2, "samples": 4, "targets": 1}
SETS = {"window": 4, "sets": 300, "sampler": "constant:0.5", "targets": 1}


@pytest.fixture
def picture(rng):
    return rng.random(SHAPE).astype(np.float32)


class Signalled:
    """A classifier during whose work signals come."""

    def __init__(self, number, after, times=1):
        self.classify = Softmax(SHAPE)
        self.number, self.after, self.times, self.seen = number, after, times, 0

    def __call__(self, inputs):
        self.seen += len(inputs)
        if self.times and self.seen >= self.after:
            self.times -= 1
            os.kill(os.getpid(), self.number)
        return self.classify(inputs)


@pytest.mark.parametrize("settings", [WINDOWS, {**WINDOWS, "tolerance": 0.01}, SETS])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_map_so_far_is_kept_and_gone_on_from(
    picture, tmp_path, monkeypatch, capfd, settings, number
):
    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 8)
    kept = UntilSaved(tmp_path / "cat.npz", goes_on=False)
    with interruptible() as interruption:
        model = Signalled(number, after=160)
        e = preddiff.explain(model, picture, checkpoint=kept, **settings)
    assert interruption.status == 128 + number
    assert e.is_partial
    assert np.isfinite(e.relevance).any()
    assert "partial: stopped before the end" in e.relative_error_text
    assert "Stopping, with the map so far; once more leaves at once." in capfd.readouterr().err
    assert e.provenance["evaluations"] < 260
    whole = preddiff.explain(Softmax(SHAPE), picture, **settings)
    again = Signalled(number, after=np.inf)
    resumed = preddiff.explain(again, picture, checkpoint=UntilSaved(kept.path), **settings)
    np.testing.assert_array_equal(resumed.evidence, whole.evidence)
    assert again.seen < whole.provenance["evaluations"] - 100
    assert not resumed.is_partial


@pytest.mark.parametrize(
    ("number", "leaves"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
@pytest.mark.parametrize(("after", "times"), [(1, 1), (160, 2)], ids=["at once", "twice"])
def test_before_there_is_a_map_or_a_second_time_a_signal_leaves(
    picture, tmp_path, monkeypatch, number, leaves, after, times
):
    monkeypatch.setattr(run_of_windows, "_MAX_DRAWS_HELD", 1000)
    kept = UntilSaved(tmp_path / "cat.npz", goes_on=False)
    with interruptible(), pytest.raises(leaves) as left:
        preddiff.explain(Signalled(number, after, times), picture, checkpoint=kept, **WINDOWS)
    # What was measured by then is kept, chunk by chunk, from the first one on.
    assert list(tmp_path.iterdir()) == ([kept.path] if times == 2 else [])
    if leaves is SystemExit:
        assert left.value.code == 143


def test_of_too_few_sets_there_is_no_map_but_the_work_is_kept(picture, tmp_path):
    kept = UntilSaved(tmp_path / "cat.npz", goes_on=False)
    with interruptible(), pytest.raises(KeyboardInterrupt):
        preddiff.explain(Signalled(signal.SIGINT, after=30), picture, checkpoint=kept, **SETS)
    assert kept.path.exists()


def test_several_explanations_end_with_the_one_that_was_interrupted(picture):
    with interruptible():
        model = Signalled(signal.SIGINT, after=160)
        made = preddiff.compare(model, picture, sampler=["conditional", "constant:0"], **WINDOWS)
    assert len(made) == 1


def test_signals_are_as_they_were_afterwards():
    before = signal.getsignal(signal.SIGINT)
    ignored = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with interruptible() as interruption:
            assert signal.getsignal(signal.SIGINT) == interruption.came
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
            assert current() is interruption
    finally:
        signal.signal(signal.SIGTERM, ignored)
    assert signal.getsignal(signal.SIGINT) == before
    assert current() is not interruption
    thread = threading.Thread(target=lambda: interruptible().__enter__())
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) == before
