"""The protocol of a model: inputs to class probabilities, or to the values of a node."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from preddiff.errors import ModelError, TargetError
from preddiff.media import images
from preddiff.media.grid import Grid
from preddiff.media.input import as_pixels
from preddiff.method.evidence import complements
from preddiff.models.columns import Columns
from preddiff.models.masking import Masking
from preddiff.models.order import Order
from preddiff.models.remembered import Remembered
from preddiff.types import Batch, Floats, Pixels, Predictions

WindowKind = Literal["positions", "channel", "unit"]
"""Parts of a hidden node that a window hides at a time: all channels at some positions, one
channel, or one unit."""


class Model(ABC):
    """A classifier over inputs in input space: [0, 1] RGB for pictures, the scan's own units.

    Attributes
    ----------
    shape : (channel, *spatial) of the inputs, or None if any will do.
    grid : where the voxels of its scans lie, or None if it does not know.
    spec : where the model comes from, as `load_model` takes it where it can.
    labels : the name of each class, or None.
    classes : how many there are, or None if only an answer tells.
    train_size : number of training examples (N of the Laplace correction), or None if unknown.
    mean : mean of the training inputs per channel, in input space, or None if unknown.
    sha256 : fingerprint of the weights, or None where there are none to see.
    output : how the output became probabilities; "as given" or what was added.
    value_unit : unit of the plain numbers that it gives; None where it gives probabilities.
    repeats_to : share of the values' range by which they may move from batch to batch, by rounding.
    order : of the features that volumes were flattened to; None if it was not stated.
    masking : which voxels of scans are its features; None if they are not those in a mask.
    remembered : the sampler that was fitted with it; None if there is none.
    feature_names : of a row's numbers, in the order in which it takes them; None if unknown.
    columns : of the table that it was fitted on; None if its rows are numbers.
    runtime : what a network was exported to, with its version; None if it was not.
    """

    spec: str = "model"
    shape: tuple[int, ...] | None = None
    grid: Grid | None = None
    labels: Sequence[str] | None = None
    classes: int | None = None
    train_size: float | None = None
    mean: Floats | None = None
    sha256: str | None = None
    output: str = "as given"
    value_unit: str | None = None
    repeats_to: float = 1e-3
    order: Order | None = None
    masking: Masking | None = None
    remembered: Remembered | None = None
    feature_names: Sequence[str] | None = None
    columns: Columns | None = None
    runtime: str | None = None

    @abstractmethod
    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return the values of many inputs.

        Parameters
        ----------
        inputs : (n, channel, *spatial).
        node : a hidden node instead of the output; a map's channels give their spatial means.

        Returns
        -------
        (n, K): class probabilities, plain numbers where it gives those (`value_unit`), or the
        values of the node's K channels.
        """

    def both_sides(self, inputs: Batch) -> Predictions:
        """Return class probabilities p, and 1 - p of each with all its digits, (n, 2 K).

        These come in reverse, so that column ~k is 1 - p of class k.
        """
        p = self.predict(inputs)
        return np.concatenate([p, complements(p)[:, ::-1]], axis=1)

    def unsquashed(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return values before a softmax or sigmoid, where they are known; else those after it.

        Parameters
        ----------
        inputs, node : as of `predict`.
        """
        return self.predict(inputs, node)

    @property
    def preparation(self) -> str:
        """The way pictures become inputs, and these the model's own numbers; empty if unknown."""
        return ""

    def __repr__(self) -> str:
        """Return what is known of the model, on one line."""
        sees = "inputs of any size" if self.shape is None else f"inputs {self.shape}"
        classes = "" if self.labels is None else f", {len(self.labels):,} classes with names"
        return f"<{type(self).__name__} {self.spec}: {sees}{classes}>"

    def prepare(self, image: Image.Image | Pixels | str | Path) -> Pixels:
        """Return what the network sees of a picture: float32 (channel, y, x) in [0, 1].

        A model that does not know how its inputs are made resizes nothing.

        Parameters
        ----------
        image : a path, a PIL image, or an array, which is only checked.
        """
        image = images.opened(image)
        return as_pixels(images.to_array(image) if isinstance(image, Image.Image) else image)

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the part of a picture of this size that the model sees; by default all of it.

        Returns
        -------
        left, top, width, height : in pixels of the picture, turned upright.
        """
        return 0.0, 0.0, float(width), float(height)

    def check(self, inputs: Pixels, *, is_scan: bool) -> None:
        """Raise a ModelError if the model cannot be asked about this input; by default it can.

        Parameters
        ----------
        is_scan : whether it is a scan from a file, whose voxels lie somewhere.
        """
        del inputs, is_scan

    def faster(
        self, inputs: Pixels, node: str | None = None, runtime: str | None = None
    ) -> "Model":
        """Return a model that gives the same by faster whole passes, or this one.

        Parameters
        ----------
        inputs : (channel, *spatial), on which the two are held against each other.
        node : the only one that is going to be asked for; None is the output.
        runtime : that made earlier whole passes, of whose kind the others are to be; None takes the
            fastest.
        """
        del inputs, node, runtime
        return self

    def is_probability(self, node: str | None) -> bool:
        """Return whether a node's values (None: the output's) are probabilities."""
        return node is None and self.value_unit is None

    def is_class(self, node: str) -> bool:
        """Return whether a hidden node's channels are the classes: no weights follow it."""
        del node
        return False

    def gradient(self, inputs: Pixels, targets: Sequence[int]) -> Batch | None:
        """Return the derivative of targets before the softmax; None if it is not known.

        Parameters
        ----------
        inputs : one input, (channel, *spatial).

        Returns
        -------
        (target, channel, *spatial)
        """
        del inputs, targets
        return None

    def nodes(self, inputs: Pixels) -> Mapping[str, tuple[int, ...]]:
        """Return hidden nodes and the shapes of their output for one input, in running order."""
        del inputs
        return {}

    def _refuse_node(self, node: str | None) -> None:
        if node is not None:
            raise TargetError(f"node {node!r}: {self.spec} has no nodes; only networks have")


def checked_values(values: object, inputs: int, spec: str) -> Predictions:
    """Return a model's answer as float64 (n, K), or raise a ModelError that says what is wrong.

    Parameters
    ----------
    values : the answer, as numpy or torch.
    inputs : how many inputs it is for.
    spec : the model's, for messages.
    """
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
