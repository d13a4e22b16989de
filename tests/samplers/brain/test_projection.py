"""Closed forms on lines that are longer than what is solved at once, and on pictures."""

import numpy as np
import pytest

from preddiff.method.windows import Windows
from preddiff.samplers.brain.evidence import posterior
from preddiff.samplers.brain.factors import Factors
from preddiff.samplers.brain.noise import Noise
from preddiff.samplers.brain.normal import BrainNormal


@pytest.mark.parametrize(("shape", "size", "reach"), [((9, 80), (2, 3), 11), ((90,), (4,), np.inf)])
def test_few_axes_and_long_lines(rng, shape, size, reach):
    mask = rng.random(shape) < 0.8
    voxels = int(mask.sum())
    factors = Factors(
        rng.normal(size=voxels), rng.normal(size=(3, voxels)), rng.uniform(0.5, 2, voxels)
    )
    noise = Noise(0.7, (1.2,) * len(shape))
    normal = BrainNormal(mask, factors, noise, (2.0,) * len(shape), 4.0, reach)
    scan, weights = rng.normal(size=shape), rng.normal(size=(2, *shape))
    every = Windows.over(shape, size)
    windows = every.subset(rng.permutation(len(every)))
    values = normal.scaled(scan)
    mean, covariance = normal.projection(weights, values).normals(windows)
    for n, (law, within) in enumerate(normal.laws(values, windows)):
        (place,), root = (each.T for each in posterior(*law))
        which = normal.evidence.numbers[within]
        which = which[which >= 0]
        v = (weights[:, *within] * mask[within])[:, mask[within]]
        at = np.argwhere(mask[within]) / (2 * np.array(noise.lengths))
        correlation = 0.7 * np.exp(-((at[:, None] - at) ** 2).sum(axis=-1)) + 0.3 * np.eye(len(at))
        own = v * np.sqrt(factors.variance[which])
        sums = v @ factors.loadings[:, which].T
        off = factors.mean[which] - scan[within][mask[within]]
        np.testing.assert_allclose(mean[:, n], v @ off + sums @ place, atol=1e-8)
        spread = sums @ root.T @ root @ sums.T + own @ correlation @ own.T
        np.testing.assert_allclose(covariance[:, :, n], spread, atol=1e-8)
