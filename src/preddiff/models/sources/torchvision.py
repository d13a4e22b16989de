"""torchvision's networks by name."""

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from preddiff.errors import ModelError, first_line, nearest
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE
from preddiff.models.networks import metadata, states
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.models.request import Request

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

_WITH_AUXILIARY_HEADS = {"googlenet", "inception_v3"}
_AUXILIARY_HEADS = ("aux1.", "aux2.", "AuxLogits.")


def names() -> list[str]:
    """Return the names of torchvision's classifiers."""
    from torchvision import models

    return list(models.list_models(module=models))


def load(spec: str, request: Request) -> Network:
    """Return a classifier of torchvision.

    Parameters
    ----------
    spec : torchvision:NAME, e.g. "torchvision:googlenet", with torchvision's default weights;
        torchvision:NAME@WEIGHTS with those of a name as torchvision gives it (IMAGENET1K_V1),
        random ones, or those in a file with a state dict.

    Raises
    ------
    ModelError
        If the name or the weights are unknown or cannot be had.
    """
    from torchvision import models

    name, _, weights = spec.removeprefix("torchvision:").partition("@")
    known = names()
    if name not in known:
        raise ModelError(f"torchvision:{name}: no such classifier{nearest(name, known)}")
    choices = models.get_model_weights(name)
    is_file = Path(weights).suffix != ""
    if is_file:
        request.refuse_key(spec)
    else:
        request.refuse(spec)
    if weights not in {"", "random", *choices.__members__} and not is_file:
        raise ModelError(
            f"torchvision:{name}@{weights}: unknown weights; expected one of "
            f"{', '.join(choices.__members__)}, random, or the path of a state dict"
        )
    named = choices.__members__.get(weights or "DEFAULT", choices.DEFAULT)
    preprocessing = _preprocessing(named.transforms())
    if is_file:
        return _of_file(name, Path(weights), named, request)
    if weights == "random":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # the same random weights every time
            module = models.get_model(name, weights=None, **_as_with_weights(name))
    else:
        module = _download(name, named)
    return Network(
        module.eval(),
        preprocessing,
        output="logits",
        spec=f"torchvision:{name}" + (f"@{weights}" if weights else ""),
        labels=named.meta["categories"],
        train_size=None if weights == "random" else IMAGENET_TRAIN_SIZE,
    )


def _of_file(name: str, path: Path, named: "WeightsEnum", request: Request) -> Network:
    """Return a network with weights of the user's own, of as many classes as they are of."""
    from torchvision import models

    # Heads that only training needs: many leave them out, or never train them.
    without = {"aux_logits": False} if name in _WITH_AUXILIARY_HEADS else {}
    arguments = {**_as_with_weights(name), **without}
    module, classes = states.filled(
        path,
        f"torchvision's {name}",
        lambda classes: models.get_model(name, weights=None, num_classes=classes, **arguments),
        unused=_AUXILIARY_HEADS,
    )
    found = metadata.described(request)
    usual = classes == states.USUAL_CLASSES
    network = Network(
        module.eval(),
        found.preprocessing or _preprocessing(named.transforms()),
        output="logits" if found.output == "auto" else found.output,
        spec=f"torchvision:{name}@{path.name}",
        labels=found.labels or (named.meta["categories"] if usual else None),
        train_size=IMAGENET_TRAIN_SIZE if usual else None,
    )
    network.classes = classes
    return network


def _as_with_weights(name: str) -> dict[str, bool]:
    """The arguments that torchvision sets by itself where it loads its own weights."""
    # Both were trained on inputs in [-1, 1], and undo the usual normalisation themselves.
    if name in _WITH_AUXILIARY_HEADS:
        return {"init_weights": False, "transform_input": True}
    return {}


def _download(name: str, weights: "WeightsEnum") -> torch.nn.Module:
    from torchvision import models

    try:
        with _tensors_only():
            module: torch.nn.Module = models.get_model(name, weights=weights)
    except pickle.UnpicklingError:
        raise ModelError(
            f"torchvision:{name}: what stands for {weights.url} in {torch.hub.get_dir()} holds "
            "more than tensors and could run code; remove it"
        ) from None
    except (RuntimeError, EOFError) as error:
        raise ModelError(
            f"torchvision:{name}: what stands for {weights.url} in {torch.hub.get_dir()} is "
            f"damaged ({first_line(error)}); remove it"
        ) from None
    except OSError as error:  # urllib's errors are OSErrors
        raise ModelError(
            f"torchvision:{name}: the weights could not be downloaded from {weights.url} "
            f"({error}); put that file into {torch.hub.get_dir()}/checkpoints, or give the path of "
            f"a state dict: torchvision:{name}@FILE"
        ) from None
    return module


@contextmanager
def _tensors_only() -> Iterator[None]:
    """Have torch.load read tensors and nothing else: torchvision does not ask it to."""
    # A file of weights is a pickle, and unpickling runs code. What lies in the cache under the
    # right name may be anybody's.
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _preprocessing(transforms: Any) -> Preprocessing:  # of a private class of torchvision
    side = int(transforms.crop_size[0])
    return Preprocessing(
        size=(side, side),
        short_side=int(transforms.resize_size[0]),
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )
