"""Fingerprint of what a result holds: tells whether a file was changed after it was written."""

import hashlib
import json
from collections.abc import Hashable, Mapping

import numpy as np
import xarray as xr

ATTRIBUTE = "content_sha256"
"""Attribute of a result with the fingerprint of all else in it."""

_OF_FILES = {ATTRIBUTE, "preddiff_format"}


def content_sha256(data: xr.Dataset) -> str:
    """Return the SHA-256 of a result's arrays and attributes, but for that of the fingerprint.

    Arrays count by name, axes, type and bytes, text by its characters, whatever its length in a
    file; so a result has the same fingerprint in memory and read from any of its files.
    """
    digest = hashlib.sha256(_json(data.attrs))
    for name in sorted(map(str, data.variables)):
        variable = data[name].variable
        values = np.ascontiguousarray(variable.values)
        kind = "text" if values.dtype.kind == "U" else values.dtype.newbyteorder("<").str
        digest.update(json.dumps([name, list(variable.dims), kind, list(values.shape)]).encode())
        digest.update(_json(variable.attrs))
        if kind == "text":
            digest.update(json.dumps(values.tolist()).encode())
        else:
            digest.update(values.astype(kind, copy=False).tobytes())
    return digest.hexdigest()


def _json(attributes: Mapping[Hashable, object]) -> bytes:
    """Return attributes as they are in a file, in the order of their names."""
    plain = {str(name): value for name, value in attributes.items() if name not in _OF_FILES}
    return json.dumps(plain, sort_keys=True, default=_plain).encode()


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
