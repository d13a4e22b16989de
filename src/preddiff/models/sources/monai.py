"""Bundles of MONAI (extra `monai`): folders with configs and weights, of which no code is run."""

import inspect
import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from torch import nn

from preddiff.errors import InputWarning, ModelError, first_line, nearest
from preddiff.media.reading import check_file, display_name, failures_as, read_text
from preddiff.models.labels import names
from preddiff.models.networks import metadata, states
from preddiff.models.networks.network import Network
from preddiff.models.networks.quiet import quiet
from preddiff.models.request import Request
from preddiff.models.sources import torchscript

_PREFIX = "monai:"
_BYTES = 1 << 22
_CONFIGS = ("inference.json", "train.json", "evaluate.json")
_NETWORKS = ("network_def", "network", "net", "model")  # keys of it, by what bundles call it
_STATE, _SCRIPT = "models/model.pt", "models/model.ts"
_DOWNLOADING = {"Transchex", "MultiModal", "BertPreTrainedModel"}
# Steps that change no value that they get.
_HARMLESS = re.compile(r"(LoadImage|EnsureChannelFirst|EnsureType|AddChannel|ToTensor)d?$")
_DEPTH = 10  # of references to references

Config = Mapping[str, object]
"""Content of a bundle's config."""


def load(spec: str, request: Request) -> Network:
    """Return the network of a bundle, with the names of its classes.

    Parameters
    ----------
    spec : monai:FOLDER, where configs/inference.json and models/model.pt lie.

    Raises
    ------
    ModelError
        If it is no such folder, or its network takes more to build than a class of MONAI and plain
        arguments.
    """
    folder = Path(spec.removeprefix(_PREFIX))
    config = _config(folder)
    module = _network(folder, config)
    _warn_of_preparation(folder, config)
    found = metadata.described(request)
    return Network(
        module.eval(),
        found.preprocessing,
        output=found.output,
        output_key=request.output_key,
        spec=_PREFIX + display_name(folder.resolve()),
        labels=found.labels or _labels(folder),
    )


def _config(folder: Path) -> Config:
    if not folder.is_dir():
        raise ModelError(
            f"{_PREFIX}{folder}: no such folder; expected a bundle of MONAI (they are not "
            "downloaded by preddiff)"
        )
    found = [path for name in _CONFIGS if (path := folder / "configs" / name).exists()]
    if not found:
        raise ModelError(f"{folder}: no configs/{_CONFIGS[0]}: expected a bundle of MONAI, in JSON")
    return _json(found[0])


def _json(path: Path) -> Config:
    text = read_text(path, ModelError, "a config of MONAI", _BYTES)
    with failures_as(lambda why: ModelError(f"{path}: not a config of MONAI ({why})")):
        content = json.loads(text)
        if not isinstance(content, dict):
            raise TypeError("no mapping")
    return content


def _network(folder: Path, config: Config) -> nn.Module:
    """Return the network with its weights; a TorchScript program where there are no others."""
    if not (folder / _STATE).exists() and (folder / _SCRIPT).exists():
        return torchscript.module(folder / _SCRIPT)
    check_file(folder / _STATE, ModelError, "the weights of a bundle")
    described = next((config[key] for key in _NETWORKS if _has_target(config.get(key))), None)
    if described is None:
        raise ModelError(
            f"{folder}: its config describes no network in {', '.join(_NETWORKS)}: expected a "
            "mapping with _target_; build it in package.module:factory"
        )
    given = dict(cast(Config, described))
    name = str(given.pop("_target_")).removeprefix("monai.networks.nets.")
    kind = _class(folder, name)
    arguments = {key: _literal(folder, key, each, config) for key, each in given.items()}
    module = _built(folder, name, kind, arguments)
    states.fill(module, folder / _STATE, f"its {name}")
    return module


def _has_target(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("_target_"), str)


def _class(folder: Path, name: str) -> type[nn.Module]:
    """Return a network of MONAI by its name, or raise: other classes are code of a stranger."""
    try:
        with quiet(), warnings.catch_warnings(action="ignore"):
            from monai.networks import nets
    except ImportError:
        raise ModelError(
            f"{_PREFIX}{folder}: monai is not installed; pip install 'preddiff[monai]'"
        ) from None
    known = {
        key: each
        for key, each in vars(nets).items()
        if isinstance(each, type) and issubclass(each, nn.Module) and key not in _DOWNLOADING
    }
    if name not in known:
        raise ModelError(
            f"{folder}: its network is {name!r:.80}: expected one of monai.networks.nets "
            f"that needs no download{nearest(name, known)}; build it in package.module:factory"
        )
    return known[name]


def _literal(folder: Path, key: str, value: object, config: Config, depth: int = 0) -> object:
    """Return an argument as it is, with references to other plain ones resolved.

    Raises
    ------
    ModelError
        If it is an expression, an object to be built, or names a file or an address.
    """
    if isinstance(value, dict) and "_target_" not in value:
        return {str(k): _literal(folder, key, v, config, depth) for k, v in value.items()}
    if isinstance(value, list):
        return [_literal(folder, key, each, config, depth) for each in value]
    if isinstance(value, str) and re.fullmatch(r"@\w+", value) and depth < _DEPTH:
        if value[1:] in config:
            return _literal(folder, key, config[value[1:]], config, depth + 1)
    elif not isinstance(value, dict) and not re.match(r"[@$%]|.*[/\\]", str(value), re.DOTALL):
        return value
    raise ModelError(
        f"{folder}: {key} of its network is {str(value)!r:.80}: expected plain numbers and texts, "
        "as expressions are not evaluated; build it in package.module:factory"
    )


def _built(
    folder: Path, name: str, kind: type[nn.Module], arguments: dict[str, object]
) -> nn.Module:
    # Weights are those of the bundle: pretrained ones would be downloaded.
    if "pretrained" in inspect.signature(kind).parameters:
        arguments = arguments | {"pretrained": False}
    try:
        with quiet(), warnings.catch_warnings(action="ignore"):
            return kind(**arguments)
    except Exception as error:
        raise ModelError(f"{folder}: its {name} cannot be built ({first_line(error)})") from None


def _warn_of_preparation(folder: Path, config: Config) -> None:
    """Warn that scans go in as they are, where the bundle would prepare them."""
    chain = config.get("preprocessing")
    steps = chain.get("transforms", []) if isinstance(chain, dict) else []
    named = [str(each["_target_"]) for each in steps if _has_target(each)]
    left = [each for each in named if not _HARMLESS.search(each)]
    if left:
        warnings.warn(
            f"{folder}: its preprocessing is not run ({', '.join(left)}): give what comes out of "
            "it, as an array or a file",
            InputWarning,
            stacklevel=2,
        )


def _labels(folder: Path) -> list[str] | None:
    """Return the names of the classes, as metadata.json has them; None where it does not."""
    path = folder / "configs" / "metadata.json"
    if not path.exists():
        return None
    found: object = _json(path)
    for key in ("network_data_format", "outputs", "pred", "channel_def"):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict) or not found:
        return None
    return names(cast(Mapping[int | str, str], found))
