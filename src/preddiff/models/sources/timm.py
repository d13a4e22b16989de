"""timm's networks by name (extra `timm`)."""

import math

import torch

from preddiff.errors import ModelError, first_line, nearest
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.models.request import Request


def load(spec: str, request: Request) -> Network:
    """Return a classifier of timm.

    Parameters
    ----------
    spec : timm:NAME with the pretrained weights, e.g. "timm:resnet18" or
        "timm:resnet18.a1_in1k"; timm:NAME@random without.

    Raises
    ------
    ModelError
        If timm is not installed, the name is unknown, or the weights cannot be had.
    """
    request.refuse(spec)
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
    if weights not in {"", "random"}:
        raise ModelError(f"timm:{name}@{weights}: expected no weights, or random")
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # the same random weights every time
            module = timm.create_model(name, pretrained=not weights).eval()
    except Exception as error:
        raise ModelError(
            f"timm:{name}: the weights could not be had ({first_line(error)}); they come from the "
            f"internet once and stay in its cache; timm:{name}@random needs none"
        ) from None
    config = timm.data.resolve_model_data_config(module)
    channels, height, width = config["input_size"]
    stretched = config["crop_mode"] == "squash"
    return Network(
        module,
        Preprocessing(
            size=(height, width),
            channels=channels,
            # timm says which share of the resized picture the centre crop keeps.
            short_side=None if stretched else math.floor(min(height, width) / config["crop_pct"]),
            interpolation=config["interpolation"],
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
        ),
        output="logits",
        spec=spec,
        labels=_labels(module.num_classes),
        train_size=IMAGENET_TRAIN_SIZE if not weights and module.num_classes == 1000 else None,
    )


def _labels(classes: int) -> list[str] | None:
    if classes != 1000:
        return None
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    return [info.index_to_description(i) for i in range(classes)]
