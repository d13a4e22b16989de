"""Loops are compiled with or without a place to keep them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core import caching

import preddiff
from preddiff.method.compiled import compiled


def double(values):
    """Double some numbers in place."""
    for n in range(len(values)):
        values[n] *= 2


def use(loop):
    values = np.ones(3)
    loop(values)
    np.testing.assert_array_equal(values, [2, 2, 2])


def test_a_result_comes_without_a_place_to_keep_what_was_compiled(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [], raising=False)
    use(compiled(double))


@pytest.mark.parametrize("method", ["load_overload", "save_overload"])
def test_a_full_disk_or_a_damaged_cache_does_not_end_the_work(monkeypatch, method):
    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(caching.FunctionCache, method, fail)
    use(compiled(double))


NETWORK = """
import numpy as np, torch
from torch import nn
import preddiff
torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(196, 3))
picture = np.random.default_rng(0).random((3, 16, 16)).astype(np.float32)
e = preddiff.explain(net.eval(), picture, window=4, stride=6, samples=2, engine="incremental")
print(e.provenance["engine"])
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_a_user_with_a_read_only_home_and_installation_gets_a_result(tmp_path):
    copy = tmp_path / "readonly"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(preddiff.__file__).parent, copy / "preddiff", ignore=ignored)
    for folder in (copy, *(each for each in copy.rglob("*") if each.is_dir())):
        folder.chmod(0o555)
    # Root may write everywhere, but for these two capabilities.
    alike = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid() != 0:
        alike = []
    done = subprocess.run(
        [*alike, sys.executable, "-B", "-c", NETWORK],
        env={
            "PATH": os.environ["PATH"], "PYTHONPATH": str(copy), "HOME": str(copy / "home"),
            "OMP_NUM_THREADS": "1",
        },
        cwd=copy, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "incremental"
