"""Print the peak resident memory of an explanation's first chunks, for each network of the bench.

Run `python scripts/peak_memory.py [NETWORK...]`. Each runs in a process of its own, whose libraries
and weights count too; later chunks take what the first took.
"""

import multiprocessing
import resource
import sys

from PIL import Image
from skimage import data

import preddiff
from preddiff.studies import machine
from preddiff.studies.benchmark import networks

_CHUNKS = 3


def main(specs: list[str]) -> None:
    print(f"{machine.describe()}\n\n| network | libraries and weights, MiB | peak, MiB |")
    print("|---|---|---|")
    one_each = multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1)
    with one_each as processes:
        for spec, (before, peak) in zip(specs, processes.imap(_peak, specs), strict=True):
            print(f"| {spec} | {before} | {peak} |", flush=True)


def _peak(spec: str) -> tuple[int, int]:
    chunks = 0

    def is_enough(_so_far: preddiff.Explanation) -> bool:
        nonlocal chunks
        chunks += 1
        return chunks >= _CHUNKS

    model = preddiff.load_model(spec)
    before = _resident()
    # Windows one by one: of which nothing is said, sets of them are hidden, by whole passes.
    preddiff.explain(model, Image.fromarray(data.chelsea()), stride=1, callback=is_enough)
    return before, _resident()


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main(sys.argv[1:] or [spec for spec in networks.DEFAULT_NETWORKS if spec != "volume"])
