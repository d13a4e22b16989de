"""Streams: random numbers of its own for every window."""

import numpy as np


def window_generator(seed: int, number: int, block: int = 0) -> np.random.Generator:
    """Return the random numbers of one window: a stream for each seed and window number.

    Parameters
    ----------
    seed : of the whole analysis.
    number : of `Windows.numbers`: the window's position, whatever the stride or the subset.
    block : of draws: each block of a window has a stream of its own, too.
    """
    # Philox is a counter-based generator (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as
    # easy as 1, 2, 3", SC 2011): output i is a block cipher of i under the key, so a key *is* a
    # stream, independent of those of all other keys, and starts without any warming up. With
    # (seed, window) as the key, nothing of a draw depends on batch size, order, engine or which
    # other windows there are. One generator for the whole analysis would hand a window other
    # numbers whenever it is visited at another time; seeding an ordinary generator with
    # seed + number would give window n of seed 1 the same numbers as window n + 1 of seed 0.
    key = np.array([seed, number], dtype=np.uint64)
    # The counter's highest word is the block: 2^192 numbers lie between one block and the next.
    counter = np.array([0, 0, 0, block], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
