"""Networks with random weights: a map that explains the model changes (Adebayo et al. 2018)."""

import copy
import math

import torch

from preddiff.errors import ModelError
from preddiff.models import Model
from preddiff.models.networks.network import Network


def randomised(model: Model, *, share: float, seed: int = 0) -> Network:
    """Return a network whose weights stand in a random order; the model is left as it is.

    Shuffling keeps each layer's distribution of weights, so activations keep their size roughly.

    Parameters
    ----------
    share : of the layers with weights, those that are shuffled, from the last one back: 0 is the
        last layer alone, the classifier, 1 every layer. A row of shares is the cascade.

    Raises
    ------
    ModelError
        If the model is no torch network, or has no weights.
    """
    if not isinstance(model, Network):
        raise ModelError(f"{model.spec} is no torch network, whose weights could be randomised")
    module = copy.deepcopy(model.module)
    # Vectors are biases and scales, whose order means little; matrices and kernels are weights.
    weights = [each for each in module.parameters() if each.ndim > 1]
    if not weights:
        raise ModelError(f"{model.spec} has no weights that could be randomised")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in weights[-max(1, math.ceil(share * len(weights))) :]:
            flat = each.detach().flatten()
            each.copy_(flat[torch.randperm(len(flat), generator=generator)].reshape(each.shape))
    return Network(
        module,
        model.preprocessing if model.takes_pictures else None,
        output=model.requested_output,
        spec=f"{model.spec}, randomised",
        labels=model.labels,
        train_size=model.train_size,
    )
