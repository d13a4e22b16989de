"""Layer-wise relevance propagation (Bach et al. 2015), by zennit (Anders et al. 2021)."""

from __future__ import annotations

import warnings

import numpy as np

from preddiff.baselines.captum_methods import scores_of
from preddiff.errors import ModelError
from preddiff.models import Model
from preddiff.studies.evaluation.attributions import network_of, tensor_of
from preddiff.studies.evaluation.maps import PictureMap
from preddiff.types import Pixels


def lrp(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return the relevance that the target's score is made of, channels summed.

    Dense layers have the ε rule, convolutions the z⁺ rule (Montavon et al. 2019); batch
    normalisation is merged into the layer before it.

    Raises
    ------
    ModelError
        If zennit is not installed, or the model is no torch network.
    """
    del seed
    try:
        from zennit.canonizers import SequentialMergeBatchNorm
        from zennit.composites import EpsilonPlus
    except ImportError:
        raise ModelError(
            "lrp: needs zennit; pip install 'preddiff[evaluate]', or leave it out"
        ) from None
    import torch

    network = network_of(model)
    scores = scores_of(network)
    x = tensor_of(picture)
    # The first call looks at the network without gradients, which hooks do not bear.
    scores(x)
    x.requires_grad_()
    composite = EpsilonPlus(canonizers=[SequentialMergeBatchNorm()])
    with composite.context(network.module), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that hooks are set on functions that work in place
        (passed,) = torch.autograd.grad(scores(x)[0, target], x)
    # Rules end where the network begins, with its own numbers. Normalisation before it passes on
    # what it gets as a gradient does, times its slope, which is taken off again.
    (slope,) = torch.autograd.grad(network.normalised(x).sum(), x)
    return np.asarray((passed / slope)[0].double().sum(0).numpy())
