"""Milliseconds per draw of the dense engine, and minutes of the paper's protocol.

python scripts/bench.py
"""

import numpy as np

from preddiff import load_model, provenance
from preddiff.engines import Dense, seconds_per_draw
from preddiff.windows import Windows

# Section 4.1: minutes per picture on a GPU, k = 10, S = 10.
PAPER = {"alexnet": "20", "googlenet": "30", "vgg16": "70"}
SPECS = ["embedded", *(f"torchvision:{name}@random" for name in PAPER)]


def main() -> None:
    here = provenance.here()
    print(f"{here['machine']}; {here['libraries']}; {here['date'][:10]}\n")
    print("| network | ms per draw | paper's protocol here (minutes) | paper (GPU-minutes) |")
    print("|---|---|---|---|")
    for spec in SPECS:
        model = load_model(spec)
        inputs = np.full(model.shape, 0.5, dtype=np.float32)
        windows = Windows.over(inputs.shape[1:], 10)
        engine = Dense(model, inputs, [0])
        seconds = min(
            seconds_per_draw(engine, windows.starts[0], inputs[:, :10, :10]) for _ in range(5)
        )
        name = spec.removeprefix("torchvision:").removesuffix("@random")
        minutes = seconds * len(windows) * 10 / 60
        print(f"| {name} | {1000 * seconds:.1f} | {minutes:.0f} | {PAPER.get(name, '')} |")


if __name__ == "__main__":
    main()
