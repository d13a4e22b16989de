"""ONNX files that onnxruntime evaluates whole, as torch cannot take them apart."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from preddiff.errors import InputError, ModelError, first_line
from preddiff.media import images
from preddiff.media.input import as_pixels
from preddiff.media.reading import check_memory, display_name
from preddiff.models.base import Model, checked_values
from preddiff.models.networks import head, metadata
from preddiff.models.networks.arrays import cure_of_shape
from preddiff.models.networks.ending import Link
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.models.request import VALUE_UNIT, Output
from preddiff.models.sources import onnx_outputs
from preddiff.models.sources.onnxruntime import runtime
from preddiff.types import Batch, Pixels, Predictions

Session = Any
"""An onnxruntime.InferenceSession; onnxruntime is imported when a file is read."""

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
# As a picture, as a batch of one and of two, and what the network makes of it at first.
_COPIES_OF_THE_INPUT = 16
_WHITE = 255  # of pictures in 8 bits
_PROBES = 4  # inputs that are tried, to see what the outputs are
_UNKNOWN_SIDE = 64  # of an input that is tried where any size will do
# Operations that hand on the numbers that they get, and what is known of those before them.
_PASSED = {
    *("Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Transpose"),
    *("QuantizeLinear", "DequantizeLinear"),
}
_PROBABILITIES = {"Softmax", "Sigmoid", "HardSigmoid", "Normalizer", "ZipMap"}
_LOGITS = {"Gemm", "MatMul", "Conv", "QLinearMatMul", "QGemm", "Add", "QLinearConv"}


class OnnxRuntime(Model):
    """A classifier in an ONNX file, without nodes.

    Parameters
    ----------
    path : the file.
    proto : what it holds, an onnx.ModelProto.
    settings, folder : its preprocessing and labels, as `metadata` reads them.
    output : what it returns.
    key : name or number of the output that is taken; None is as `onnx_outputs` says.

    Raises
    ------
    ModelError
        If onnxruntime cannot run it, or it is no classifier of one picture, scan or row of numbers.
    """

    def __init__(
        self,
        path: Path,
        proto: Any,
        settings: Mapping[str, object],
        folder: Path,
        output: Output,
        key: str | int | None = None,
    ) -> None:
        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # nothing but what is fatal: errors are raised, too
        try:
            self._session: Session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ModelError(f"{path}: onnxruntime cannot read it ({first_line(error)})") from None
        self.spec = display_name(path)
        inputs = self._session.get_inputs()
        known = len(inputs) == 1 and inputs[0].type in _DTYPES
        if not known or len(inputs[0].shape) not in {2, 4, 5}:
            shapes = {each.name: (each.type, each.shape) for each in inputs}
            raise ModelError(
                f"{path}: inputs {shapes}: expected one picture, scan or row of numbers, as floats "
                "or 8-bit integers"
            )
        self._name, self._dtype = inputs[0].name, _DTYPES[inputs[0].type]
        lengths = [n if isinstance(n, int) and n > 0 else None for n in inputs[0].shape]
        self._batch, axes = lengths[0], lengths[1:]
        self._flat = len(axes) == 1
        if metadata.is_channels_last(settings) and not self._flat:
            axes = [axes[-1], *axes[:-1]]
        self._axes = axes
        self.preprocessing = self._of_pictures(settings) if len(axes) == 3 else None
        self._normalisation = self.preprocessing
        if self.preprocessing is not None:
            size = self.preprocessing.size
            self.shape = (self.preprocessing.channels, *size) if size else None
            self.mean = self.preprocessing.input_mean
        elif not self._flat:
            self._normalisation = metadata.normalisation(settings, axes[0] or 1)
            self.shape = None if None in axes else tuple(n for n in axes if n is not None)
        self._features = axes[0] if self._flat else None
        check_size(path, self.shape or ())  # of any size, in the file, but one is said beside it
        self.labels = metadata.labels(settings, folder)
        self.sha256 = hashlib.sha256(proto.SerializeToString()).hexdigest()
        self._chosen, self._returns = self._outputs(proto, output, key)
        self.output = self._returns
        self.value_unit = VALUE_UNIT if output == "values" else None

    def _of_pictures(self, settings: Mapping[str, object]) -> Preprocessing:
        channels, height, width = self._axes
        known = dict(settings)
        if self._dtype is np.uint8:
            known.setdefault("scale", _WHITE)
        size = (height, width) if height and width else None
        return metadata.preprocessing(known, size, channels)

    @property
    def preparation(self) -> str:
        """The way pictures become inputs, and these the network's own numbers."""
        return repr(self._normalisation) if self._normalisation is not None else ""

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the part of a picture of this size that the model sees, in its pixels."""
        how = self.preprocessing
        return super().box(width, height) if how is None else how.box(width, height)

    def prepare(self, image: Image.Image | Pixels | str | Path) -> Pixels:
        """Return what the network sees: a picture resized and cropped, or an array checked."""
        image = images.opened(image)
        if isinstance(image, Image.Image) and self.preprocessing is not None:
            return self.preprocessing.prepare(image)
        inputs = super().prepare(image) if isinstance(image, Image.Image) else as_pixels(image)
        fits = self._features in {None, inputs.size} if self._flat else True
        if not fits or (self.shape is not None and inputs.shape != self.shape):
            seen, cure = f"{self._features} numbers", "give as many"
            if self.shape is not None:
                seen, cure = str(self.shape), cure_of_shape(inputs.shape, self.shape)
            raise InputError(f"an array of shape {inputs.shape}: {self.spec} sees {seen}; {cure}")
        return inputs

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities (n, K); there are no nodes."""
        self._refuse_node(node)
        values = torch.from_numpy(self._values(inputs)[self._chosen])
        several: Link = "sigmoid" if values.shape[1] == 1 else "softmax"
        links: dict[str, Link] = {"logits": several, "multilabel": "sigmoid"}
        end = head.Head(torch.nn.Identity(), links.get(self.output), self._returns)
        return checked_values(end.probabilities(values), len(inputs), self.spec)

    def _values(self, inputs: Batch) -> list[Predictions]:
        """Return every output (n, K) for inputs in input space."""
        if self._normalisation is not None:
            inputs = self._normalisation.normalise(torch.from_numpy(inputs)).contiguous().numpy()
        if self._flat:
            inputs = inputs.reshape(len(inputs), -1)
        if self._dtype is np.uint8:
            inputs = inputs.round().clip(0, _WHITE)
        fed = inputs.astype(self._dtype)
        several = self._batch or len(fed)
        parts = [self._run(fed[i : i + several], several) for i in range(0, len(fed), several)]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def _run(self, fed: np.ndarray, several: int) -> list[Predictions]:
        """Return every output for a batch, filled up to the length that the file wants."""
        full = np.concatenate([fed, np.repeat(fed[-1:], several - len(fed), axis=0)])
        try:
            given = self._session.run(None, {self._name: full})
        except Exception as error:
            raise ModelError(
                f"{self.spec} does not take an input of shape {fed.shape[1:]} "
                f"({first_line(error)}); resize the picture, or say input_size with preprocess= "
                "(--preprocess FILE)"
            ) from None
        return [_rows(each)[: len(fed)] for each in given]

    def _outputs(self, proto: Any, output: Output, key: str | int | None) -> tuple[int, Output]:
        """Return which output is taken, and what it gives."""
        shape = self.shape or self._tried_shape()
        noise = np.random.default_rng(0).random((_PROBES, *shape), dtype=np.float32)
        noise[1:] *= np.array([-1, 10, -30], dtype=np.float32).reshape(-1, *(1,) * len(shape))
        if self._dtype is np.uint8 or self.preprocessing is not None:
            noise = np.abs(noise) % 1
        every = self._settled(noise)
        names = [each.name for each in self._session.get_outputs()]
        tensors = [torch.from_numpy(each) for each in every]
        chosen = onnx_outputs.chosen(tensors, names, key, self.spec)
        values = every[chosen]
        if values.shape[1] > 1:  # one number may stand for two classes
            self.classes = values.shape[1]
        if output != "auto":
            return chosen, output
        last = _last_operation(proto, chosen)
        if (
            head.is_distribution(tensors[chosen])
            or last in _PROBABILITIES
            or last.endswith("Classifier")
        ):
            return chosen, "probabilities"
        if last in _LOGITS or values.min() < 0 or values.max() > 1:
            return chosen, "logits"
        raise ModelError(
            f"{self.spec}: all its values lie in [0, 1], and nothing shows whether they are logits "
            "or probabilities: say which, load_model(path, output='probabilities') or "
            "output='logits' (\"output\" in the settings of --preprocess)"
        )

    def _settled(self, inputs: Batch) -> list[Predictions]:
        """Return every output; where company changes them, inputs are run alone from now on."""
        if self._batch is not None:
            return self._values(inputs)
        together: list[Predictions] = []
        with suppress(ModelError, ValueError):
            together = self._values(inputs)
        self._batch = 1
        alone = self._values(inputs)
        pairs = list(zip(together, alone, strict=False))
        if pairs and all(a.shape == b.shape and np.allclose(a, b, 1e-3, 1e-5) for a, b in pairs):
            self._batch = None
        return alone

    def _tried_shape(self) -> tuple[int, ...]:
        if self._flat:
            return (1, 1, self._features or 1)
        if self.preprocessing is not None:
            return (self.preprocessing.channels, _UNKNOWN_SIDE, _UNKNOWN_SIDE)
        return (self._axes[0] or 1, *(n or _UNKNOWN_SIDE // 4 for n in self._axes[1:]))


def check_size(path: Path, lengths: Sequence[int]) -> None:
    """Raise unless inputs of a shape may be made, as often as loading a file needs them."""
    check_memory(path, math.prod(lengths) * 4 * _COPIES_OF_THE_INPUT, ModelError)


def _rows(given: object) -> Predictions:
    """Return an output as (n, K); of what has no such shape, (n, 0)."""
    if isinstance(given, list) and given and isinstance(given[0], dict):
        # Classifiers of scikit-learn give a mapping from label to probability for each input.
        return np.array([list(row.values()) for row in given], dtype=np.float64)
    values = np.asarray(given)
    if values.ndim > 2 and values[0].size == values.shape[1]:
        values = values.reshape(len(values), -1)
    if values.ndim != 2 or values.dtype.kind != "f":
        return np.empty((len(values), 0))
    return values.astype(np.float64)


def _last_operation(proto: Any, output: int) -> str:
    """Return the operation that makes an output, before what only hands its numbers on."""
    makers = {name: node for node in proto.graph.node for name in node.output}
    node = makers.get(proto.graph.output[output].name)
    while node is not None and node.op_type in _PASSED and node.input:
        node = makers.get(node.input[0])
    return "" if node is None else str(node.op_type)
