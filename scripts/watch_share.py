"""Print what share of a run goes into holding boxes against whole forward passes.

Weights are random. Both times are of one process and of processors, not of the clock: other work on
the machine hardly changes their ratio.

    python scripts/watch_share.py [--pixels 96] [--draws 4000] [NAME ...]
"""

import argparse
import time

import numpy as np
import torch
from check_architectures import lively, made

from preddiff.engines.incremental import Incremental
from preddiff.engines.watch import Watched, watched
from preddiff.method.windows import Windows
from preddiff.models.networks.network import Network


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=["torchvision:resnet18", "timm:lcnet_050"])
    parser.add_argument("--pixels", type=int, default=96)
    parser.add_argument("--draws", type=int, default=4000)
    chosen = parser.parse_args()
    print("| network | pixels | boxes save | checks | share of the time |")
    print("|---|---|---|---|---|", flush=True)
    for name in chosen.names:
        saved, checks, share = _share(name, chosen.pixels, chosen.draws)
        print(f"| {name} | {chosen.pixels} | {saved:.2f} | {checks} | {share:.1%} |", flush=True)


def _share(name: str, pixels: int, count: int) -> tuple[float, int, float]:
    """Return how much arithmetic boxes save, how many checks were made, their share of a run."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    module = lively(made(name, pixels), pixels)
    model = Network(module, output="logits", spec=name)
    windows = Windows.over((pixels, pixels), pixels // 16)
    engine = Incremental(model, rng.random((3, pixels, pixels), "f4"), [0], windows.size, batch=20)
    some = windows.subset(windows.interlaced[:20])
    draws = rng.random((20, 10, 3, *windows.size), "f4")
    engine.evaluate(some.starts, draws)  # compiles kernels
    spent: list[float] = []

    class Timed(Watched):
        def _look_at(self, *arguments: object) -> None:
            begin = time.process_time()
            super()._look_at(*arguments)  # type: ignore[arg-type]
            spent.append(time.process_time() - begin)

    inner = watched(engine, some.starts, seed=0)
    run = Timed(engine, inner._every, seed=0)  # type: ignore[attr-defined]
    begin = time.process_time()
    for _ in range(count // 200):
        run.evaluate(some.starts, draws)
    return engine.saved(some.starts), len(spent), sum(spent) / (time.process_time() - begin)


if __name__ == "__main__":
    main()
