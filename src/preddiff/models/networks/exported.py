"""Networks whose whole passes onnxruntime makes: on processors several times faster than torch."""

import io
import math
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from preddiff.media import kept
from preddiff.models.base import Model
from preddiff.models.networks.identity import identity
from preddiff.models.networks.network import Network
from preddiff.models.networks.quiet import quiet
from preddiff.models.sources.onnxruntime import runtime
from preddiff.types import Batch, Pixels, Predictions

_ROUNDING = 1e-4  # share of the outputs' range by which another order of sums may move them
_LARGEST = 1 << 29  # bytes of weights: they are held twice, and a file has an end at 2 GiB
_ROUNDS = 4  # of timed passes, the first of which warms up
# Times by which torch has to be faster to be taken. Other work on a machine slows torch down more,
# as its threads wait for each other: what is no clear case is decided without the clock.
_CLEARLY = 1.2
_BY = "whole passes by"  # the name of the fact that is kept


def faster(
    network: Network, inputs: Pixels, node: str | None = None, runtime: str | None = None
) -> Model:
    """Return the network run by onnxruntime, where that can be had, agrees and is no slower.

    It can be where onnxruntime is installed, and the network is on the processor in float32 and of
    operations that ONNX knows. Which one is faster is timed once, and kept (`media/kept.py`).

    Parameters
    ----------
    inputs : (channel, *spatial), on which the two are held against each other.
    node : the only one that is going to be asked for; None is the output.
    runtime : "torch" is taken at its word, and any other where it can be had and agrees, however
        fast it is; None takes the faster one.
    """
    if runtime == "torch":
        return network
    weights = [*network.module.parameters(), *network.module.buffers()]
    floats = {each.dtype for each in weights if each.is_floating_point()}
    size = sum(each.nbytes for each in weights)
    if network.device.type != "cpu" or floats - {torch.float32} or size > _LARGEST:
        return network
    about = {**identity(network, inputs.shape, node), "threads used": torch.get_num_threads()}
    known = kept.read(about).get(_BY) if runtime is None else "onnxruntime"
    if known == "torch":
        return network
    others = np.stack([inputs, inputs[..., ::-1], inputs.max() + inputs.min() - inputs])
    try:
        result = Exported(network, others[:2], node)
        if not result.agrees(others):  # on another input it may
            return network
    except Exception as error:  # what cannot be exported, or not be run: torch can
        if "memory" not in str(error).lower():  # which there may be next time
            kept.write(about, {_BY: "torch"})
        return network
    if known is None:
        known = "torch" if result.is_slower(others) else "onnxruntime"
        kept.write(about, {_BY: known})
    return network if known == "torch" else result


class Exported(Model):
    """A network, exported to ONNX and evaluated by onnxruntime.

    Parameters
    ----------
    network : the network; normalisation and head remain its own.
    inputs : (n, channel, *spatial), to trace it with.
    node : the only one that can be asked for; None is the output.

    Raises
    ------
    Exception
        Whatever the exporter or onnxruntime raises, if it cannot be exported or run.
    """

    def __init__(self, network: Network, inputs: Batch, node: str | None) -> None:
        self.network = network
        self.node = node
        onnxruntime = runtime()
        self.runtime = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Threads that wait for the next pass would take the processor from whoever makes draws.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            _onnx(network.part(node, torch.from_numpy(inputs)), self._normalised(inputs)),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._name = self._session.get_inputs()[0].name

    def agrees(self, inputs: Batch) -> bool:
        """Return whether it gives what the network gives in torch, but for rounding."""
        with torch.inference_mode():
            expected = self.network.raw(torch.from_numpy(inputs), self.node)
        allowed = _ROUNDING * float(expected.max() - expected.min())
        off = (self._raw(inputs) - expected).abs().max()
        return bool(off <= allowed)

    def is_slower(self, inputs: Batch) -> bool:
        """Return whether torch is clearly faster.

        The two take turns, and of each the least time counts: other work on the machine only ever
        adds to a time.
        """
        whole = torch.from_numpy(inputs)
        by_torch = ours = math.inf
        with torch.inference_mode():
            for turn in range(_ROUNDS):
                begin = time.perf_counter()
                self.network.raw(whole, self.node)
                between = time.perf_counter()
                self._raw(inputs)
                end = time.perf_counter()
                if turn:
                    by_torch, ours = min(by_torch, between - begin), min(ours, end - between)
        return _CLEARLY * by_torch < ours

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities, or the values of the node's channels, (n, K)."""
        return self.network.postprocess(self._raw(inputs), node)

    def both_sides(self, inputs: Batch) -> Predictions:
        """Return class probabilities p, and 1 - p of each with all its digits, (n, 2 K)."""
        return self.network.postprocess_both(self._raw(inputs))

    def nodes(self, inputs: Pixels) -> Mapping[str, tuple[int, ...]]:
        """Return the network's nodes and the shapes of their output."""
        return self.network.nodes(inputs)

    def _normalised(self, inputs: Batch) -> torch.Tensor:
        return self.network.normalised(torch.from_numpy(inputs)).contiguous()

    def _raw(self, inputs: Batch) -> torch.Tensor:
        """Return what `Network.raw` gives."""
        found = self._session.run(None, {self._name: self._normalised(inputs).numpy()})
        return torch.from_numpy(found[0])


def _onnx(module: nn.Module, inputs: torch.Tensor) -> bytes:
    """Return a module as an ONNX file, for any number of inputs."""
    file = io.BytesIO()
    batch: Any = {"inputs": {0: "n"}, "values": {0: "n"}}
    with warnings.catch_warnings(), quiet(), torch.no_grad(), _plain():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (inputs,),
            file,  # type: ignore[arg-type]
            input_names=["inputs"],
            output_names=["values"],
            dynamic_axes=batch,
            # The other exporter, of torch.export, needs onnxscript, and takes ten times as long.
            dynamo=False,
        )
    return file.getvalue()


@contextmanager
def _plain() -> Iterator[None]:
    """Let the block run attention by operations that ONNX knows, and print no graph.

    Without gradients torch runs attention as one operation of its own, which has no name in ONNX;
    and where an export fails, it writes all operations to standard output, whether its log is
    enabled or not (torch 2.14: `setup_onnx_logging` asks a function, not what that returns).
    """
    fast, log = torch.backends.mha.get_fastpath_enabled(), torch._C._jit_onnx_log
    torch.backends.mha.set_fastpath_enabled(False)
    torch._C._jit_onnx_log = lambda *_: None
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch._C._jit_onnx_log = log
