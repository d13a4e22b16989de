"""Torch networks as models."""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import cast

import torch
from PIL import Image
from torch import nn
from torch.fx import GraphModule

from preddiff.errors import InputError, ModelError, SettingError, TargetError, first_line
from preddiff.media.input import as_pixels
from preddiff.models.base import Floats, Inputs, Model, checked_values
from preddiff.models.networks import head
from preddiff.models.networks.graph import Graph, exported
from preddiff.models.networks.head import Head, Output
from preddiff.models.networks.preprocessing import Preprocessing

_SLACK = 1e-3  # by which resizing may leave [0, 1]


class Network(Model):
    """A torch module over normalised pictures or volumes.

    Parameters
    ----------
    module : in evaluation mode; takes (n, channel, *spatial) after preprocessing.
    preprocessing : how pictures are resized and normalised; the default changes nothing.
    output : what the module returns. "logits" get a softmax (a sigmoid where there is only one);
        "probabilities" are taken as they are. "auto" takes a module that ends in a softmax or
        sigmoid, or whose outputs are at least 0 and add up to 1, as giving probabilities, and
        any other as giving logits.
    spec, labels, train_size : as in `Model`.

    Raises
    ------
    ModelError
        If a part of the module is in training mode.
    """

    def __init__(
        self,
        module: nn.Module,
        preprocessing: Preprocessing | None = None,
        *,
        output: Output = "auto",
        spec: str | None = None,
        labels: Sequence[str] | None = None,
        train_size: float | None = None,
    ) -> None:
        training = [name or "the module" for name, m in module.named_modules() if m.training]
        if training:
            raise ModelError(
                f"{training[0]} is in training mode, where predictions are random: call .eval()"
            )
        if output not in {"auto", "logits", "probabilities"}:
            raise ModelError(f"output={output!r}: expected auto, logits or probabilities")
        self.module = module
        self.preprocessing = preprocessing or Preprocessing()
        self.output = self.wish = output
        self._head: Head | None = None
        self.spec = spec or f"module:{type(module).__name__}"
        self.labels = labels
        self.train_size = train_size
        self.prepared = preprocessing is not None
        self.mean = self.preprocessing.input_mean
        size = self.preprocessing.size
        self.shape = (self.preprocessing.channels, *size) if size else None
        self._parts: dict[str, nn.Module] = {}
        self._channels_last = True  # the layout in memory that is fastest, where it can be taken

    @cached_property
    def sha256(self) -> str:  # type: ignore[override]
        digest = hashlib.sha256()
        for name, tensor in sorted(self.module.state_dict().items()):
            digest.update(name.encode())
            bits = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(bits.numpy().tobytes())
        return digest.hexdigest()

    @cached_property
    def _dtype(self) -> torch.dtype:
        """Of the weights, which may be float64."""
        return next((p.dtype for p in self.module.parameters()), torch.float32)

    @cached_property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next((p.device for p in self.module.parameters()), torch.device("cpu"))

    def on(self, device: str) -> "Network":
        """A copy on another device, e.g. "cuda" or "mps"; this one stays where it is.

        Raises
        ------
        SettingError
            If there is no such device.
        """
        try:
            moved = copy.deepcopy(self.module).to(device)
        except (RuntimeError, AssertionError) as error:
            raise SettingError(
                f"device={device!r}: cannot be used here ({first_line(error)}); expected cpu, cuda "
                "or mps"
            ) from None
        return Network(
            moved,
            self.preprocessing if self.prepared else None,
            output=self.wish,
            spec=self.spec,
            labels=self.labels,
            train_size=self.train_size,
        )

    @cached_property
    def graph(self) -> Graph | None:
        """The traced network, or None where torch.fx cannot trace it."""
        try:
            return Graph(self.module)
        except Exception:
            return None

    def graph_with(self, node: str) -> Graph:
        """The traced network, or a TargetError where there is none that could have a node."""
        if self.graph is None:
            raise TargetError(
                f"node {node!r}: torch.fx cannot trace {self.spec}, so its nodes are out of reach"
            )
        return self.graph

    def prepare(self, image: Image.Image | Inputs) -> Inputs:
        if isinstance(image, Image.Image):
            return self.preprocessing.prepare(image)
        inputs = as_pixels(image)
        if self.prepared and not (inputs.min() >= -_SLACK and inputs.max() <= 1 + _SLACK):
            raise InputError(
                f"values from {inputs.min():.4g} to {inputs.max():.4g}: {self.spec} sees pictures "
                "in [0, 1] and normalises them itself; divide 8-bit values by 255"
            )
        if self.shape is not None and inputs.shape != self.shape:
            raise InputError(
                f"an array of shape {inputs.shape}: {self.spec} sees {self.shape}; prepare the "
                "picture with load_model(...).prepare(image)"
            )
        return inputs

    def predict(self, inputs: Inputs, node: str | None = None) -> Floats:
        with torch.inference_mode():
            return self.postprocess(self.raw(torch.from_numpy(inputs), node), node)

    def raw(self, inputs: torch.Tensor, node: str | None = None) -> torch.Tensor:
        """A node's output, or the logits, as whole forward passes give them.

        Parameters
        ----------
        inputs : (n, channel, *spatial), in input space.
        """
        if node is None:
            return self._values(self._head_for(inputs).trunk, inputs)
        return self._run(self._part(node), inputs)

    def traced(self, inputs: torch.Tensor, node: str | None = None) -> GraphModule:
        """The operations that lead to what `raw` gives.

        Parameters
        ----------
        inputs : (n, channel, *spatial), to see what the network ends in.

        Raises
        ------
        Exception
            Whatever torch.export raises where torch.fx cannot trace the network and it neither.
        """
        part = self._part(node) if node is not None else self._head_for(inputs).trunk
        if isinstance(part, GraphModule):
            return part
        if self.graph is None:
            return exported(self.module, self.normalised(inputs))
        return self.graph.module

    def postprocess(self, values: torch.Tensor, node: str | None = None) -> Floats:
        """What `predict` gives, from what `raw` gives."""
        if node is not None:
            values = values.double()
            values = values.flatten(2).mean(2) if values.ndim > 2 else values
            return checked_values(values, len(values), f"node {node!r}")
        if self._head is None:
            raise ModelError(f"{self.spec}: its head is found with the first input")
        return checked_values(self._head.probabilities(values), len(values), self.spec)

    def is_probability(self, node: str | None) -> bool:
        return node is None or (
            self.graph is not None and self.graph.is_softmax(self.graph.node(node))
        )

    def is_class(self, node: str) -> bool:
        return self.graph is not None and not self.graph.weights_follow(self.graph.node(node))

    def gradient(self, inputs: Inputs, targets: Sequence[int]) -> Inputs | None:
        x = torch.from_numpy(inputs)[None]
        values = self.scores(x.requires_grad_())
        if values is None:
            return None
        each = [torch.autograd.grad(values[0, t], x, retain_graph=True)[0][0] for t in targets]
        return cast(Inputs, torch.stack(each).cpu().numpy())

    def scores(self, inputs: torch.Tensor) -> torch.Tensor | None:
        """What every class has before the softmax, (n, K); None where only probabilities are known.

        Parameters
        ----------
        inputs : (n, channel, *spatial), in input space; a gradient flows through.
        """
        end = self._head_for(inputs.detach())
        if end.link is None:
            return None
        values = self._values(end.trunk, inputs)
        # One logit z stands for the two classes (-z, z).
        return torch.cat([-values, values], dim=1) if values.shape[1] == 1 else values

    def nodes(self, inputs: Inputs) -> Mapping[str, tuple[int, ...]]:
        if self.graph is None:
            return {}
        x = torch.from_numpy(inputs)[None]
        with torch.inference_mode(), suppress(ModelError):
            self._run(self.module, x)  # settles which layout it takes
        return self.graph.shapes(self.normalised(x))

    def normalised(self, inputs: torch.Tensor) -> torch.Tensor:
        """(n, channel, *spatial) in input space, in the network's own numbers and layout."""
        result = self.preprocessing.normalise(inputs.to(self.device)).to(self._dtype)
        return result if self._channels_last else result.contiguous()

    def _run(self, module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        try:
            result = module(self.normalised(inputs))
        except Exception as error:
            if self._channels_last and "view size" in str(error):  # of a flattening by `view`
                self._channels_last = False
                return self._run(module, inputs)
            raise ModelError(
                f"{self.spec} does not take an input of shape {tuple(inputs.shape[1:])} "
                f"({first_line(error)}); resize the picture, or say input_size with preprocess="
            ) from error
        if not isinstance(result, torch.Tensor):
            raise ModelError(f"{self.spec} returned {type(result).__name__}: expected one tensor")
        return result

    def _head_for(self, inputs: torch.Tensor) -> Head:
        """The head, found with the first input that is seen."""
        if self._head is None:

            def run(module: nn.Module) -> torch.Tensor:
                return self._values(module, inputs[:1])

            with torch.inference_mode():
                self._head = head.find(self.module, self.graph, self.wish, run)
            self.output = self._head.output
        return self._head

    def _values(self, module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        values = self._run(module, inputs)
        if values.ndim != 2:
            raise ModelError(
                f"{self.spec} returned shape {tuple(values.shape)}: expected (n, classes)"
            )
        return values

    def _part(self, node: str) -> nn.Module:
        """The part of the network that leads to a node."""
        graph = self.graph_with(node)
        if node not in self._parts:
            self._parts[node] = graph.upto(graph.node(node))
        return self._parts[node]
