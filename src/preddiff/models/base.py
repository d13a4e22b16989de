"""What a model is: it turns inputs into class probabilities, or into the values of a node."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from preddiff.errors import ModelError, TargetError
from preddiff.media import images
from preddiff.media.grid import Grid
from preddiff.media.input import as_pixels

Floats = NDArray[np.float64]
Inputs = NDArray[np.float32]


class Model(ABC):
    """A classifier over inputs in input space: [0, 1] RGB for pictures, the scan's own units.

    Attributes
    ----------
    shape : (channel, *spatial) of the inputs, or None if any will do.
    grid : where the voxels of its scans lie, or None if it does not know.
    spec : where the model comes from, as `load_model` takes it where it can.
    labels : the name of each class, or None.
    train_size : number of training examples (N of the Laplace correction), or None if unknown.
    mean : mean of the training inputs per channel, in input space, or None if unknown.
    sha256 : fingerprint of the weights, or None where there are none to see.
    output : how the output became probabilities; "as given" or what was added.
    """

    spec: str = "model"
    shape: tuple[int, ...] | None = None
    grid: Grid | None = None
    labels: Sequence[str] | None = None
    train_size: float | None = None
    mean: Floats | None = None
    sha256: str | None = None
    output: str = "as given"

    @abstractmethod
    def predict(self, inputs: Inputs, node: str | None = None) -> Floats:
        """Values for many inputs.

        Parameters
        ----------
        inputs : (n, channel, *spatial).
        node : a hidden node instead of the output; a map's channels give their spatial means.

        Returns
        -------
        (n, K): class probabilities, or the values of the node's K channels.
        """

    def prepare(self, image: Image.Image | Inputs) -> Inputs:
        """What the network sees of a picture: float32 (channel, y, x) in [0, 1].

        A model that does not know how its inputs are made resizes nothing.
        """
        return as_pixels(images.to_array(image) if isinstance(image, Image.Image) else image)

    def is_probability(self, node: str | None) -> bool:
        """Whether a node's values (None: the output's) are probabilities."""
        return node is None

    def is_class(self, node: str) -> bool:
        """Whether a hidden node's channels are the classes: nothing with weights follows it."""
        del node
        return False

    def gradient(self, inputs: Inputs, targets: Sequence[int]) -> Inputs | None:
        """Derivative of the pre-softmax targets, (target, channel, *spatial); None if unknown.

        Parameters
        ----------
        inputs : one input, (channel, *spatial).
        """
        del inputs, targets
        return None

    def nodes(self, inputs: Inputs) -> Mapping[str, tuple[int, ...]]:
        """Named hidden nodes and the shape of their output for one input, in running order."""
        del inputs
        return {}

    def _refuse_node(self, node: str | None) -> None:
        if node is not None:
            raise TargetError(f"node {node!r}: {self.spec} has no nodes; only networks have")


def checked_values(values: object, inputs: int, spec: str) -> Floats:
    """A model's answer as float64 (n, K), or a ModelError that says what is wrong with it."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    result = np.asarray(values, dtype=np.float64)
    if result.ndim != 2 or len(result) != inputs:
        raise ModelError(
            f"{spec} returned shape {result.shape} for {inputs} inputs: expected ({inputs}, K), "
            "one row per input and one column per class"
        )
    if not np.isfinite(result).all():
        raise ModelError(f"{spec} returned NaN or infinite values; check its input range")
    return result
