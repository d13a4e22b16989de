"""Rounding inside of compiled loops is torch's."""

import numpy as np
import torch
from numba import njit

from preddiff.engines.incremental.execute.kernels.bfloat16 import narrow, widen


@njit
def narrowed(values, out):
    for i in range(len(values)):
        out[i] = narrow(values[i], out[0])


@njit
def widened(values, out):
    for i in range(len(values)):
        out[i] = widen(values[i])


def test_numbers_are_rounded_to_the_nearest_even():
    halves = 1 + np.arange(-8, 8) * 2.0**-9  # every other one lies between two numbers
    rng = np.random.default_rng(0)
    values = np.concatenate([halves, rng.normal(size=1000), [0, -0.0, 1e30, -1e-30]])
    values = values.astype(np.float32)
    out = np.empty(len(values), dtype=np.uint16)
    narrowed(values, out)
    expected = torch.from_numpy(values).bfloat16()
    np.testing.assert_array_equal(out, expected.view(torch.uint16).numpy())
    back = np.empty_like(values)
    widened(out, back)
    np.testing.assert_array_equal(back, expected.float().numpy())


def test_float32_stays_as_it_is():
    values = np.random.default_rng(0).normal(size=9).astype(np.float32)
    out, back = np.empty_like(values), np.empty_like(values)
    narrowed(values, out)
    widened(values, back)
    np.testing.assert_array_equal(out, values)
    np.testing.assert_array_equal(back, values)
