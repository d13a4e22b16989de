"""Explain a made-up scan by a linear classifier, exactly and without PyTorch.

python scripts/linear_scan.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

import preddiff

SHAPE = (8, 9, 10)


def main(folder: Path) -> None:
    """Write result and page of one scan."""
    rng = np.random.default_rng(0)
    scans = rng.normal(size=(40, *SHAPE)).astype(np.float32)
    groups = np.arange(40) % 2
    scans[groups == 1, 2:4, 3:5, 4:6] += 1
    model = LogisticRegression().fit(scans.reshape(40, -1), groups)
    e = preddiff.explain(model, scans[:1] * 1, 1, sampler="constant:0", window=2)
    if not e.exactness:
        raise SystemExit(f"expected a map in closed form: {e}")
    preddiff.save(e, folder / "scan.zarr")
    print(preddiff.page(e, folder / "scan.html"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
