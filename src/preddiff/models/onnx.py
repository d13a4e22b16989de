"""ONNX files, converted to torch so that their nodes stay reachable by their own names."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from preddiff.errors import ModelError
from preddiff.evidence import IMAGENET_TRAIN_SIZE
from preddiff.models.graph import Graph
from preddiff.models.network import Network, Output
from preddiff.models.preprocessing import KEYS, Preprocessing

_TOLERANCE = 1e-3  # of the output's range, between onnxruntime and the converted network


def load(
    path: str | Path, preprocess: str | Path | None = None, output: Output = "auto"
) -> Network:
    """A classifier in an ONNX file (extra `onnx`).

    The file's metadata say how pictures are resized and normalised (docs/models.md). Where the
    graph has several outputs, the first that gives probabilities is taken, else the first.

    Parameters
    ----------
    preprocess : a JSON file with the same keys, which override the metadata.

    Raises
    ------
    ModelError
        If the file cannot be read or converted, or the converted network does not give what
        onnxruntime gives.
    """
    path = Path(path)
    proto = _read(path)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    folder = path.parent
    if preprocess is not None:
        metadata.update(_read_json(Path(preprocess)))
        folder = Path(preprocess).parent
    name, shape = _input(proto, path)
    nhwc = str(metadata.get("layout", "NCHW")).upper() == "NHWC"
    size, channels = (shape[:2], shape[2]) if nhwc else (shape[1:], shape[0])
    preprocessing = Preprocessing.from_metadata(metadata, (size[0], size[1]), channels)
    converted = _convert(proto, path)
    probe = np.random.default_rng(0).random((1, channels, *size), dtype=np.float32)
    inputs = preprocessing.normalise(torch.from_numpy(probe))
    inputs = inputs.movedim(1, -1).contiguous() if nhwc else inputs
    values = _checked(converted, path, name, inputs)
    chosen = next((i for i, value in enumerate(values) if _is_distribution(value)), 0)
    graph = Graph(converted)
    return Network(
        graph.upto(graph.outputs[chosen]),
        preprocessing,
        output=output,
        spec=str(path),
        labels=_labels(metadata, folder),
        train_size=IMAGENET_TRAIN_SIZE if values[chosen].shape[1] == 1000 else None,
    )


def _read(path: Path) -> Any:
    try:
        import onnx
        import onnxruntime  # noqa: F401 - needed below; both come with the extra
    except ImportError:
        raise ModelError(f"{path}: pip install 'preddiff[onnx]' to read ONNX files") from None
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; check the path")
    try:
        proto = onnx.load(path)
        onnx.checker.check_model(proto)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{path}: not a whole ONNX file ({reason}); export or copy it again"
        ) from None
    if not proto.graph.node:
        raise ModelError(f"{path}: not a whole ONNX file (no operations); export or copy it again")
    return proto


def _read_json(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not a JSON file with preprocessing ({error})") from None
    if not isinstance(settings, dict) or not KEYS.issuperset(settings):
        unknown = sorted(set(settings) - KEYS) if isinstance(settings, dict) else settings
        raise ModelError(f"{path}: {unknown} not understood; expected {', '.join(sorted(KEYS))}")
    return settings


def _input(proto: Any, path: Path) -> tuple[str, tuple[int, ...]]:
    """Name and shape (without the first axis) of the graph's one input."""
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in weights]
    shape = tuple(d.dim_value for d in inputs[0].type.tensor_type.shape.dim)[1:]
    if len(inputs) != 1 or len(shape) != 3 or 0 in shape:
        raise ModelError(
            f"{path}: inputs {[v.name for v in inputs]} of shape {shape}: expected one picture of "
            "a fixed size"
        )
    return inputs[0].name, shape


def _convert(proto: Any, path: Path) -> torch.fx.GraphModule:
    import onnx2torch

    try:
        converted: torch.fx.GraphModule = onnx2torch.convert(proto).eval()
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path}: cannot be converted to torch ({reason})") from None
    return converted


def _checked(
    converted: torch.fx.GraphModule, path: Path, name: str, inputs: torch.Tensor
) -> list[NDArray[np.float32]]:
    """The outputs on one input, if torch and onnxruntime agree on them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    expected = session.run(None, {name: inputs.numpy()})
    with torch.inference_mode():
        result = converted(inputs)
    values = list(result) if isinstance(result, list | tuple) else [result]
    for output, ours, theirs in zip(session.get_outputs(), values, expected, strict=True):
        allowed = _TOLERANCE * max(float(np.ptp(theirs)), 1e-6)
        worst = float(np.abs(ours.numpy() - theirs).max())
        if not worst <= allowed:
            raise ModelError(
                f"{path}: output {output.name!r} of the converted network is {worst:.3g} off "
                f"onnxruntime's on a picture of shape {shape}, expected at most {allowed:.3g}; "
                "please report the file"
            )
    return [value.numpy() for value in values]


def _is_distribution(values: NDArray[np.float32]) -> bool:
    return values.ndim == 2 and bool(
        (values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=1e-3)
    )


def _labels(metadata: Mapping[str, Any], folder: Path) -> list[str] | None:
    """Class names from `labels_file`, looked up in the folder and in those above it."""
    name = metadata.get("labels_file")
    if not name:
        return None
    for place in [folder, *folder.resolve().parents]:
        path = place / str(name)
        if path.is_file():
            return path.read_text(encoding="utf-8").splitlines()
    raise ModelError(
        f"labels_file {name!r} is neither in {folder} nor in a folder above it: put it there, or "
        "name another with --preprocess"
    )
