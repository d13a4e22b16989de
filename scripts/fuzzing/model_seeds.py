"""Sound files of models, of every kind that is read."""

import io
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from fuzzing.seed import Seed, content_of
from preddiff.media.grid import Grid
from preddiff.models.sources import skops

_AFFINE = np.diag([2.0, 2, 3, 1])
_SHAPE = (3, 8, 8)


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _onnx() -> Iterator[Seed]:
    import onnx
    from onnx import helper

    def constant(name: str, *shape: int) -> object:
        values = _rng().normal(size=shape).astype(np.float32)
        return onnx.numpy_helper.from_array(values, name)

    nodes = [
        helper.make_node("Conv", ["data", "w", "b"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"], "flat"),
        helper.make_node("Gemm", ["f", "v"], ["s"], "score"),
        helper.make_node("Softmax", ["s"], ["prob"], "prob"),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("data", 1, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info("prob", 1, ["N", 3])],
        [constant("w", 4, 3, 3, 3), constant("b", 4), constant("v", 64, 3)],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    facts = {
        "mean": "0.4, 0.5, 0.6",
        "std": "0.2",
        "resize": "short side 9 (bilinear), centre crop",
        "labels_file": "labels.txt",
    }
    helper.set_model_props(proto, facts)
    labels = b"ant\nbee\ncat\n"
    yield Seed(
        {"a.onnx": proto.SerializeToString(), "beside/x": b"", "labels.txt": labels}, "a.onnx"
    )
    with tempfile.TemporaryDirectory() as folder:
        onnx.save_model(proto, Path(folder, "a.onnx"), save_as_external_data=True, size_threshold=0,
                        location="w.bin")  # fmt: skip
        yield Seed({**content_of(Path(folder)), "labels.txt": labels}, "a.onnx")


def _skops() -> Iterator[Seed]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from skops import io as skops_io

    rng = _rng()
    x, mask = rng.normal(size=(30, 12)), np.zeros((3, 4, 2), bool)
    mask.flat[:12] = True
    estimator = LogisticRegression().fit(x, np.where(x[:, 0] > 0, "patient", "healthy"))
    facts = {"subjects": 30, "groups": {"patient": 15, "healthy": 15}, "voxels": 12, "folds": 5,
             "grid": "3×4×2", "standardised": False, "chance": 0.5,
             **dict.fromkeys(("accuracy", "accuracy_spread", "balanced_accuracy",
                              "balanced_accuracy_spread", "auc", "auc_spread"), 0.5)}  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        skops.save(Path(name, "a.skops"), estimator, mask, Grid((3, 4, 2), _AFFINE), facts)
        yield Seed(content_of(Path(name)), "a.skops")
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, x[:, 0] > 0)
    yield Seed({"a.skops": bytes(skops_io.dumps(scaled))}, "a.skops")


class _Small(torch.nn.Module):
    """A network of most kinds of arguments: lists, lengths, constants, several outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(4, 3)
        self.register_buffer("scale", torch.full((1,), 2.0))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pooled = torch.relu(self.first(x)).mean((2, 3))
        scores = self.last(pooled.view(x.shape[0], -1) * self.scale)
        return scores, scores.softmax(1)


def _pt2() -> Iterator[Seed]:
    batch = ({0: torch.export.Dim("n")},)
    for dimensions in (batch, None):
        program = torch.export.export(
            _Small().eval(), (torch.zeros(2 if dimensions else 1, *_SHAPE),),
            dynamic_shapes=dimensions,
        )  # fmt: skip
        written = io.BytesIO()
        torch.export.save(program, written)
        yield Seed({"a.pt2": written.getvalue()}, "a.pt2")


def _torchscript() -> Iterator[Seed]:
    written = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # torch would rather have programs exported
        torch.jit.save(torch.jit.script(_Small().eval()), written)
    yield Seed({"a.pt": written.getvalue()}, "a.pt")


def _keras() -> Iterator[Seed]:
    import os

    os.environ.setdefault("KERAS_BACKEND", "torch")
    os.environ.setdefault("KERAS_HOME", f"{os.devnull}/keras")
    from keras import Sequential, layers

    # Of numpy, about how Keras makes arrays.
    with warnings.catch_warnings(action="ignore"), tempfile.TemporaryDirectory() as name:
        network = Sequential(
            [layers.Input((8, 8, 3)), layers.Rescaling(2.0, -1.0), layers.Conv2D(4, 3),
             layers.BatchNormalization(), layers.Flatten(), layers.Dense(3, activation="softmax")]
        )  # fmt: skip
        network.save(Path(name, "a.keras"))
        yield Seed(content_of(Path(name)), "a.keras")


def _huggingface() -> Iterator[Seed]:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=8, patch_size=4, id2label={0: "ant", 1: "bee"},
    )  # fmt: skip
    network = transformers.AutoModelForImageClassification.from_config(config)
    processor = {
        "image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 8},
        "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.25] * 3,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        network.save_pretrained(Path(name, "m"))
        Path(name, "m", "preprocessor_config.json").write_text(json.dumps(processor))
        yield Seed(content_of(Path(name)), "m")


SEEDS: dict[str, Callable[[], Iterator[Seed]]] = {
    "onnx": _onnx,
    "skops": _skops,
    "pt2": _pt2,
    "torchscript": _torchscript,
    "keras": _keras,
    "hf": _huggingface,
}
"""From the name of a kind to its sound files."""
