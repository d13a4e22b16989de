"""ONNX files, converted to torch so that their nodes stay reachable by their own names."""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from preddiff.errors import EngineWarning, ModelError, first_line
from preddiff.media.reading import check_file, check_memory, display_name, failures_as
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE
from preddiff.models.base import Model
from preddiff.models.networks import metadata
from preddiff.models.networks.graph import Graph
from preddiff.models.networks.network import Network
from preddiff.models.networks.quiet import call
from preddiff.models.request import Output, Request
from preddiff.models.sources import onnx_opset, onnx_outputs
from preddiff.models.sources.onnx_runtime import OnnxRuntime, check_size
from preddiff.models.sources.onnxruntime import runtime

_FLOAT32 = 1  # onnx.TensorProto.FLOAT
_ROUNDING = 1e-5  # of a value in float32, after many operations
_CONVERSION_TOLERANCE = 1e-3  # of the output's range, against onnxruntime

Proto = Any
"""An onnx.ModelProto; onnx is imported when a file is read."""


def load(spec: str, request: Request) -> Model:
    """Return the classifier in an ONNX file (extra `onnx`).

    The file's metadata say how pictures are resized and normalised (docs/models.md). Where the
    graph has several outputs, `output_key` names one; else the first that gives probabilities is
    taken, or the first, after a warning. What cannot be converted to torch is evaluated by
    onnxruntime, after a warning.

    Parameters
    ----------
    spec : the file's path.
    request : its preprocessing has the same keys as the metadata, and overrides them.

    Raises
    ------
    ModelError
        If the file cannot be read, or is no classifier of one picture, scan or row of numbers.
    """
    path = Path(spec)
    proto = _read(path)
    for value in _inputs(proto):
        lengths = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        check_size(path, [n for n in lengths if n > 0])
    settings: dict[str, object] = {
        entry.key: entry.value for entry in proto.metadata_props if entry.key != "output"
    }  # which says something else in the files of others
    folder = path.parent
    if request.preprocess is not None:
        overriding, folder = metadata.read(request.preprocess)
        settings.update(overriding)
    if request.has_labels:
        settings = {name: each for name, each in settings.items() if name != "labels_file"}
    output = metadata.output(settings, request.output)

    def damaged(why: str) -> ModelError:
        return ModelError(f"{path}: cannot be evaluated ({why}); export it again")

    try:
        with failures_as(damaged):
            return _network(proto, path, settings, folder, output, request.output_key)
    except ModelError as error:
        with failures_as(damaged):
            model = OnnxRuntime(path, proto, settings, folder, output, request.output_key)
        reason = str(error).removeprefix(f"{path}: ")
        warnings.warn(
            f"{path}: onnxruntime evaluates it in whole passes, without nodes ({reason})",
            EngineWarning,
            stacklevel=2,
        )
        return model


def _network(
    proto: Proto,
    path: Path,
    settings: Mapping[str, object],
    folder: Path,
    output: Output,
    key: str | int | None,
) -> Network:
    """Return a file's network, converted to torch; raise a ModelError where that cannot be done."""
    name, shape = _input(proto, path)
    channels, height, width = shape
    if metadata.is_channels_last(settings):
        height, width, channels = shape
    preprocessing = metadata.preprocessing(settings, (height, width), channels)
    probe = np.random.default_rng(0).random((1, channels, height, width), dtype=np.float32)
    inputs = preprocessing.normalise(torch.from_numpy(probe))
    converted, values = _converted(proto, path, name, inputs)
    names = [each.name for each in proto.graph.output]
    chosen = onnx_outputs.chosen(values, names, key, display_name(path))
    graph = Graph(converted)
    network = Network(
        graph.upto(graph.outputs[chosen]),
        preprocessing,
        output=output,
        spec=display_name(path),
        labels=metadata.labels(settings, folder),
        train_size=IMAGENET_TRAIN_SIZE if values[chosen].shape[1:] == (1000,) else None,
    )
    if values[chosen].ndim == 2 and values[chosen].shape[1] > 1:  # one logit stands for two classes
        network.classes = values[chosen].shape[1]
    return network


def _converted(
    proto: Proto, path: Path, name: str, inputs: torch.Tensor
) -> tuple[torch.fx.GraphModule, list[torch.Tensor]]:
    """Return a file as torch, and its outputs on one input, in its own opset or an older one."""
    # Today's exporters write operations in versions that the converter does not know.
    try:
        converted = _convert(proto, path)
        return converted, _checked(converted, path, name, inputs)
    except ModelError:
        converted = _convert(onnx_opset.older(proto), path)
        return converted, _checked(converted, path, name, inputs)


def _read(path: Path) -> Proto:
    try:
        import onnx

        runtime()  # needed below; both come with the extra
    except ImportError:
        raise ModelError(f"{path}: pip install 'preddiff[onnx]' to read ONNX files") from None
    if not path.exists():
        raise ModelError(f"{path}: no such model file; check the path")

    def damaged(why: str) -> ModelError:
        return ModelError(f"{path}: not a complete ONNX file ({why}); export or copy it again")

    with failures_as(damaged), warnings.catch_warnings(action="ignore"):
        if not path.is_file() or path.stat().st_size:
            check_file(path, ModelError, "an ONNX file")
        proto = onnx.load(path, load_external_data=False)
        _check_external(proto, path)
        onnx.external_data_helper.load_external_data_for_model(proto, str(path.parent))
        onnx.checker.check_model(proto)
    if not proto.graph.node:
        raise ModelError(
            f"{path}: not a complete ONNX file (no operations); export or copy it again"
        )
    return proto


def _check_external(proto: Proto, path: Path) -> None:
    """Raise unless weights in files of their own lie beside the model: a path may lead anywhere."""
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    folder, total = path.parent.resolve(), 0
    for tensor in _tensors(proto):
        if not uses_external_data(tensor):
            continue
        location = ExternalDataInfo(tensor).location
        file = folder / location
        if file.is_symlink() or not file.resolve().is_relative_to(folder):
            raise ModelError(f"{path}: weights in {location!r}: expected a file beside the model")
        size = check_file(file, ModelError, "the model's weights")
        # Each tensor is read by itself: many may name one and the same part of a file.
        total += ExternalDataInfo(tensor).length or size
    check_memory(path, total, ModelError)


def _tensors(message: Proto) -> Iterator[Proto]:
    """Yield every tensor in a file: also those of attributes, of subgraphs and of functions."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for each in [value] if hasattr(value, "ListFields") else value:
            if field.message_type.name == "TensorProto":
                yield each
            else:
                yield from _tensors(each)


def _inputs(proto: Proto) -> list[Proto]:
    """Return the graph's inputs but for its weights, which older files list among them."""
    weights = {tensor.name for tensor in proto.graph.initializer}
    return [value for value in proto.graph.input if value.name not in weights]


def _input(proto: Proto, path: Path) -> tuple[str, tuple[int, ...]]:
    """Name and shape (without the first axis) of the graph's one input."""
    inputs = _inputs(proto)
    types = [value.type.tensor_type for value in inputs]
    shapes = [tuple(d.dim_value for d in kind.shape.dim)[1:] for kind in types]
    if len(inputs) != 1 or len(shapes[0]) != 3 or 0 in shapes[0] or types[0].elem_type != _FLOAT32:
        raise ModelError(
            f"{path}: inputs {[v.name for v in inputs]} of shapes {shapes}: expected one picture "
            "of a fixed size, in float32"
        )
    return inputs[0].name, shapes[0]


def _convert(proto: Proto, path: Path) -> torch.fx.GraphModule:
    import onnx2torch

    try:
        # What the converter warns may differ is held against onnxruntime (`_checked`).
        with warnings.catch_warnings(action="ignore"):
            converted: torch.fx.GraphModule = onnx2torch.convert(proto).eval()
    except Exception as error:
        raise ModelError(f"{path}: cannot be converted to torch ({first_line(error)})") from None
    return converted


def _checked(
    converted: torch.fx.GraphModule, path: Path, name: str, inputs: torch.Tensor
) -> list[torch.Tensor]:
    """The outputs on one input, if torch and onnxruntime agree on them."""
    # A converter may get padding, rounding or an attribute of an operation wrong, and then we would
    # explain another network than the user's. onnxruntime is what defines the right answer.
    try:
        session = runtime().InferenceSession(path, providers=["CPUExecutionProvider"])
        expected = session.run(None, {name: inputs.numpy()})
        with torch.inference_mode():
            result = call(converted, inputs)
    except Exception as error:
        raise ModelError(
            f"{path}: does not run on one picture of shape {tuple(inputs.shape)} "
            f"({first_line(error)}); export it with a batch axis of any length"
        ) from None
    values = list(result) if isinstance(result, list | tuple) else [result]
    for output, ours, theirs in zip(session.get_outputs(), values, expected, strict=True):
        # A single number has no range: its own rounding is allowed for.
        rounding = _ROUNDING * float(np.abs(theirs).max())
        allowed = max(_CONVERSION_TOLERANCE * float(np.ptp(theirs)), rounding, 1e-9)
        worst = float(np.abs(ours.numpy() - theirs).max())
        if not worst <= allowed:
            raise ModelError(
                f"{path}: output {output.name!r} of the converted network is {worst:.3g} off "
                f"onnxruntime's, expected at most {allowed:.3g}; please report the file"
            )
    _check_batches(converted, path, inputs, values[0])
    return values


def _check_batches(
    converted: torch.fx.GraphModule, path: Path, inputs: torch.Tensor, alone: torch.Tensor
) -> None:
    """Raise unless a picture gives the same in company: a file may fix its batch to one."""
    try:
        with torch.inference_mode():
            result = call(converted, inputs.repeat(2, 1, 1, 1))
        first = result[0] if isinstance(result, list | tuple) else result
        same = first.shape[0] == 2 and torch.allclose(first[1:], alone, rtol=1e-3, atol=1e-5)
    except RuntimeError:
        same = False
    if not same:
        raise ModelError(
            f"{path}: takes one picture at a time; export it with a batch axis of any length"
        )
