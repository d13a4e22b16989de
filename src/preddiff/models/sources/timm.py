"""timm's networks by name (extra `timm`)."""

from pathlib import Path
from typing import cast

import torch

from preddiff.errors import ModelError, first_line, nearest
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE
from preddiff.models.networks import metadata, states
from preddiff.models.networks.network import Network
from preddiff.models.request import Request


def load(spec: str, request: Request) -> Network:
    """Return a classifier of timm.

    Parameters
    ----------
    spec : timm:NAME with the pretrained weights, e.g. "timm:resnet18" or
        "timm:resnet18.a1_in1k"; timm:NAME@random without; timm:NAME@FILE with those of a state
        dict.

    Raises
    ------
    ModelError
        If timm is not installed, the name is unknown, or the weights cannot be had.
    """
    name, _, weights = spec.removeprefix("timm:").partition("@")
    try:
        import timm
    except ImportError:
        raise ModelError(
            f"timm:{name}: timm is not installed; pip install 'preddiff[timm]'"
        ) from None
    known = timm.list_models()
    if name.split(".")[0] not in known:
        raise ModelError(f"timm:{name}: no such network{nearest(name, known)}")
    is_file = Path(weights).suffix != ""
    if is_file:
        request.refuse_key(spec)
    else:
        request.refuse(spec)
    if weights not in {"", "random"} and not is_file:
        raise ModelError(
            f"timm:{name}@{weights}: expected no weights, random, or the path of a state dict"
        )
    found = metadata.described(request)
    if is_file:
        module, classes = states.filled(
            Path(weights),
            f"timm's {name}",
            lambda classes: timm.create_model(name, num_classes=classes),
        )
    else:
        module = _named(name, pretrained=not weights)
        classes = int(cast(int, module.num_classes))
    config = timm.data.resolve_model_data_config(module)
    usual = classes == states.USUAL_CLASSES
    network = Network(
        module.eval(),
        found.preprocessing or metadata.preprocessing(metadata.read(config)[0]),
        output="logits" if found.output == "auto" else found.output,
        spec=f"timm:{name}" + (f"@{Path(weights).name}" if weights else ""),
        labels=found.labels or (_labels() if usual else None),
        train_size=IMAGENET_TRAIN_SIZE if usual and weights != "random" else None,
    )
    network.classes = classes
    return network


def _named(name: str, *, pretrained: bool) -> torch.nn.Module:
    import timm

    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # the same random weights every time
            module: torch.nn.Module = timm.create_model(name, pretrained=pretrained)
    except Exception as error:
        raise ModelError(
            f"timm:{name}: the weights could not be had ({first_line(error)}); they come from the "
            f"internet once and stay in its cache; timm:{name}@random needs none, and "
            f"timm:{name}@FILE takes those of a state dict"
        ) from None
    return module


def _labels() -> list[str]:
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    return [info.index_to_description(i) for i in range(states.USUAL_CLASSES)]
