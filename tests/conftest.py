"""What several tests need: real data where it is, a small network, a quick classifier."""

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from threadpoolctl import threadpool_limits
from torch import nn

torch.set_num_threads(2)
if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers of pytest-xdist share the processors: threads of their own, or of programs that they
    # start, would wait for each other, and take many times as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    threadpool_limits(1)
    torch.set_num_threads(1)
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

DATA = Path(os.environ.get("PREDDIFF_DATA", Path(__file__).parents[2] / "shared" / "data"))
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"real models and pictures are not at {DATA} (PREDDIFF_DATA)"
)


@pytest.fixture(scope="session", autouse=True)
def interruptible_by_ctrl_c():
    """Shells start what runs in the background without Ctrl-C, which programs of tests inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def nothing_kept_between_runs():
    """Tests neither write to the user's cache nor find there, or in one, what others did."""
    before = os.environ.get("PREDDIFF_CACHE")
    os.environ["PREDDIFF_CACHE"] = ""
    yield
    if before is None:
        del os.environ["PREDDIFF_CACHE"]
    else:
        os.environ["PREDDIFF_CACHE"] = before


@pytest.fixture(scope="session", autouse=True)
def nothing_waits_for_the_disk():
    """Writing a result waits for each of its files to be on the disk, against loss of power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(20170224)


@pytest.fixture(scope="session")
def small_network():
    """A convolutional network for 3×16×16 pictures that returns logits of four classes."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 8 * 8, 4),
    ).eval()


def logits_of(network, x):
    """What a torch module itself gives for a numpy array."""
    with torch.inference_mode():
        return network(torch.from_numpy(x)).double()


@pytest.fixture(scope="session")
def embedded():
    from preddiff import load_model

    return load_model("embedded")


class Softmax:
    """A quick classifier in float64: softmax of a fixed random projection."""

    def __init__(self, shape, classes=3, scale=1.0, seed=1):
        weights = np.random.default_rng(seed).normal(size=(int(np.prod(shape)), classes))
        self.weights = scale * weights / np.sqrt(len(weights))

    def __call__(self, inputs):
        logits = inputs.reshape(len(inputs), -1).astype(np.float64) @ self.weights
        exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponent / exponent.sum(axis=1, keepdims=True)


@pytest.fixture(scope="session")
def launch():
    """Opens a real browser; what is tested in it is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield lambda *arguments: playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", *arguments]
        )


@pytest.fixture(scope="session")
def browser(launch):
    opened = launch()
    yield opened
    opened.close()
