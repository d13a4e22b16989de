"""Algorithm 1 of the paper, line by line: what the product is held against."""

import itertools
import math

import numpy as np


def algorithm_1(predict, x, k, draw, c, *, stride=1, train_size=math.inf, classes=None):
    """WE / counts, and WE of every window, in float64.

    Parameters
    ----------
    predict : (channel, *spatial) → probabilities (K,).
    x : the input.
    draw : corner of a window → its S draws, (S, channel, k, ...).
    c : class of interest.
    """

    def corrected(p):
        return p if math.isinf(train_size) else (p * train_size + 1) / (train_size + classes)

    def odds(p):
        return corrected(p) / (1 - corrected(p))

    spatial = x.shape[1:]
    we, counts, per_window = np.zeros(spatial), np.zeros(spatial), []
    # The paper's stride is 1; of a longer one, the last window ends at the border.
    axes = (sorted({*range(0, n - k + 1, stride), n - k}) for n in spatial)
    corners = itertools.product(*axes)
    for corner in corners:
        x_w = tuple(slice(i, i + k) for i in corner)
        perturbed = x.copy()
        total = 0.0
        draws = draw(corner)
        for s in range(len(draws)):
            perturbed[(slice(None), *x_w)] = draws[s]
            total += float(predict(perturbed)[c])
        p_without = total / len(draws)
        evidence = math.log2(odds(float(predict(x)[c]))) - math.log2(odds(p_without))
        we[x_w] += evidence
        counts[x_w] += 1
        per_window.append(evidence)
    with np.errstate(invalid="ignore"):
        return we / counts, np.array(per_window)
