import hashlib

import numpy as np
import pytest

from preddiff.samplers.fingerprint import fingerprint


def test_a_fingerprint_is_of_names_types_shapes_and_bytes():
    parts = [
        {"a": 1.0}, {"b": 1.0}, {"a": 2.0}, {"a": 1}, {"a": [1.0, 2.0]}, {"a": [[1.0, 2.0]]},
        {"a": "one"}, {"a": None},
    ]  # fmt: skip
    assert len({fingerprint(**each) for each in parts}) == len(parts)
    assert fingerprint(a=1, b=2) == fingerprint(b=2, a=1)


def test_fingerprints_are_what_they_were():
    """Interrupted analyses go on only if they are."""
    expected = hashlib.sha256(b"x <f4 (2,)" + np.float32([1, 2]).tobytes()).hexdigest()
    assert fingerprint(x=np.float32([1, 2])) == expected


def test_what_has_no_bytes_of_its_own_is_refused():
    with pytest.raises(TypeError, match="x is a object, which has no fingerprint"):
        fingerprint(x=object())
