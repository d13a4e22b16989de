"""Conditional normals by the textbook, and samplers of every kind to hold against it."""

import numpy as np

from preddiff.samplers import ConditionalGaussian, Constant, Marginal, StationaryGaussian


def random_normal(rng, shape, clip=False):
    size = int(np.prod(shape))
    root = rng.normal(size=(size, size))
    mean = rng.normal(size=size)
    return ConditionalGaussian(mean, root @ root.T / size + 0.1 * np.eye(size), shape, clip=clip)


def direct(sampler, inputs, start, size):
    """Conditional mean and covariance by the textbook, with numpy's inverse."""
    lengths = sampler.shape[1:]
    corner = [
        min(max(s - (n - k) // 2, 0), total - n)
        for s, n, k, total in zip(start, lengths, size, inputs.shape[1:], strict=True)
    ]
    held = np.zeros(sampler.shape, dtype=bool)
    held[
        (
            slice(None),
            *(slice(s - c, s - c + k) for s, c, k in zip(start, corner, size, strict=True)),
        )
    ] = True
    w = held.reshape(-1)
    patch = inputs[(slice(None), *(slice(c, c + n) for c, n in zip(corner, lengths, strict=True)))]
    x = patch.reshape(-1).astype(np.float64)
    mean, cov = sampler.mean, sampler.covariance
    gain = cov[w][:, ~w] @ np.linalg.inv(cov[~w][:, ~w])
    return mean[w] + gain @ (x[~w] - mean[~w]), cov[w][:, w] - gain @ cov[~w][:, w]


def everything(rng):
    pool = rng.random((20, 3, 16, 16)).astype(np.float32)
    return [
        ConditionalGaussian.natural(7),
        StationaryGaussian.natural(7),
        Marginal(pool),
        Constant([0.1, 0.2, 0.3]),
    ]
