"""Fingerprint: a SHA-256 over named numbers and arrays."""

import hashlib

import numpy as np
from numpy.typing import ArrayLike


def fingerprint(**parts: ArrayLike | None) -> str:
    """Return the SHA-256 of named numbers, texts and arrays, whatever their order.

    Raises
    ------
    TypeError
        If a part is something whose bytes say nothing, such as a function.
    """
    digest = hashlib.sha256()
    for name, value in sorted(parts.items()):
        array = np.ascontiguousarray("None" if value is None else value)
        # An array of Python objects holds addresses, which are others in the next process.
        if array.dtype.hasobject:
            raise TypeError(f"{name} is a {type(value).__name__}, which has no fingerprint")
        # Type and shape are part of it: else [1, 2] and [[1], [2]] would be the same.
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data)  # no copy: a located sampler has gigabytes
    return digest.hexdigest()
