"""The similarity of an embedding to a reference: why are these two alike?"""

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import TargetError
from preddiff.targets.base import OfOutput, Returned, Target, tensor_of


def similarity(reference: ArrayLike) -> Target:
    """Return the cosine of the angle between a network's embedding and a reference.

    Parameters
    ----------
    reference : (d,), such as the embedding of another picture.
    """
    vector = np.asarray(reference, dtype=np.float32).reshape(-1)
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length):
        raise TargetError("the reference embedding is NaN or infinite: expected finite numbers")
    if not length > 0:
        raise TargetError("the reference embedding is 0: expected numbers that are not all 0")

    def function(output: Returned) -> Returned:
        import torch

        flat = tensor_of(output).flatten(1)
        if flat.shape[1] != len(vector):
            raise TargetError(
                f"a reference of {len(vector)} numbers: expected {flat.shape[1]}, as the network's "
                "embedding has"
            )
        direction = torch.from_numpy(vector / length).to(flat)
        return torch.nn.functional.normalize(flat) @ direction

    return OfOutput(function, "similarity", "cosine similarity")
