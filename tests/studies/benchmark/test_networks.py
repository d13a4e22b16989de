"""The speed table: its rows, and networks whose evidence is zero."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from preddiff.engines import Choice, Dense, Task
from preddiff.models.networks.network import Network
from preddiff.studies.benchmark import networks

COST = networks.NetworkCost(
    name="alexnet",
    torch=12.0,
    dense=8.0,
    by="onnxruntime",
    incremental=2.0,
    automatic=0.5,
    choice="incremental bfloat16",
    shorter="0.5 bfloat16 (1%)",
    saved=5.25,
    off=3e-7,
    occlusion=math.nan,
    windows=46_225,
)


def test_a_row_has_a_cell_for_each_column_of_the_header():
    head, rule = networks.NETWORK_TABLE_HEADER.splitlines()
    assert str(COST).count("|") == head.count("|") == rule.count("|")
    assert str(COST).startswith(
        "| alexnet | 12.0 | 8.0 (onnxruntime) | 2.0 | 4.0 | 0.5 (incremental bfloat16) | 16.0 |"
    )
    assert str(COST).endswith("| 3e-07 | 4 | 20 |  |")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("torchvision:resnet18@random", "resnet18"),
        ("data/models/squeezenet.onnx", "squeezenet.onnx"),
        ("module:make", "make"),
    ],
)
def test_a_row_has_the_short_name_of_a_spec(spec, name):
    assert networks._short_name(spec) == name


@pytest.mark.parametrize(
    ("error", "text"),
    [(0.012, "bfloat16 (1%)"), (math.inf, "bfloat16 (no evidence to change)")],
)
def test_a_shorter_precision_of_no_evidence_says_so(monkeypatch, small_network, error, text):
    """Any error is infinitely more than no evidence; the table must not say inf%."""
    model = Network(small_network, output="logits")
    inputs = np.zeros((3, 16, 16), np.float32)
    corners, draws = np.zeros((1, 2), int), np.zeros((1, 2, 3, 4, 4), np.float32)
    engine = Dense(model, inputs, [0])
    task = Task(model, inputs, [0], None, (4, 4), corners, draws, evidence=lambda v: v, total=1)
    monkeypatch.setattr(networks.precisions, "shorter", lambda _: ["bfloat16"])
    choice = Choice(engine, {"precision": "bfloat16", "precision_error": error})
    monkeypatch.setattr(networks, "choose", lambda *_: choice)
    assert networks._shorter_precision(task, corners, draws).endswith(text)


def test_a_head_of_zeros_gets_weights_so_that_windows_have_evidence():
    """As torchvision's vision transformers have one until they are trained."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.Linear(6, 3)).eval()
    nn.init.zeros_(module[2].weight)
    kept = module[1].weight.detach().clone()
    networks._randomise_zero_layers(module)
    assert (module[1].weight == kept).all()
    model = Network(module, output="logits")
    p = model.predict(np.random.default_rng(0).random((2, 3, 2, 2), dtype=np.float32))
    assert np.abs(p[0] - p[1]).max() > 1e-3
    before = module[2].weight.detach().clone()
    nn.init.zeros_(module[2].weight)
    networks._randomise_zero_layers(module)
    torch.testing.assert_close(module[2].weight, before)  # the same every time
