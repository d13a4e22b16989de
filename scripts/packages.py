"""Explain models of other packages, and hold the evidence of random windows against brute force.

Weights are random, but for those that a package ships; nothing is downloaded. A window is hidden by
one value. Brute force calls the package itself, without preddiff, on the picture with that window
hidden. The table says which engine ran and the largest deviation of a window's evidence; ends with
status 1 if one is above 1e-4 or a package that is installed fails.

    pip install -e '.[dev,monai]' && pip install --no-deps facenet-pytorch
    python scripts/packages.py [--only NAME ...] [--write docs/models.md]
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import torch
from torch import nn

import preddiff
from preddiff.cli import marks
from preddiff.samplers import Constant
from preddiff.studies.machine import describe

ALLOWED = 1e-4  # bits, or the values' own unit, relative to the largest evidence where that is > 1
WINDOWS = 6
Answer = Callable[[np.ndarray], np.ndarray]
"""What a package itself says of inputs (n, channel, *spatial): numbers (n, K)."""


@dataclass(frozen=True)
class Made:
    """A model, how it is explained, and what its package says without preddiff.

    Attributes
    ----------
    source : for `load_model`.
    inputs : (channel, *spatial), or a row (feature,).
    answer : of the package.
    loading : settings of `load_model`.
    settings : of `explain`.
    value : that hides a window; not the mean that networks subtract, where values that are all 0
        make a layer normalisation ill-conditioned.
    is_value : whether the answer is plain numbers, not probabilities.
    """

    source: object
    inputs: np.ndarray
    answer: Answer
    loading: dict[str, object] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)
    value: float = 0.3
    is_value: bool = False


@dataclass(frozen=True)
class Case:
    """A kind of model.

    Attributes
    ----------
    name, package : of the table; the package's version is looked up.
    given : as a user loads it.
    make : makes it in a folder.
    """

    name: str
    package: str
    given: str
    make: Callable[[Path], Made]


def _picture(side: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).random((channels, side, side), dtype=np.float32)


def _softmax(module: Callable[[torch.Tensor], torch.Tensor]) -> Answer:
    """Return the class probabilities of a module that gives logits, in float64."""

    def answer(inputs: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(inputs)).double().softmax(1).numpy()

    return answer


def _spread(module: nn.Module) -> nn.Module:
    """Return a module of random weights whose classes are not all equally likely."""
    weights = [each for each in module.parameters() if each.ndim == 2]
    with torch.no_grad():
        weights[-1].normal_(0, 0.5)
    return module.eval()


def _calibrated(network: nn.Module, run: Callable[[], object]) -> nn.Module:
    """Return a network whose normalisations have the statistics of one batch, which is run.

    With random weights and none, values fade until nothing that is hidden matters.
    """
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    for each in norms:
        each.momentum = 1.0
        each.train()
    with torch.no_grad():
        run()
    return network.eval()


def _huggingface(kind: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        import transformers as hf

        names = {"id2label": {0: "ant", 1: "bee", 2: "cat"}}
        config = {
            "ViT": lambda: hf.ViTConfig(
                hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                image_size=64, patch_size=8, **names,
            ),
            "Swin": lambda: hf.SwinConfig(
                image_size=64, patch_size=4, embed_dim=16, depths=[2, 2], num_heads=[2, 2],
                window_size=4, **names,
            ),
            "ConvNext": lambda: hf.ConvNextConfig(
                num_stages=3, hidden_sizes=[8, 16, 32], depths=[1, 2, 1], image_size=64, **names
            ),
        }[kind]()  # fmt: skip
        torch.manual_seed(0)
        network = _spread(hf.AutoModelForImageClassification.from_config(config))
        network.save_pretrained(folder)
        processor = {"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
        size = {"size": {"height": 64, "width": 64}}
        (folder / "preprocessor_config.json").write_text(json.dumps(processor | size))
        answer = _softmax(lambda x: network((x - 0.5) / 0.25).logits)
        return Made(f"hf:{folder}", _picture(64), answer)

    return make


def _torchvision(name: str, side: int) -> Callable[[Path], Made]:
    def make(_: Path) -> Made:
        from torchvision import models

        torch.manual_seed(0)
        network = models.get_model(name, weights=None, init_weights=True).eval()
        _calibrated(network, lambda: network(torch.rand(2, 3, side, side)))
        with torch.no_grad():
            network.fc.weight /= 10 * network(torch.from_numpy(_picture(side))[None]).std()
        answer = _softmax(network)
        return Made(network, _picture(side), answer, {"preprocess": {"input_size": side}})

    return make


def _segmentation(_: Path) -> Made:
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None).eval()
    _calibrated(network, lambda: network(torch.rand(4, 3, 64, 64)))
    region = np.zeros((64, 64), dtype=bool)
    region[20:40, 10:50] = True

    def answer(inputs: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            p = network(torch.from_numpy(inputs))["out"].double().softmax(1)[:, 15]
        return p.numpy()[:, region].mean(1, keepdims=True)

    target = preddiff.targets.mean_over(15, region)
    return Made(network, _picture(64), answer, {"output": "values"}, {"targets": target})


def _detector(_: Path) -> Made:
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large
    from torchvision.ops import box_iou

    torch.manual_seed(0)
    network = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None).eval()
    _calibrated(network, lambda: network(list(torch.rand(4, 3, 320, 320))))
    picture = _picture(320)
    with torch.inference_mode():
        first = network([torch.from_numpy(picture)])[0]
    box, label = first["boxes"][0] + torch.tensor([2.0, 3.0, 5.0, 4.0]), int(first["labels"][0])

    def answer(inputs: np.ndarray) -> np.ndarray:
        found = []
        for each in inputs:
            with torch.inference_mode():
                given = network([torch.from_numpy(each)])[0]
            own = given["labels"] == label
            scores = box_iou(given["boxes"][own], box[None])[:, 0] * given["scores"][own]
            found.append([float(scores.max()) if len(scores) else 0.0])
        return np.array(found)

    class OnBatches(nn.Module):
        """Detectors of torchvision take a list of pictures."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: torch.Tensor) -> list[dict[str, torch.Tensor]]:
            return self.network(list(x))

    target = preddiff.targets.detection(box.tolist(), label)
    settings = {"targets": target, "window": 80, "stride": 80}
    return Made(OnBatches().eval(), picture, answer, {"output": "values"}, settings, is_value=True)


def _mtcnn(_: Path) -> Made:
    from facenet_pytorch.models.mtcnn import ONet

    network = ONet().eval()  # with the weights that the package ships

    def answer(inputs: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(inputs * 2 - 1))[2].double().numpy()

    return Made(
        network, _picture(48), answer, {"output_key": 2, "preprocess": {"mean": 0.5, "std": 0.5}}
    )


def _monai_network() -> nn.Module:
    from monai.networks.nets import DenseNet121

    torch.manual_seed(0)
    return _spread(DenseNet121(spatial_dims=3, in_channels=1, out_channels=3))


_SCAN = {"window": 8, "stride": 8}


def _scan() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1, 32, 32, 32)).astype(np.float32)


def _monai(_: Path) -> Made:
    network = _monai_network()
    return Made(network, _scan(), _softmax(network), {"output": "logits"}, _SCAN, value=0.0)


def _bundle(folder: Path) -> Made:
    """Return a bundle as MONAI's own tool writes it, with DenseNet121 in the place of its UNet."""
    from monai.bundle import init_bundle

    network = _monai_network()
    init_bundle(str(folder / "mine"), network=network)
    path = folder / "mine" / "configs" / "inference.json"
    config = json.loads(path.read_text())
    config["network_def"] = {
        "_target_": "DenseNet121", "spatial_dims": "@spatial_dims", "in_channels": 1,
        "out_channels": 3,
    }  # fmt: skip
    config["spatial_dims"] = 3
    path.write_text(json.dumps(config))
    source = f"monai:{folder / 'mine'}"
    return Made(source, _scan(), _softmax(network), {"output": "logits"}, _SCAN, value=0.0)


def _keras(folder: Path) -> Made:
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, activation="relu")(layers.Rescaling(2.0, -1.0)(inputs))
    x = layers.BatchNormalization()(layers.MaxPooling2D()(x))
    x = layers.Dense(4, activation="softmax")(layers.Flatten()(x))
    network = keras.Model(inputs, x)
    network.save(folder / "mine.keras")
    channels_last = keras.Model(network.input, network.layers[-1].output)

    def answer(pictures: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            seen = torch.from_numpy(np.moveaxis(pictures, 1, -1).copy())
            return channels_last(seen, training=False).double().numpy()

    return Made(folder / "mine.keras", _picture(32), answer)


def _small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(8 * 13 * 13, 4),
    ).eval()  # fmt: skip


def _exported(folder: Path) -> Made:
    network, batch = _small(), ({0: torch.export.Dim("n")},)
    program = torch.export.export(network, (torch.rand(2, 3, 32, 32),), dynamic_shapes=batch)
    torch.export.save(program, folder / "mine.pt2")
    return Made(folder / "mine.pt2", _picture(32), _softmax(network))


def _torchscript(folder: Path) -> Made:
    network = _small()
    torch.jit.save(torch.jit.script(network), folder / "mine.pt")
    return Made(folder / "mine.pt", _picture(32), _softmax(network), {"output": "logits"})


def _onnx(half: bool) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        import onnxruntime

        network = _small()
        kind = torch.float16 if half else torch.float32
        torch.onnx.export(
            network.to(kind), (torch.rand(2, 3, 32, 32).to(kind),), folder / "mine.onnx",
            dynamo=False, input_names=["data"], dynamic_axes={"data": {0: "n"}},
        )  # fmt: skip
        session = onnxruntime.InferenceSession(folder / "mine.onnx")

        def answer(inputs: np.ndarray) -> np.ndarray:
            given = inputs.astype(np.float16 if half else np.float32)
            logits = session.run(None, {"data": given})[0]
            return torch.from_numpy(logits).double().softmax(1).numpy()

        return Made(folder / "mine.onnx", _picture(32), answer, {"output": "logits"})

    return make


def _two_inputs(free: int) -> Callable[[Path], Made]:
    class Both(nn.Module):
        """A picture, and a row of numbers beside it."""

        def __init__(self) -> None:
            super().__init__()
            self.seen, self.last = _small()[:-1], nn.Linear(8 * 13 * 13 + 5, 3)

        def forward(self, picture: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
            return self.last(torch.cat([self.seen(picture), row], 1))

    def make(_: Path) -> Made:
        torch.manual_seed(0)
        network = _spread(Both())
        inputs = (_picture(32), np.random.default_rng(1).normal(size=5).astype(np.float32))
        others = torch.from_numpy(inputs[1 - free])

        def logits(x: torch.Tensor) -> torch.Tensor:
            staying = others.expand(len(x), *others.shape)
            return network(x, staying) if free == 0 else network(staying, x)

        source = preddiff.models.one_input(network, inputs, free=free)
        settings = {"window": 1, "stride": 1} if free else {}
        return Made(source, inputs[free], _softmax(logits), {"output": "logits"}, settings)

    return make


def _timm(_: Path) -> Made:
    import timm

    torch.manual_seed(0)
    network = timm.create_model("test_vit", pretrained=False).eval()
    side = network.default_cfg["input_size"][-1]
    return Made(network, _picture(side), _softmax(network), {"output": "logits"})


def _table() -> tuple[object, object, np.ndarray]:
    import pandas as pd

    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.normal(50, 9, 80),
            "visits": rng.integers(0, 5, 80),
            "colour": rng.choice(["red", "blue", "green"], 80),
        }
    )
    return table, (table["age"] > 50) ^ (table["colour"] == "red"), 3.0 * table["age"].to_numpy()


def _pipeline(_: Path) -> Made:
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    table, group, _years = _table()
    encoder = ColumnTransformer([("o", OneHotEncoder(), ["colour"])], remainder="passthrough")
    pipeline = make_pipeline(encoder, LogisticRegression(max_iter=5000)).fit(table, group)
    columns = preddiff.load_model(pipeline, table=table).columns

    def answer(rows: np.ndarray) -> np.ndarray:
        frame = table.iloc[[0] * len(rows)].copy()
        frame["age"], frame["visits"] = rows[:, 0].astype(float), rows[:, 1].astype(int)
        frame["colour"] = [["blue", "green", "red"][int(n)] for n in rows[:, 2]]
        return pipeline.predict_proba(frame)

    row = columns.encode(table).to_numpy(dtype=np.float32)[0]
    return Made(pipeline, row, answer, {"table": table}, {"window": 1, "stride": 1}, value=1.0)


def _regressor(_: Path) -> Made:
    from sklearn.ensemble import RandomForestRegressor

    table, _group, years = _table()
    numbers = table[["age", "visits"]].to_numpy()
    forest = RandomForestRegressor(10, random_state=0).fit(numbers, years)

    def answer(rows: np.ndarray) -> np.ndarray:
        return forest.predict(rows.astype(np.float64))[:, None]

    row = numbers[0].astype(np.float32)
    settings = {"window": 1, "stride": 1}
    return Made(forest, row, answer, {"unit": "years"}, settings, value=40.0, is_value=True)


CASES = (
    Case("ViT", "transformers", "hf:FOLDER", _huggingface("ViT")),
    Case("Swin", "transformers", "hf:FOLDER", _huggingface("Swin")),
    Case("ConvNeXt", "transformers", "hf:FOLDER", _huggingface("ConvNext")),
    Case("Inception-v3", "torchvision", "the module", _torchvision("inception_v3", 299)),
    Case("LR-ASPP", "torchvision", "the module, mean_over", _segmentation),
    Case("SSDLite", "torchvision", "the module, detection", _detector),
    Case("ViT", "timm", "the module", _timm),
    Case("MTCNN's ONet", "facenet-pytorch", "the module, output_key=2", _mtcnn),
    Case("DenseNet121", "monai", "the module", _monai),
    Case("DenseNet121", "monai", "monai:FOLDER", _bundle),
    Case("functional", "keras", "PATH.keras", _keras),
    Case("program", "torch", "PATH.pt2", _exported),
    Case("two inputs, the picture", "torch", "one_input(network, inputs, 0)", _two_inputs(0)),
    Case("two inputs, the row", "torch", "one_input(network, inputs, 1)", _two_inputs(1)),
    Case("TorchScript", "torch", "PATH.pt", _torchscript),
    Case("float32", "onnxruntime", "PATH.onnx", _onnx(half=False)),
    Case("float16", "onnxruntime", "PATH.onnx", _onnx(half=True)),
    Case("OneHotEncoder", "scikit-learn", "the pipeline, table=", _pipeline),
    Case("regression forest", "scikit-learn", "the regressor", _regressor),
)

HEAD = (
    "| package | model | given as | engine | evidence up to | largest deviation | seconds |",
    "|---|---|---|---|---|---|---|",
)


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", help="packages or names")
    parser.add_argument("--write", type=Path, help="page whose section `packages` becomes this")
    arguments = parser.parse_args()
    lines = [describe(), "", *HEAD]
    print("\n".join(lines))
    failed = False
    for case in CASES:
        if not arguments.only or {case.name, case.package} & set(arguments.only):
            line, fine = _row(case)
            print(line, flush=True)
            lines.append(line)
            failed = failed or not fine
    if arguments.write and not failed:
        marks.fill(arguments.write, "packages", "\n".join(lines))
    return int(failed)


def _row(case: Case) -> tuple[str, bool]:
    """Return a case's row, and whether it is as it should be."""
    try:
        number = version(case.package).partition("+")[0]
    except PackageNotFoundError:
        return f"| {case.package} | {case.name} | {case.given} | not installed | | | |", True
    try:
        line, fine = _line(case)
    except Exception as error:
        line, fine = f"failed: {type(error).__name__}: {error!s:.200} | | | |", False
    return f"| {case.package} {number} | {case.name} | {case.given} | {line}", fine


def _line(case: Case) -> tuple[str, bool]:
    """Return the rest of a case's row, and whether it is as it should be."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        made = case.make(Path(folder))
        before = time.perf_counter()
        model = preddiff.load_model(made.source, **made.loading)
        length = int(made.settings.get("window", made.inputs.shape[-1] // 4))
        e = preddiff.explain(
            model,
            made.inputs,
            sampler=Constant(made.value),
            samples=1,
            train_size=math.inf,
            precision="float32",
            **({"window": length, "stride": length} | made.settings),
        )
        seconds = time.perf_counter() - before
        deviation, largest = _deviation(made, e, length)
    fine = deviation <= ALLOWED * max(1.0, largest)
    engine = e.provenance["engine"]
    return f"{engine} | {largest:.3g} | {deviation:.1g} | {seconds:.1f} |", fine


def _deviation(made: Made, e: preddiff.Explanation, length: int) -> tuple[float, float]:
    """Return how far some windows' evidence is from brute force at most, and the most evidence."""
    starts = e.data["window_start"].values
    rng = np.random.default_rng(1)
    chosen = rng.choice(len(starts), min(WINDOWS, len(starts)), replace=False)
    inputs = [made.inputs]
    for number in chosen:
        hidden = made.inputs.copy()
        axes = [slice(a, a + length) for a in np.atleast_1d(starts[number])]
        hidden[(..., *axes)] = made.value
        inputs.append(hidden)
    said = _scale(made.answer(np.stack(inputs)), is_value=made.is_value)
    # Of a number that is made of the output, there is one; else it is the class that is explained.
    target = int(e.data["target"].values[0]) if said.shape[1] > 1 else 0
    expected = said[0, target] - said[1:, target]
    found = e.evidence.values[0, chosen]
    return float(np.abs(found - expected).max()), float(np.abs(expected).max())


def _scale(numbers: Sequence[Sequence[float]] | np.ndarray, *, is_value: bool) -> np.ndarray:
    """Return log-odds in bits of probabilities; plain numbers as they are."""
    values = np.asarray(numbers, dtype=np.float64)
    return values if is_value else np.log2(values / (1 - values))


if __name__ == "__main__":
    sys.exit(main())
