"""The cost of a draw with every engine, timed alternately in one process.

The yardstick is the best whole pass that this machine makes: by torch or onnxruntime, at the batch
that suits it best.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from preddiff.engines import Dense, Engine, Task, choose
from preddiff.engines import precision as precisions
from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.check import deviation
from preddiff.errors import ModelError
from preddiff.method.evidence import log2_odds
from preddiff.method.windows import Windows
from preddiff.models import load_model
from preddiff.models.networks.network import Network
from preddiff.studies.benchmark.timing import least_seconds
from preddiff.types import Corners, Draws, Evidence, Pixels, Values

DEFAULT_NETWORKS = (
    "torchvision:alexnet@random",
    "torchvision:googlenet@random",
    "torchvision:vgg16@random",
    "torchvision:resnet18@random",
    "torchvision:resnet50@random",
    "embedded",
    "torchvision:squeezenet1_1@random",
    "torchvision:mobilenet_v3_large@random",
    "torchvision:efficientnet_b0@random",
    "torchvision:regnet_y_400mf@random",
    "torchvision:densenet121@random",
    "torchvision:convnext_tiny@random",
    "torchvision:swin_t@random",
    "torchvision:vit_b_16@random",
    "timm:vit_small_patch16_224@random",
    "timm:deit_tiny_patch16_224@random",
    "volume",
)
"""Networks that are timed unless only named ones are wanted.

Random weights take as long as trained ones; "volume" is a small network for 64×64×64 voxels.
"""

NETWORK_TABLE_HEADER = """\
| network | whole pass by torch, ms | best whole pass, ms (by) | incremental float32, ms a draw \
| ratio | automatic | ratio \
| in a shorter precision (changes the evidence by) | multiply-adds saved \
| off by, of the logits' range | protocol, minutes | paper, GPU-minutes \
| Captum's Occlusion, ms a window |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""
"""Head of the Markdown table whose rows are `NetworkCost`."""

_PAPER_MINUTES = {"alexnet": 20, "googlenet": 30, "vgg16": 70}  # of a GPU, section 4.1
_SAMPLES = 10
_PICTURE_WINDOW, _VOLUME_WINDOW = 10, 3  # the paper's
_SECONDS_PER_ROUND = 4.0  # roughly; windows are left out where they would take longer
_MIN_WINDOWS = 4
_WINDOWS_TRIED = 16  # on which `choose` checks and times engines
_DENSE_BATCHES = (2, 4, 8, 16)  # draws at once; which is fastest depends on the network
_EXPORTED_BATCHES = (4, 8)  # of onnxruntime, which takes as long for each of 2 to 16
_OCCLUSION_PARTS = 4  # windows of Captum's Occlusion along each axis


@dataclass(frozen=True)
class NetworkCost:
    """One row of the table: milliseconds per draw, and what they come to.

    Attributes
    ----------
    torch, dense, incremental, automatic : milliseconds per draw: whole passes by torch, the best
        whole passes, boxes, and what is chosen automatically.
    by : what makes the best whole passes.
    choice : the engine and precision that were chosen automatically.
    shorter : milliseconds per draw in a precision that the processor is faster in, and by how much
        that changes the evidence; empty where there is no such precision.
    saved : multiply-adds of whole forward passes over those of the boxes.
    off : largest deviation from whole forward passes, as a share of the range of the logits.
    occlusion : milliseconds per window of Captum's Occlusion; NaN without Captum.
    windows : how many the whole protocol has.
    """

    name: str
    torch: float
    dense: float
    by: str
    incremental: float
    automatic: float
    choice: str
    shorter: str
    saved: float
    off: float
    occlusion: float
    windows: int

    def __str__(self) -> str:
        """Return the row in Markdown."""
        minutes = self.automatic * self.windows * _SAMPLES / 60_000
        paper = next((str(m) for name, m in _PAPER_MINUTES.items() if name in self.name), "")
        occlusion = "" if math.isnan(self.occlusion) else f"{self.occlusion:.1f}"
        return (
            f"| {self.name} | {self.torch:.1f} | {self.dense:.1f} ({self.by}) "
            f"| {self.incremental:.1f} "
            f"| {self.dense / self.incremental:.1f} | {self.automatic:.1f} ({self.choice}) "
            f"| {self.dense / self.automatic:.1f} | {self.shorter} "
            f"| {self.saved:.1f} | {self.off:.0e} "
            f"| {minutes:.0f} | {paper} | {occlusion} |"
        )


def measure_networks(specs: Sequence[str], windows: int, checked: int) -> Iterator[NetworkCost]:
    """Yield the cost of each network as soon as it is measured.

    Parameters
    ----------
    windows : how many are timed, with ten draws each.
    checked : how many are compared with whole forward passes, besides the first and the last one.

    Raises
    ------
    ModelError
        If a model is no network, its input size is not known, or it cannot be traced.
    """
    for spec in specs:
        yield _measure(spec, windows, checked)


def _measure(spec: str, count: int, checked: int) -> NetworkCost:
    model = _load(spec)
    inputs = _example_input(model)
    size = (_PICTURE_WINDOW if inputs.ndim == 3 else _VOLUME_WINDOW,) * (inputs.ndim - 1)
    every = Windows.over(inputs.shape[1:], size)
    # The first windows of the interlaced order are spread over the whole input: how much a window
    # costs depends on where it is, as boxes are cut off at the border.
    corners = every.starts[np.sort(every.interlaced[:count])]
    random = np.random.default_rng(0)
    draws = _random_draws(random, inputs, size, corners)
    task = _task(model, inputs, size, corners, draws, total=len(every) * _SAMPLES)
    plain, dense = _fastest_dense(model, inputs, corners, draws)
    boxed = choose(task, "incremental", "float32").engine
    if not isinstance(boxed, Incremental):
        raise ModelError(
            f"{spec}: only whole forward passes are possible, so there is nothing to compare; "
            "leave it out"
        )
    kept = max(_MIN_WINDOWS, int(_SECONDS_PER_ROUND / (_SAMPLES * task.seconds(boxed))))
    corners, draws = corners[:kept], draws[:kept]
    choice = choose(task)

    def one_batch(engine: Engine) -> tuple[Engine, Corners, Draws]:
        """Whole passes cost the same wherever the window is, and take longest."""
        return engine, corners[:1], np.concatenate([draws[:1]] * 2, axis=1)[:, : engine.batch]

    is_whole = choice.engine.name == "dense"
    seconds = _seconds_per_draw(
        one_batch(plain),
        one_batch(dense),
        (boxed, corners, draws),
        one_batch(choice.engine) if is_whole else (choice.engine, corners, draws),
    )
    chosen = random.choice(len(every), checked)
    compared = np.concatenate([every.starts[[0, -1]], every.starts[chosen]])
    return NetworkCost(
        name=_short_name(spec),
        torch=1000 * seconds[0],
        dense=1000 * min(seconds[:2]),
        by="torch" if seconds[0] <= seconds[1] else "onnxruntime",
        incremental=1000 * seconds[2],
        automatic=1000 * seconds[3],
        choice=" ".join(
            str(choice.facts[name])
            for name in ("engine", "precision", "runtime")
            if name in choice.facts
        ),
        shorter=_shorter_precision(task, corners, draws),
        saved=boxed.saved(corners),
        off=_largest_deviation(
            boxed, compared, _random_draws(random, inputs, size, compared)[:, :1]
        ),
        occlusion=1000 * _occlusion_seconds(model, inputs),
        windows=len(every),
    )


def _short_name(spec: str) -> str:
    """The part of a SPEC that a table has room for."""
    return spec.split(":")[-1].split("/")[-1].removesuffix("@random")


def _load(spec: str) -> Network:
    model = _volume_network() if spec == "volume" else load_model(spec)
    if not isinstance(model, Network):
        raise ModelError(f"{spec}: not a torch network, so it has no engines to compare; name one")
    if model.shape is None:
        raise ModelError(
            f"{spec}: its input size is not known; expected a factory that returns a Network with "
            "Preprocessing(size=...), or a model file that says its size"
        )
    if spec.endswith("@random"):
        _randomise_zero_layers(model.module)
    return model


def _randomise_zero_layers(module: nn.Module) -> None:
    """Give weights to linear layers that start out as zeros, as the head of torchvision's ViT does.

    A network whose head is zero gives every class the same probability whatever it sees. No window
    then has evidence, and what a shorter precision changes of it is 0 over 0.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Linear) and not layer.weight.any():
                layer.weight.normal_(std=layer.in_features**-0.5, generator=generator)


def _task(
    model: Network,
    inputs: Pixels,
    size: tuple[int, ...],
    corners: Corners,
    draws: Draws,
    total: int,
) -> Task:
    """The task that an engine is chosen for: evidence for the most probable class."""
    prediction = model.predict(inputs[None])[0]
    top = int(prediction.argmax())

    def evidence(values: Values) -> Evidence:
        return log2_odds(prediction[[top]]) - log2_odds(values.mean(axis=1)).T

    few = slice(_WINDOWS_TRIED)
    return Task(
        model, inputs, [top], None, size, corners[few], draws[few], evidence=evidence, total=total
    )


def _shorter_precision(task: Task, corners: Corners, draws: Draws) -> str:
    """Milliseconds per draw in a shorter precision, and the share of the evidence it changes."""
    names = precisions.shorter(torch.device("cpu"))
    if not names:
        return ""
    choice = choose(task, "incremental", names[0])
    (seconds,) = _seconds_per_draw((choice.engine, corners, draws))
    error = float(choice.facts["precision_error"])
    # Relative to no evidence at all, any error is infinite: there is nothing to state.
    changed = f"{error:.0%}" if math.isfinite(error) else "no evidence to change"
    return f"{1000 * seconds:.1f} {names[0]} ({changed})"


def _seconds_per_draw(*runs: tuple[Engine, Corners, Draws]) -> list[float]:
    """Least seconds per draw of each engine on its windows."""
    tasks: list[Callable[[], object]] = [
        partial(engine.evaluate, corners, draws) for engine, corners, draws in runs
    ]
    return [
        seconds / math.prod(draws.shape[:2])
        for seconds, (_, _, draws) in zip(least_seconds(*tasks), runs, strict=True)
    ]


def _fastest_dense(
    model: Network, inputs: Pixels, corners: Corners, draws: Draws
) -> tuple[Dense, Dense]:
    """Whole passes by torch and by whatever makes them fastest, each at its best batch size.

    A benchmark must not win against a slow rival.
    """
    plain = [Dense(model, inputs, [0], batch=batch) for batch in _DENSE_BATCHES]
    other = model.faster(inputs, runtime="any")
    exported = [Dense(other, inputs, [0], batch=batch) for batch in _EXPORTED_BATCHES]
    engines = plain if other is model else [*plain, *exported]
    many = np.concatenate([draws[:1], draws[:1]], axis=1)
    seconds = _seconds_per_draw(
        *((engine, corners[:1], many[:, : engine.batch]) for engine in engines)
    )
    best = plain[int(np.argmin(seconds[: len(plain)]))]
    return best, engines[int(np.argmin(seconds))]


def _largest_deviation(boxed: Incremental, corners: Corners, draws: Draws) -> float:
    """Largest difference from whole forward passes, eight windows at a time to save memory."""
    return max(
        deviation(boxed, corners[first : first + 8], draws[first : first + 8])
        for first in range(0, len(corners), 8)
    )


def _occlusion_seconds(model: Network, inputs: Pixels) -> float:
    """Seconds per window of Captum's Occlusion; NaN without Captum.

    It makes a whole forward pass for each window, however large that is. So the windows here are
    large, a quarter of the input along each axis, and there are few of them.
    """
    try:
        from captum.attr import Occlusion
    except ImportError:
        return math.nan
    size = tuple(math.ceil(n / _OCCLUSION_PARTS) for n in inputs.shape[1:])

    def attribute() -> None:
        with torch.inference_mode():
            Occlusion(model.raw).attribute(
                torch.from_numpy(inputs)[None],
                target=0,
                sliding_window_shapes=(len(inputs), *size),
                strides=(len(inputs), *size),
                perturbations_per_eval=8,
            )

    (seconds,) = least_seconds(attribute)
    return float(seconds / _OCCLUSION_PARTS ** len(size))


def _random_draws(
    random: np.random.Generator, inputs: Pixels, size: tuple[int, ...], corners: Corners
) -> Draws:
    """Uniform noise: what stands in a window does not change what it costs."""
    shape = (len(corners), _SAMPLES, len(inputs), *size)
    return random.random(shape, dtype=np.float32)


def _example_input(model: Network) -> Pixels:
    """A real picture, of scikit-image's, where the extra `demo` is installed; else noise.

    A picture matters for the evidence, not for the time: on noise a network is sure of nothing.
    """
    shape = model.shape or ()
    if len(shape) == 3:
        try:
            from PIL import Image
            from skimage import data

            return model.prepare(Image.fromarray(data.chelsea()))
        except ImportError:
            pass
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def _volume_network() -> Network:
    """A small network of 3-D convolutions, as classifiers of scans are."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 16), (16, 32), (32, 64)):
        layers += [
            nn.Conv3d(inputs, outputs, 3, padding=1),
            nn.BatchNorm3d(outputs),
            nn.ReLU(),
            nn.Conv3d(outputs, outputs, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool3d(2),
        ]
    layers += [nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(64, 2)]
    network = Network(nn.Sequential(*layers).eval(), output="logits", spec="volume")
    network.shape = (1, 64, 64, 64)
    return network
