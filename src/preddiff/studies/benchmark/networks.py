"""What a draw costs with every engine, measured in turn in one process."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from preddiff.engines import Dense, Engine, Task, choose
from preddiff.engines import precision as precisions
from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.check import deviation
from preddiff.method.evidence import log2_odds
from preddiff.method.windows import Windows
from preddiff.models import load_model
from preddiff.models.networks.network import Network
from preddiff.results import provenance

USUAL = (
    "torchvision:alexnet@random",
    "torchvision:googlenet@random",
    "torchvision:vgg16@random",
    "torchvision:resnet18@random",
    "torchvision:resnet50@random",
    "embedded",
    "torchvision:squeezenet1_1@random",
    "torchvision:mobilenet_v3_large@random",
    "torchvision:vit_b_16@random",
    "volume",
)
"""Weights do not matter for the time; "volume" is a network for 64×64×64 voxels."""

_PAPER = {"alexnet": 20, "googlenet": 30, "vgg16": 70}  # GPU-minutes a picture, section 4.1
_SAMPLES = 10
_ROUNDS = 3
_SECONDS = 4.0  # that a round of an engine may take, about
_DENSE_BATCHES = (2, 4, 8, 16)


@dataclass(frozen=True)
class Row:
    """One network: milliseconds of a draw, and what else is worth knowing.

    Attributes
    ----------
    dense, incremental, automatic : milliseconds a draw.
    choice : engine and precision that were chosen automatically.
    shorter : milliseconds a draw in a precision that the processor has hardware for, and what it
        changes of the evidence; empty where it has none.
    saved : multiply-adds of whole forward passes over those of the boxes.
    off : largest deviation from whole forward passes, as a share of the range of the logits.
    occlusion : milliseconds a window of Captum's Occlusion, NaN without Captum.
    windows : of the whole protocol.
    """

    name: str
    dense: float
    incremental: float
    automatic: float
    choice: str
    shorter: str
    saved: float
    off: float
    occlusion: float
    windows: int

    def __str__(self) -> str:
        minutes = self.automatic * self.windows * _SAMPLES / 60_000
        paper = next((str(m) for name, m in _PAPER.items() if name in self.name), "")
        occlusion = "" if math.isnan(self.occlusion) else f"{self.occlusion:.1f}"
        return (
            f"| {self.name} | {self.dense:.1f} | {self.incremental:.1f} "
            f"| {self.dense / self.incremental:.1f} | {self.automatic:.1f} ({self.choice}) "
            f"| {self.dense / self.automatic:.1f} | {self.shorter} "
            f"| {self.saved:.1f} | {self.off:.0e} "
            f"| {minutes:.0f} | {paper} | {occlusion} |"
        )


HEADER = """\
| network | dense float32, ms a draw | incremental float32 | ratio | automatic | ratio \
| in a shorter precision (changes the evidence by) | multiply-adds saved \
| off by, of the logits' range | protocol, minutes | paper, GPU-minutes \
| Captum's Occlusion, ms a window |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


def measure(specs: Sequence[str], windows: int, checked: int) -> Iterator[Row]:
    """A row for each network.

    Parameters
    ----------
    windows : how many are timed, with ten draws each.
    checked : how many are held against whole forward passes, the corners among them.
    """
    for spec in specs:
        yield _row(spec, windows, checked)


def machine() -> str:
    """What the times are of: processor, what of it matters here, libraries and date."""
    here = provenance.environment()
    features = [
        name
        for name, test in (
            ("AVX2", "_is_avx2_supported"),
            ("AVX512", "_is_avx512_supported"),
            ("AVX512-BF16", "_is_avx512_bf16_supported"),
            ("AMX", "_is_amx_tile_supported"),
        )
        if getattr(torch.cpu, test, lambda: False)()
    ]
    return f"{here['machine']} ({', '.join(features)}); {here['libraries']}; {here['date'][:10]}"


def _row(spec: str, count: int, checked: int) -> Row:
    model = _volume_network() if spec == "volume" else load_model(spec)
    if not isinstance(model, Network) or model.shape is None:
        raise TypeError(f"{spec} is no network of a known input size")
    inputs = _picture(model)
    size = (10 if inputs.ndim == 3 else 3,) * (inputs.ndim - 1)
    every = Windows.over(inputs.shape[1:], size)
    starts = every.starts[np.sort(every.interlaced[:count])]
    random = np.random.default_rng(0)
    draws = _draws(random, inputs, size, starts)
    before = model.predict(inputs[None])[0]
    top = int(before.argmax())
    dense = _dense(model, inputs, starts, draws)
    task = Task(
        model, inputs, [top], None, size, starts[:16], draws[:16],
        evidence=lambda values: log2_odds(before[[top]]) - log2_odds(values.mean(axis=1)).T,
        total=len(every) * _SAMPLES,
    )  # fmt: skip
    boxed = choose(task, "incremental", "float32").engine
    if not isinstance(boxed, Incremental):
        raise TypeError(f"{spec} cannot be traced")
    longest = _SECONDS / (_SAMPLES * task.seconds(boxed))
    starts, draws = starts[: max(4, int(longest))], draws[: max(4, int(longest))]
    chosen = choose(task)
    automatic, facts = chosen.engine, chosen.facts
    seconds = _in_turn(
        (dense, starts[:1], draws[:1, : dense.batch]),
        (boxed, starts, draws),
        (automatic, starts, draws) if automatic.name != "dense" else (dense, starts[:1], draws[:1]),
    )
    some = random.choice(len(every), checked)
    at = np.concatenate([every.starts[[0, -1]], every.starts[some]])
    return Row(
        name=spec.split(":")[-1].split("/")[-1].removesuffix("@random"),
        dense=1000 * seconds[0],
        incremental=1000 * seconds[1],
        automatic=1000 * seconds[2],
        choice=f"{facts['engine']} {facts['precision']}",
        shorter=_shorter(task, starts, draws),
        saved=boxed.saved(starts),
        off=_largest(boxed, at, _draws(random, inputs, size, at)[:, :1]),
        occlusion=1000 * _occlusion(model, inputs),
        windows=len(every),
    )


def _shorter(task: Task, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> str:
    names = precisions.shorter(torch.device("cpu"))
    if not names:
        return ""
    chosen = choose(task, "incremental", names[0])
    (seconds,) = _in_turn((chosen.engine, starts, draws))
    return f"{1000 * seconds:.1f} {names[0]} ({chosen.facts['precision_error']:.0%})"


def _in_turn(*each: tuple[Engine, NDArray[np.int64], NDArray[np.float32]]) -> list[float]:
    """Seconds of a draw by each engine, the least of several rounds."""
    best = [math.inf] * len(each)
    for turn in range(_ROUNDS + 1):
        for number, (engine, starts, draws) in enumerate(each):
            begin = time.perf_counter()
            engine.evaluate(starts, draws)
            seconds = (time.perf_counter() - begin) / math.prod(draws.shape[:2])
            best[number] = min(best[number], seconds) if turn else math.inf  # the first warms up
    return best


def _dense(
    model: Network,
    inputs: NDArray[np.float32],
    starts: NDArray[np.int64],
    draws: NDArray[np.float32],
) -> Dense:
    """The dense engine at the batch that suits it best."""
    engines = [Dense(model, inputs, [0], batch=batch) for batch in _DENSE_BATCHES]
    many = np.concatenate([draws[:1], draws[:1]], axis=1)
    seconds = _in_turn(*((engine, starts[:1], many[:, : engine.batch]) for engine in engines))
    return engines[int(np.argmin(seconds))]


def _largest(boxed: Incremental, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> float:
    return max(
        deviation(boxed, starts[first : first + 8], draws[first : first + 8])
        for first in range(0, len(starts), 8)
    )


def _occlusion(model: Network, inputs: NDArray[np.float32]) -> float:
    """Seconds of a window by Captum; NaN without Captum.

    Its time does not depend on how large windows are: these are large, so that there are few.
    """
    try:
        from captum.attr import Occlusion
    except ImportError:
        return math.nan
    size = tuple(math.ceil(n / 4) for n in inputs.shape[1:])
    seconds = math.inf
    with torch.inference_mode():
        for _ in range(_ROUNDS):
            begin = time.perf_counter()
            Occlusion(model.raw).attribute(
                torch.from_numpy(inputs)[None],
                target=0,
                sliding_window_shapes=(len(inputs), *size),
                strides=(len(inputs), *size),
                perturbations_per_eval=8,
            )
            seconds = min(seconds, (time.perf_counter() - begin) / 4 ** len(size))
    return seconds


def _draws(
    random: np.random.Generator,
    inputs: NDArray[np.float32],
    size: tuple[int, ...],
    starts: NDArray[np.int64],
) -> NDArray[np.float32]:
    shape = (len(starts), _SAMPLES, len(inputs), *size)
    return random.random(shape, dtype=np.float32)


def _picture(model: Network) -> NDArray[np.float32]:
    """A real picture where there is one (extra `demo`); else noise, which takes as long."""
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
