"""Without PyTorch: linear models, functions and results; who needs it is told the extra."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())

from importlib import metadata

installed = metadata.version

def version(name):
    if name in {"torch", "torchvision"}:
        raise metadata.PackageNotFoundError(name)
    return installed(name)

metadata.version = version

import numpy as np
import preddiff
from preddiff import cli
from preddiff.errors import ModelError
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(0)
scans, groups = rng.normal(size=(20, 64)), np.arange(20) % 2
volume = rng.normal(size=(1, 4, 4, 4)).astype(np.float32)
linear = LogisticRegression().fit(scans, groups)
e = preddiff.explain(linear, volume, sampler="constant:0", window=2)
assert e.exactness, e
assert "torch" not in e.provenance["libraries"], e.provenance
preddiff.save(e, "scan.zarr")
e = preddiff.load("scan.zarr")
preddiff.page(e, "scan.html")
preddiff.export(e, "scan.png")

def model(batch):
    p = 1 / (1 + np.exp(-batch.mean(axis=(1, 2, 3))))
    return np.stack([p, 1 - p], axis=1)

picture = rng.random((3, 8, 8)).astype(np.float32)
preddiff.explain(model, picture, sampler="constant:0.5", window=4)
preddiff.explain(model, picture, "0 against 1", sampler="constant:0.5", window=4)
larger = rng.random((3, 16, 16)).astype(np.float32)  # so many draws that an engine is looked for
preddiff.explain(model, larger, sampler="constant:0.5", window=4)
preddiff.explain(model, larger, window=4, stride=4, tolerance=0.3)
for spec in ("embedded", "torchvision:resnet18", "timm:vit", "net.onnx"):
    try:
        preddiff.load_model(spec)
    except ModelError as error:
        print(error)
sys.argv = ["preddiff", "bench"]
cli.main()
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True, text=True, check=False, cwd=tmp_path_factory.mktemp("without"),
    )  # fmt: skip


def test_scans_with_a_linear_model_functions_and_results_need_none(done):
    assert "Traceback" not in done.stderr, done.stderr
    assert len(done.stdout.splitlines()) == 4, done.stderr


def test_who_needs_it_is_told_the_extra(done):
    assert done.stdout.splitlines() == [
        "embedded: needs PyTorch; pip install 'preddiff[demo]'",
        "torchvision:resnet18: needs PyTorch; pip install 'preddiff[torch]'",
        "timm:vit: needs PyTorch; pip install 'preddiff[timm]'",
        "net.onnx: needs PyTorch; pip install 'preddiff[onnx]'",
    ]
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last == "preddiff: this needs PyTorch; pip install 'preddiff[torch]'"
