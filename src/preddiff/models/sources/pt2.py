"""Programs of torch.export in .pt2 files: operations and weights, not read by torch itself.

Its reader unpickles, evaluates expressions, and calls whatever function of torch a file names.
"""

import json
import math
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TypedDict, cast

import torch
from torch import fx

from preddiff.errors import ModelError
from preddiff.media.archives import check_archive
from preddiff.media.reading import check_file, display_name, failures_as
from preddiff.models.networks import metadata
from preddiff.models.networks.network import Network
from preddiff.models.request import Request
from preddiff.models.sources.pt2_program import DTYPES, ExportedProgram, program

_SCHEMA = 8  # of the files that torch 2.8 and later write
_MODEL = "models/model.json"
_PAYLOADS = ("weights", "constants")


class _Described(TypedDict):
    """Where the numbers of a tensor lie in a member of the archive."""

    dtype: int
    sizes: list[dict[str, int]]
    strides: list[dict[str, int]]
    storage_offset: dict[str, int]


def load(spec: str, request: Request) -> Network:
    """Return the network in a file that `torch.export.save` wrote.

    Parameters
    ----------
    spec : the file's path.

    Raises
    ------
    ModelError
        If there is no such file, or it holds more than operations of torch and numbers.
    """
    path = Path(spec)
    check_file(path, ModelError, "a program of torch.export")

    def damaged(why: str) -> ModelError:
        return ModelError(f"{path}: not a program of torch.export ({why}); save it anew")

    with failures_as(damaged):
        module, shape = _read(path)
    if shape is not None and metadata.asks_for_channels_last(request):
        shape = (shape[-1], *shape[:-1])
    found = metadata.described(request, shape)
    return Network(
        module.eval(),
        found.preprocessing,
        output=found.output,
        output_key=request.output_key,
        spec=display_name(path),
        labels=found.labels,
        shape=shape,
    )


def _read(path: Path) -> tuple[fx.GraphModule, tuple[int, ...] | None]:
    """Return a file's network, and the shape of its input without the first axis, if fixed."""
    with path.open("rb") as file:
        check_archive(path, file, ModelError)
        with zipfile.ZipFile(file) as archive:
            members = {_below_root(each): each for each in archive.namelist()}
            if _MODEL not in members:
                older = "serialized_exported_program.json" in archive.namelist()
                why = "one of torch older than 2.8" if older else f"it has no {_MODEL}"
                raise ModelError(f"{path}: not a program of torch.export ({why}); save it anew")
            described = json.loads(archive.read(members[_MODEL]))
            if described["schema_version"]["major"] != _SCHEMA:
                raise ValueError(f"of version {described['schema_version']}, expected {_SCHEMA}")
            tensors = {kind: _tensors(path, archive, members, kind) for kind in _PAYLOADS}
    every = {**tensors["constants"], **tensors["weights"]}
    try:
        return program(cast(ExportedProgram, described["graph_module"]), every)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _below_root(name: str) -> str:
    """Return a member's name without the folder that they all lie in."""
    return str(PurePosixPath(*PurePosixPath(name).parts[1:]))


def _tensors(
    path: Path, archive: zipfile.ZipFile, members: Mapping[str, str], kind: str
) -> dict[str, torch.Tensor]:
    """Return the weights, or the constants, of an archive, by name."""
    config = json.loads(archive.read(members[f"data/{kind}/model_{kind}_config.json"]))["config"]
    found = {}
    for name, payload in config.items():
        if payload["use_pickle"] or not re.fullmatch(r"(weight|tensor)_\d+", payload["path_name"]):
            raise ModelError(
                f"{path}: {name!r:.80} is pickled, and could run code: expected plain tensors"
            )
        content = archive.read(members[f"data/{kind}/{payload['path_name']}"])
        found[name] = _tensor(content, payload["tensor_meta"])
    return found


def _tensor(content: bytes, described: _Described) -> torch.Tensor:
    dtype = DTYPES[described["dtype"]]
    size = [each["as_int"] for each in described["sizes"]]
    stride = [each["as_int"] for each in described["strides"]]
    offset = described["storage_offset"]["as_int"]
    if not math.prod(size):
        return torch.empty(size, dtype=dtype)
    # Within what the member holds: torch refuses to go beyond, and negative lengths.
    return torch.frombuffer(bytearray(content), dtype=dtype).as_strided(size, stride, offset)
