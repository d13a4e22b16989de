"""Hold the deletion score of `preddiff evaluate` against the pixel flipping of Quantus.

    pip install quantus
    python scripts/check_metrics.py photos [--count 4]

Quantus (Hedström et al., Journal of Machine Learning Research 24, 2023) flips pixels in the order
of a map. Of a map that is constant within each patch, its steps of 14 patches are ours, so that
both curves of the probability must be equal.
"""

import argparse
from pathlib import Path

import numpy as np
import quantus
import torch
from scipy.integrate import trapezoid
from torch import nn

from preddiff.media import images
from preddiff.media.folders import find_pictures
from preddiff.models import Model, load_model
from preddiff.studies.evaluation.flipping import flip
from preddiff.studies.evaluation.imputers import grey, mean_colour
from preddiff.studies.evaluation.patches import PATCHES

STEPS = 14
PATCHES_PER_STEP = 14


class Answers(nn.Module):
    """A model's probabilities, as Quantus asks for them."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the probabilities (n, class)."""
        return torch.from_numpy(self.model.predict(inputs.numpy().astype(np.float32)))


def compared(model: Model, path: Path, seed: int) -> tuple[float, float, float]:
    """Return both deletion scores of a random map, and the largest difference of the curves."""
    picture = model.prepare(images.read(path))
    target = int(model.predict(picture[None])[0].argmax())
    patches = PATCHES[""](picture)
    values = np.random.default_rng(seed).permutation(patches.max() + 1)[patches].astype(float)
    ours = flip(model, picture, target, values, grey, patches, steps=STEPS)
    (colour,) = set(mean_colour(model, picture).tolist())  # Quantus has one for all channels
    metric = quantus.PixelFlipping(
        features_in_step=values.size // STEPS,
        perturb_baseline=colour,
        normalise=False,
        abs=False,
        disable_warnings=True,
    )
    (curve,) = metric(
        model=Answers(model).eval(),
        x_batch=picture[None],
        y_batch=np.array([target]),
        a_batch=values[None, None],
        softmax=False,
    )
    # Theirs begins after the first step, and counts a step per channel.
    theirs = np.concatenate([ours.most_first[:1], curve[len(picture) - 1 :: len(picture)]])
    area = float(trapezoid(theirs, ours.shares))
    return ours.deletion, area, float(np.abs(theirs - ours.most_first).max())


def main() -> None:
    """Print both scores of some pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--count", type=int, default=4)
    asked = parser.parse_args()
    model = load_model("embedded")
    for seed, path in enumerate(find_pictures(asked.pictures)[: asked.count]):
        ours, theirs, apart = compared(model, path, seed)
        print(f"{path.name}: deletion {ours:.6f}, Quantus {theirs:.6f}, at most {apart:.1e} apart")


if __name__ == "__main__":
    main()
