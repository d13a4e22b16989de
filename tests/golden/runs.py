"""27 runs whose numbers a change of structure must not change, bit for bit.

    python tests/golden/runs.py write FILE    # before the change
    python tests/golden/runs.py check FILE    # after it, on the same machine

`check` prints a line per run and exits with status 1 if one bit of a relevance, a standard error
or an evidence differs. The last bits of a network's floats depend on the processor and on the
versions of torch and numpy, so tests/integration/test_golden.py compares the committed file
(made before the house was rebuilt) within rounding.
"""

import copy
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

import preddiff
from preddiff import media, models, samplers

ARRAYS = ("relevance", "standard_error", "evidence", "evidence_error", "prediction")


def picture_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 8 * 8, 4),
    ).eval()  # fmt: skip


def volume_network():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.AvgPool3d(2),
        nn.Conv3d(4, 6, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 5**3, 3),
    ).eval()  # fmt: skip


def smooth(random, *shape):
    """Values with neighbours that are alike, in [0, 1]."""
    from scipy import ndimage

    values = ndimage.gaussian_filter(random.normal(size=shape), (0, 0, *(1,) * (len(shape) - 2)))
    low, high = values.min(), values.max()
    return ((values - low) / (high - low)).astype(np.float32)


def classify(inputs):
    """A callable model: the softmax of a fixed random projection."""
    flat = inputs.reshape(len(inputs), -1).astype(np.float64)
    logits = flat @ np.random.default_rng(3).normal(size=(flat.shape[1], 3)) / 10
    exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponent / exponent.sum(axis=1, keepdims=True)


def runs(folder):
    """Name → a function that makes an Explanation."""
    random = np.random.default_rng(20170224)
    pictures = smooth(random, 12, 3, 16, 16)
    volumes = 3 * smooth(random, 9, 1, 10, 10, 10)
    picture, volume = pictures[0], volumes[0]
    gaussian = samplers.ConditionalGaussian.fit(list(pictures), patch=8)
    independent = samplers.ConditionalGaussian.fit(list(pictures), patch=8, channels="independent")
    brain = samplers.ConditionalGaussian.fit(list(volumes), patch=5)
    located = samplers.Located.fit(list(volumes), patch=5, grid=(2, 2, 2))
    weights = random.normal(size=(3, 1, 10, 10, 10))
    linear = models.Linear(weights, np.array([0.1, -0.2, 0.3]))
    two = models.Linear(weights[0], 0.4)
    network, network3d = picture_network(), volume_network()
    mask = np.zeros((16, 16), dtype=bool)
    mask[3:9, 5:12] = True
    # "auto" decides by timing, so now and then differently: an engine is named where it would.
    boxes = {"engine": "incremental"}
    few = {"window": 4, "samples": 4, "sampler": gaussian}
    several = few | boxes

    def of(model, inputs, **settings):
        return lambda: preddiff.explain(model, inputs, **settings)

    def scan():
        import nibabel

        path = Path(folder) / "scan.nii"
        affine = np.diag([-2.0, 2.0, 2.5, 1.0])
        nibabel.save(nibabel.Nifti1Image(volume[0].T, affine), path)
        inside = Path(folder) / "mask.nii"
        nibabel.save(nibabel.Nifti1Image((volume[0].T > 1.4).astype(np.uint8), affine), inside)
        placed = copy.copy(located)
        placed.scan_grid = media.open(path).grid  # it was fitted on arrays, which lie nowhere
        return preddiff.explain(two, path, sampler=placed, samples=4, mask=inside, engine="dense")

    def coffee():
        from skimage import data

        return preddiff.explain(
            "embedded", np.float32(data.coffee().transpose(2, 0, 1)[:, :224, :224] / 255),
            targets="top3", stride=50, samples=3, engine="incremental", precision="float32",
        )  # fmt: skip

    return {
        "picture incremental": of(network, picture, **several),
        "picture dense": of(network, picture, engine="dense", **few),
        "picture other seed": of(network, picture, targets="all", seed=3, **several),
        "picture bfloat16": of(network, picture, precision="bfloat16", **several),
        "picture tolerance": of(network, picture, tolerance=0.3, window=4, sampler=gaussian,
            **boxes,
        ),
        "picture embedded statistics": of(network, picture, window=4, margin=2, samples=4,
            **boxes,
        ),
        "picture independent": of(network, picture, window=4, samples=4, sampler=independent,
            **boxes,
        ),
        "picture marginal": of(
            network, picture, window=3, samples=12, sampler=samplers.Marginal(pictures[1:]),
            **boxes,
        ),
        "picture constant": of(network, picture, window=5, sampler="constant:0.25", stride=2,
            **boxes,
        ),
        "picture masked": of(network, picture, mask=mask, train_size=500, **several),
        "picture occlusion": of(network, picture, baselines=["occlusion"], stride=3, **several),
        "picture probability": of(network, picture, measure="DP", **several),
        "picture information": of(network, picture, measure="ID", tolerance=0.5, **several),
        "picture callable": of(classify, picture, targets="top2", **few),
        "hidden node": of(network, picture, node="3", targets=[0, 5], **several),
        "hidden units": of(network, picture, node="3", targets=["2:1,1", "4:6,3"], **several),
        "hidden source places": of(
            network, picture, source="2", window=2, samples=4, sampler=samplers.Constant(0.0),
            **boxes,
        ),
        "hidden source channels": of(
            network, picture, source="2", window="channel", samples=1, sampler="constant:0",
            **boxes,
        ),
        "hidden source units": of(
            network, picture, source="5", window="unit", samples=1, sampler="constant:0",
            **boxes,
        ),
        "volume closed form": of(linear, volume, sampler=brain, targets="all"),
        "volume closed form located": of(two, volume, sampler=located),
        "volume closed form marginal": of(two, volume, sampler=samplers.Marginal(volumes[1:])),
        "volume draws": of(two, volume, sampler=located, engine="dense", samples=4, stride=2),
        "volume network": of(network3d, volume, sampler=brain, samples=4, engine="incremental"),
        "volume tolerance": of(network3d, volume, sampler=located, tolerance=0.5, samples=4,
            **boxes,
        ),
        "scan with mask": scan,
        "coffee": coffee,
    }  # fmt: skip


def common(explanation, array, before):
    """An array now and before, without what windows that end at the border have since added."""
    now, stride = np.asarray(explanation.data[array].values), explanation.provenance["stride"]
    if stride == 1:
        return now, before
    starts, size = explanation.data["window_start"].values, explanation.window_sizes[0]
    added = (starts % stride != 0).any(axis=1)
    if array.startswith("evidence"):
        return now[:, ~added], before
    if array == "prediction":
        return now, before
    kept = np.ones(explanation.coverage.shape, dtype=bool)
    for start in starts[added]:
        kept[tuple(slice(a, a + k) for a, k in zip(start, size, strict=True))] = False
    return now[:, kept], before[:, kept]


def measured():
    """Run → its Explanation."""
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        return {name: run() for name, run in runs(folder).items()}


def check(path):
    """Print what differs; how many runs do."""
    before, after = np.load(path), measured()
    different = 0
    for name, explanation in after.items():
        pairs = ((array, common(explanation, array, before[f"{name}/{array}"])) for array in ARRAYS)
        off = [array for array, (now, then) in pairs if now.tobytes() != then.tobytes()]
        sys.stdout.write(
            f"{name:32s} {'the same' if not off else 'DIFFERS in ' + ', '.join(off)}\n"
        )
        different += bool(off)
    return different


if __name__ == "__main__":
    action, file = sys.argv[1:]
    if action == "write":
        arrays = {
            f"{name}/{array}": explanation.data[array].values
            for name, explanation in measured().items()
            for array in ARRAYS
        }
        np.savez_compressed(file, **arrays)
    else:
        sys.exit(1 if check(file) else 0)
