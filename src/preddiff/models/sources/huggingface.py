"""Folders as HuggingFace's `save_pretrained` writes them (extra `hf`); no code in them is run."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from torch import nn

from preddiff.errors import ModelError, nearest
from preddiff.media.reading import (
    check_file,
    check_memory,
    display_name,
    failures_as,
    read_text,
)
from preddiff.models.networks import huggingface, metadata
from preddiff.models.networks.network import Network
from preddiff.models.networks.quiet import quiet
from preddiff.models.request import Request

_PREFIX = "hf:"
_CONFIG, _PROCESSOR = "config.json", "preprocessor_config.json"
_WEIGHTS, _SHARDS = "model.safetensors", "model.safetensors.index.json"
_BYTES = 1 << 24  # of a configuration; those of 20,000 classes have two million
_KERNELS = {None, "eager", "sdpa"}  # others may be fetched from the internet

Config = Mapping[str, object]
"""Content of a config.json."""


def load(spec: str, request: Request) -> Network:
    """Return the classifier of pictures in a folder, with its labels and preprocessing.

    Parameters
    ----------
    spec : hf:FOLDER, where config.json and model.safetensors lie.

    Raises
    ------
    ModelError
        If it is no such folder, its weights are a pickle, or reading it would run code of its own
        or open a connection.
    """
    request.refuse_key(spec)
    folder = Path(spec.removeprefix(_PREFIX))
    config = _config(folder)
    _check_weights(folder)
    module = _network(folder, config)
    found = metadata.described(request)
    preprocessing = found.preprocessing
    if preprocessing is None and (folder / _PROCESSOR).is_file():
        preprocessing = metadata.preprocessing(metadata.read(folder / _PROCESSOR)[0])
    named = huggingface.labels(module)
    model = Network(
        module.eval(),
        preprocessing,
        output="logits" if found.output == "auto" else found.output,
        spec=_PREFIX + display_name(folder.resolve()),
        labels=found.labels or named,
    )
    model.classes = None if named is None else len(named)
    return model


def _config(folder: Path) -> Config:
    """Return a folder's configuration, or raise unless our library alone can follow it."""
    if not folder.is_dir():
        raise ModelError(
            f"{_PREFIX}{folder}: no such folder; expected what save_pretrained wrote "
            "(networks are not downloaded by preddiff)"
        )
    path = folder / _CONFIG
    expected = "the configuration of a network of HuggingFace"
    text = read_text(path, ModelError, expected, _BYTES)
    with failures_as(lambda why: ModelError(f"{path}: not {expected} ({why})")):
        config = json.loads(text)
        if not isinstance(config, dict):
            raise TypeError("no mapping")
    if (folder / "adapter_config.json").exists():
        raise ModelError(f"{folder}: an adapter of another network; save it merged with that one")
    _refuse_what_is_elsewhere(path, config)
    return config


def _refuse_what_is_elsewhere(path: Path, config: Config) -> None:
    """Raise if a configuration names networks or packages that are not in its folder."""
    if config.get("quantization_config"):
        raise ModelError(f"{path}: quantised weights need packages of their own; save it in float")
    attention = config.get("_attn_implementation", config.get("attn_implementation"))
    if not (attention is None or isinstance(attention, str)) or attention not in _KERNELS:
        raise ModelError(f"{path}: attention by {attention!r}: expected eager or sdpa; change it")
    # Both are fetched from the internet: the name of a backbone, and timm's hf-hub:NAME.
    named = config.get("backbone") or config.get("use_pretrained_backbone")
    architecture = config.get("architecture")
    if named or not re.fullmatch(r"[\w.]*", str(architecture or "")):
        raise ModelError(
            f"{path}: builds on {str(named or architecture)!r:.80}, which is not in this folder; "
            "give the module itself, package.module:factory"
        )


def _check_weights(folder: Path) -> None:
    """Raise unless the weights are in safetensors, which hold numbers and nothing else."""
    index = folder / _SHARDS
    names = {_WEIGHTS}
    if index.exists():
        text = read_text(index, ModelError, "a list of weights", _BYTES)
        with failures_as(lambda why: ModelError(f"{index}: not a list of weights ({why})")):
            names = {str(each) for each in json.loads(text)["weight_map"].values()}
    elif not (folder / _WEIGHTS).exists():
        raise ModelError(
            f"{folder}: no {_WEIGHTS}: other weights are pickles, which could run code, and are "
            "not read; if you trust them, load the network and network.save_pretrained(folder)"
        )
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise ModelError(f"{index}: weights in {outside[0]!r:.80}: expected a file beside it")
    sizes = [check_file(folder / name, ModelError, "weights in safetensors") for name in names]
    check_memory(folder, sum(sizes), ModelError)


def _network(folder: Path, config: Config) -> nn.Module:
    try:
        with quiet():
            from transformers import AutoModelForImageClassification
            from transformers.models.auto.modeling_auto import (
                MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES as KNOWN,
            )
    except ImportError:
        raise ModelError(
            f"{_PREFIX}{folder}: transformers is not installed; pip install 'preddiff[hf]'"
        ) from None
    kind = str(config.get("model_type"))
    if kind not in KNOWN:
        own = ": its code is its own, and is not run" if config.get("auto_map") else ""
        raise ModelError(
            f"{folder}: a network of type {kind!r:.80}{own}; expected a classifier of pictures "
            f"that transformers knows{nearest(kind, KNOWN)}"
        )

    def damaged(why: str) -> ModelError:
        return ModelError(f"{folder}: transformers cannot read it ({why})")

    with failures_as(damaged), quiet():
        module, information = AutoModelForImageClassification.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    # What the file lacks gets random weights: a network without a head, or with another one.
    missing = sorted(_names(information, "missing_keys") | _names(information, "mismatched_keys"))
    if missing:
        raise ModelError(
            f"{folder}: {missing[0]} and {len(missing) - 1} more weights are not in it: expected a "
            "classifier that was trained and saved as one"
        )
    found: nn.Module = module.float()
    return found


def _names(information: Mapping[str, object], key: str) -> set[str]:
    """Return names of weights, of some of which shapes are told as well."""
    keys = cast(Iterable[object], information[key])
    return {str(each[0] if isinstance(each, tuple) else each) for each in keys}
