"""Hold the default engine against whole passes on architectures of torchvision and timm.

Weights are random, so nothing is downloaded; branches that would be silent at first are made to
speak, and batch normalisation gets the statistics of noise, so that windows matter. Of every
network, windows in all corners and in the centre (a sixteenth of the picture's side, about what 14
is for 224) are evaluated on boxes and by whole forward passes. The table says which engine `auto`
takes, how much arithmetic boxes save (also where that is too little for `auto` to take them), the
largest deviation of boxes as a share of what windows change, and what was warned of. Ends with
status 1 if anything deviates or raises.

    python scripts/check_architectures.py [--pixels 96 160] [NAME ...]
"""

import argparse
import sys
import time
import warnings

import numpy as np
import torch

from preddiff.engines import Task, choose
from preddiff.engines.dense import Dense
from preddiff.engines.incremental import Incremental
from preddiff.engines.probe import everywhere
from preddiff.errors import first_line
from preddiff.method.windows import Windows
from preddiff.models.networks.network import Network
from preddiff.types import Pixels

_DRAWS = 2
_LARGEST = 1e-3  # share of what windows change
_LEAST = {"torchvision:inception_v3": 96, "torchvision:maxvit_t": 224}  # pixels they need
_SILENT = 1e-3  # weights below which a branch is silent: of zeros, or a layer scale of 1e-6
_TORCHVISION = """alexnet vgg11 vgg16_bn resnet18 resnet50 resnext50_32x4d wide_resnet50_2
densenet121
squeezenet1_0 squeezenet1_1 googlenet inception_v3 mobilenet_v2 mobilenet_v3_small
mobilenet_v3_large shufflenet_v2_x0_5 shufflenet_v2_x1_0 mnasnet0_5 efficientnet_b0
efficientnet_v2_s regnet_y_400mf regnet_x_400mf convnext_tiny swin_t swin_v2_t vit_b_16
maxvit_t"""
_TIMM = """resnet26d resnetv2_50 seresnet50 skresnet18 ecaresnet26t res2net50_26w_4s resnest14d
dla34 hrnet_w18_small dpn68 vovnet39a cspresnet50 cspdarknet53 darknet53 rexnet_100 ghostnet_100
tf_efficientnet_lite0 tf_efficientnetv2_b0 fbnetc_100 hardcorenas_a lcnet_050 mixnet_s
mobileone_s0 repvgg_a0 nf_resnet26 eca_nfnet_l0 botnet26t_256 halonet26t lambda_resnet26t
tf_efficientnet_cc_b0_4e mixer_s32_224 resmlp_12_224 gmlp_ti16_224 convmixer_768_32 poolformer_s12
edgenext_xx_small mobilevit_xxs mobilevitv2_050 vit_tiny_patch16_224 deit_tiny_patch16_224
cait_xxs24_224 coat_lite_tiny pvt_v2_b0 levit_128s xcit_nano_12_p16_224 visformer_tiny
crossvit_tiny_240 efficientformer_l1 fastvit_t8 hgnetv2_b0 inception_next_tiny
mobilenetv4_conv_small starnet_s1 tresnet_m xception41 selecsls42b"""


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="torchvision:NAME or timm:NAME; all by default")
    parser.add_argument("--pixels", type=int, nargs="+", default=[96], help="sizes of the pictures")
    chosen = parser.parse_args()
    names = chosen.names or [
        *(f"torchvision:{name}" for name in _TORCHVISION.split()),
        *(f"timm:{name}" for name in _TIMM.split()),
    ]
    print("| network | pixels | engine | ratio | deviation | seconds | said |")
    print("|---|---|---|---|---|---|---|", flush=True)
    bad = 0
    for name in names:
        for pixels in sorted({max(each, _LEAST.get(name, 0)) for each in chosen.pixels}):
            started = time.perf_counter()
            try:
                engine, ratio, off, said = _held(name, pixels)
            except Exception as error:
                engine, ratio, off = "none", np.nan, np.inf
                said = f"{type(error).__name__}: {first_line(error)}"
            bad += not off <= _LARGEST
            seconds = time.perf_counter() - started
            row = f"| {name} | {pixels} | {engine} | {ratio:.2f} | {off:.1e} | {seconds:.0f} |"
            print(f"{row} {said} |", flush=True)
    return int(bad > 0)


def _held(name: str, pixels: int) -> tuple[str, float, float, str]:
    """Return engine, ratio of arithmetic, deviation, and what was warned of."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = Network(lively(made(name, pixels), pixels), output="logits", spec=name)
    inputs: Pixels = rng.random((3, pixels, pixels), dtype=np.float32)
    windows = Windows.over((pixels, pixels), pixels // 16)
    some = everywhere(windows, seed=0)
    draws = rng.random((len(some), _DRAWS, 3, *windows.size), dtype=np.float32)
    task = Task(
        model=model,
        inputs=inputs,
        targets=[0, 1, 2],
        node=None,
        size=windows.size,
        starts=some.starts,
        draws=draws,
        evidence=lambda values: values.mean(axis=1).T,
        total=100,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        taken = choose(task).engine
    said = [f"{w.message} ({w.message.why})" for w in caught if hasattr(w.message, "why")]
    boxes = taken if isinstance(taken, Incremental) or said else choose(task, "incremental").engine
    ratio = boxes.saved(some.starts) if isinstance(boxes, Incremental) else np.nan
    found = boxes.evaluate(some.starts, draws)
    right = Dense(model, inputs, [0, 1, 2]).evaluate(some.starts, draws)
    scale = float(np.ptp(right, axis=(0, 1)).max())
    return taken.name, ratio, float(np.abs(found - right).max()) / scale, "; ".join(said)


def lively(module: torch.nn.Module, pixels: int) -> torch.nn.Module:
    """Return a network whose every branch matters, and whose values neither fade nor grow."""
    with torch.no_grad():
        for weight in module.parameters():
            if float(weight.abs().max()) < _SILENT:
                weight.normal_(0.5 if weight.ndim < 2 else 0, 0.05)
        for each in module.modules():
            if isinstance(each, torch.nn.modules.batchnorm._BatchNorm):
                each.reset_running_stats()
                each.momentum = 1.0  # the statistics of one batch
        module.train()(torch.rand(4, 3, pixels, pixels))
    return module.eval()


def made(name: str, pixels: int) -> torch.nn.Module:
    """Return a network with random weights, for pictures of a size where it must know that."""
    source, _, name = name.partition(":")
    if source == "torchvision":
        import torchvision

        extra = {"image_size": pixels} if name.startswith("vit") else {}
        if name == "maxvit_t":
            extra = {"input_size": (pixels, pixels)}
        if name in {"googlenet", "inception_v3"}:
            extra = {"init_weights": True}
        module: torch.nn.Module = torchvision.models.get_model(name, weights=None, **extra)
        return module
    import timm

    for extra in ({"img_size": pixels}, {}):
        try:
            module = timm.create_model(name, pretrained=False, **extra)
        except TypeError:
            continue
        return module
    raise ValueError(f"{name}: timm makes no such network")


if __name__ == "__main__":
    sys.exit(main())
