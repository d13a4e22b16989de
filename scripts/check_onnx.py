"""Load networks of torchvision that were written by today's ONNX exporter.

Weights are random, so nothing is downloaded. Every network is exported with
`torch.onnx.export(..., dynamo=True)` and loaded. The table says whether the file was converted to
torch, with nodes, or is evaluated by onnxruntime, and the largest deviation of its probabilities
from the network's own. Ends with status 1 if a file does not load or deviates.

    python scripts/check_onnx.py [--pixels 64] [--opset 18 20] [NAME ...]
"""

import argparse
import logging
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision
from check_architectures import lively

from preddiff import load_model
from preddiff.models.networks.network import Network

_LARGEST = 1e-6  # of probabilities that are 1e-3 on average
_NETWORKS = """resnet18 mobilenet_v3_small efficientnet_b0 densenet121 squeezenet1_1
shufflenet_v2_x0_5 googlenet vgg11 convnext_tiny vit_b_16 regnet_y_400mf mnasnet0_5"""


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="networks of torchvision; twelve by default")
    parser.add_argument("--pixels", type=int, default=64, help="size of the pictures")
    parser.add_argument("--opset", type=int, nargs="+", default=[18], help="versions to write")
    chosen = parser.parse_args()
    logging.disable(logging.ERROR)  # of the exporter
    print("| network | opset | loaded as | nodes | deviation | seconds | said |")
    print("|---|---|---|---|---|---|---|", flush=True)
    bad = 0
    for name in chosen.names or _NETWORKS.split():
        for opset in chosen.opset:
            started = time.perf_counter()
            try:
                kind, nodes, off, said = _loaded(name, chosen.pixels, opset)
            except Exception as error:
                kind, nodes, off = "nothing", 0, np.inf
                said = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            bad += not off <= _LARGEST
            seconds = time.perf_counter() - started
            row = f"| {name} | {opset} | {kind} | {nodes} | {off:.1e} | {seconds:.0f} |"
            print(f"{row} {said} |", flush=True)
    return int(bad > 0)


def _loaded(name: str, pixels: int, opset: int) -> tuple[str, int, float, str]:
    """Return what a file became, its number of nodes, its deviation, and what was warned of."""
    torch.manual_seed(0)
    module = lively(_module(name, pixels), pixels)
    pictures = torch.rand(2, 3, pixels, pixels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            axes = ({0: torch.export.Dim("pictures", min=2, max=256)},)
            torch.onnx.export(
                module, (pictures,), path, dynamo=True, verbose=False, opset_version=opset,
                dynamic_shapes=axes,
            )  # fmt: skip
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = load_model(path, output="logits")
        said = "; ".join(str(w.message) for w in caught if hasattr(w.message, "why"))
        found = model.predict(pictures.numpy())
        nodes = len(model.nodes(pictures[0].numpy()))
    with torch.inference_mode():
        right = module(pictures).double().softmax(1).numpy()
    kind = "torch" if isinstance(model, Network) else "onnxruntime"
    return kind, nodes, float(np.abs(found - right).max()), said


def _module(name: str, pixels: int) -> torch.nn.Module:
    extra: dict[str, object] = {"image_size": pixels} if name.startswith("vit") else {}
    if name == "googlenet":
        extra = {"init_weights": True, "aux_logits": False}
    module: torch.nn.Module = torchvision.models.get_model(name, weights=None, **extra)
    return module


if __name__ == "__main__":
    sys.exit(main())
