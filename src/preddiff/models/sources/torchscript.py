"""TorchScript: programs that `torch.jit.save` wrote, run by torch in whole passes."""

import re
import warnings
import zipfile
from pathlib import Path

import torch
from torch import nn

from preddiff.errors import ModelError
from preddiff.media.archives import check_archive
from preddiff.media.reading import check_file, display_name, failures_as
from preddiff.models.networks import metadata
from preddiff.models.networks.network import Network
from preddiff.models.networks.quiet import quiet
from preddiff.models.request import Request
from preddiff.models.sources import torchscript_tensors

_EXPECTED = "a TorchScript program, as torch.jit.save writes it"
# Operations that read or write files, and those and classes of libraries beyond torch's own. Code
# in the archive is plain text, and has no other way to call them.
_BEYOND = re.compile(
    r"\b(?:from_file|save|print|_print|warn|read_file|write_file)\s*\("
    r"|(?<![\w.])ops\.(?!aten\.|prim\.|quantized\.|torchvision\.)\w+"
    r"|\btorch\.classes\.(?!quantized\.)\w+"
)


def load(spec: str, request: Request) -> Network:
    """Return the network in a TorchScript program.

    Parameters
    ----------
    spec : the file's path.

    Raises
    ------
    ModelError
        If there is no such file, it is no such program, such as a state dict, or it does more than
        to compute.
    """
    path = Path(spec)
    network = module(path)
    found = metadata.described(request)
    return Network(
        network.eval(),
        found.preprocessing,
        output=found.output,
        output_key=request.output_key,
        spec=display_name(path),
        labels=found.labels,
    )


def module(path: Path) -> nn.Module:
    """Return a program as a module.

    Raises
    ------
    ModelError
        As of `load`.
    """
    check_file(path, ModelError, _EXPECTED)

    def damaged(why: str) -> ModelError:
        return ModelError(f"{path}: not {_EXPECTED} ({why}); save it anew")

    with failures_as(damaged):
        if not zipfile.is_zipfile(path):
            raise ModelError(f"{path}: not {_EXPECTED} (no archive); {_CURES}")
        _check(path)
        # torch would rather have programs exported, and says so in a warning of its own.
        with quiet(), warnings.catch_warnings(action="ignore"):
            program: nn.Module = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
    return program


_CURES = (
    "weights alone have no network: name it, torchvision:NAME@FILE or timm:NAME@FILE, or give "
    "package.module:factory; a program of torch.export ends in .pt2"
)


def _check(path: Path) -> None:
    """Raise unless an archive holds a program, whose code does nothing but compute."""
    with path.open("rb") as file:
        check_archive(path, file, ModelError)
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            code = [name for name in names if "/code/" in name and name.endswith(".py")]
            if not code or not any(name.endswith("/constants.pkl") for name in names):
                raise ModelError(f"{path}: not {_EXPECTED} (no code in it); {_CURES}")
            for name in code:
                beyond = _BEYOND.search(archive.read(name).decode())
                if beyond is not None:
                    name = beyond[0].rstrip("( ")
                    raise ModelError(
                        f"{path}: its code calls {name!r:.80}: expected a program that computes, "
                        "and neither reads, writes nor prints"
                    )
            torchscript_tensors.check(archive)
