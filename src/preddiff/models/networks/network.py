"""torch networks as models."""

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Self, cast, get_args

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.fx import GraphModule

from preddiff.errors import (
    EngineWarning,
    ModelError,
    SettingError,
    TargetError,
    first_line,
)
from preddiff.media import images
from preddiff.media.input import as_pixels
from preddiff.method.evidence import complements
from preddiff.models.base import Model, checked_values
from preddiff.models.networks import arrays, head, selected
from preddiff.models.networks.fingerprint import fingerprint
from preddiff.models.networks.forward import Forward
from preddiff.models.networks.graph import Graph, exported
from preddiff.models.networks.head import Head
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.models.networks.quiet import call
from preddiff.models.networks.selected import PREFIX, Column, Selected
from preddiff.models.request import VALUE_UNIT, Output
from preddiff.types import Batch, Pixels, Predictions

_ROUNDING_OF_HALF = 5e-2  # share of its values' range, of a network in 16 bits


class Network(Model):
    """A torch module over normalised pictures or volumes.

    Parameters
    ----------
    module : in evaluation mode; takes (n, channel, *spatial) after preprocessing.
    preprocessing : how pictures are resized and normalised; the default changes nothing.
    output : what the module returns. "logits" get a softmax (a sigmoid where there is only one),
        logits that are "multilabel" a sigmoid each; "probabilities" and plain "values" are taken as
        they are. "auto" takes a module that ends in a softmax or sigmoid, or whose outputs are at
        least 0 and add up to 1, as giving probabilities; one that ends in weights, or whose outputs
        leave [0, 1], as giving logits; and refuses any other.
    output_key : of what is taken where the module returns several things; None takes what is usual
        (`load_model`), as soon as the first input is seen.
    spec, labels, train_size : as in `Model`.
    shape : (channel, *spatial) of inputs, of a module that takes no other; pictures are resized to
        it where the preprocessing does not say how.

    Attributes
    ----------
    module : gives a tensor, as soon as an input was seen.
    complete : gives all that it returns, where several things are.

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
        output_key: str | int | None = None,
        spec: str | None = None,
        labels: Sequence[str] | None = None,
        train_size: float | None = None,
        shape: tuple[int, ...] | None = None,
    ) -> None:
        # Dropout and batch statistics would make two runs on one input differ.
        training = [name or "the module" for name in _in_training(module)]
        if training:
            raise ModelError(
                f"{training[0]} is in training mode, where predictions are random: call .eval()"
            )
        if output not in get_args(Output):
            raise ModelError(f"output={output!r}: expected one of {', '.join(get_args(Output))}")
        self.module = module if output_key is None else Selected(module, output_key)
        self.complete = self.module
        self.preprocessing = preprocessing or Preprocessing.of_shape(shape)
        self.output = self.requested_output = output
        self.value_unit = VALUE_UNIT if output == "values" else None
        self.spec = spec or f"module:{type(module).__name__}"
        self.labels = labels
        self.train_size = train_size
        self.takes_pictures = preprocessing is not None
        self.mean = self.preprocessing.input_mean
        size = self.preprocessing.size
        self.shape = (self.preprocessing.channels, *size) if size else shape
        self._forward = Forward(self.module, self.preprocessing, self.spec)
        self._head: Head | None = None
        self._parts: dict[str, nn.Module] = {}
        self._faster: tuple[tuple[str | None, tuple[int, ...], str | None], Model] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Return what makes a copy, here or on another machine: not what can be made again."""
        kept = {name: value for name, value in self.__dict__.items() if name != "graph"}
        return {**kept, "_parts": {}, "_faster": None}

    @cached_property
    def sha256(self) -> str:  # type: ignore[override]
        """Fingerprint of the weights; it takes a tenth of a second when it is first asked for."""
        return fingerprint(self.module)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self._forward.device

    def on(self, device: str) -> "Network":
        """Return a copy on another device, e.g. "cuda" or "mps"; this one stays where it is.

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
            self.preprocessing if self.takes_pictures else None,
            output=self.requested_output,
            spec=self.spec,
            labels=self.labels,
            train_size=self.train_size,
            shape=self.shape,
        )

    def with_module(self, module: nn.Module) -> Self:
        """Return a copy that runs another module made of the same weights; they share the hash."""
        derived = copy.copy(self)
        derived.__dict__["sha256"] = self.sha256  # of all weights, also those that are left out
        derived.module = derived.complete = module
        return derived

    @cached_property
    def graph(self) -> Graph | None:
        """The traced network, or None where torch.fx cannot trace it."""
        try:
            return Graph(self.module, PREFIX if isinstance(self.module, Selected | Column) else "")
        except Exception:
            return None

    def graph_with(self, node: str) -> Graph:
        """Return the traced network, or raise a TargetError where no node can be reached."""
        if self.graph is None:
            raise TargetError(
                f"node {node!r}: torch.fx cannot trace {self.spec}, so its nodes are out of reach"
            )
        return self.graph

    @property
    def preparation(self) -> str:
        """The way pictures become inputs, and these the network's own numbers."""
        return repr(self.preprocessing)

    def prepare(self, image: Image.Image | Pixels | str | Path) -> Pixels:
        """Return what the network sees: a picture resized and cropped, or an array checked."""
        image = images.opened(image)
        if isinstance(image, Image.Image):
            if not self.takes_pictures:
                arrays.warn_of_unprepared(image, self.preprocessing.size, self.spec)
            return self.preprocessing.prepare(image)
        inputs = as_pixels(image)
        arrays.check(inputs, self.shape, self.spec, takes_pictures=self.takes_pictures)
        return inputs

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the part of a picture of this size that the network sees, in its pixels."""
        return self.preprocessing.box(width, height)

    def predict(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return class probabilities, or the values of a node's channels, (n, K)."""
        with torch.inference_mode():
            return self.postprocess(self.raw(torch.from_numpy(inputs), node), node)

    def raw(self, inputs: torch.Tensor, node: str | None = None) -> torch.Tensor:
        """Return a node's output, or the logits, as complete forward passes give them.

        Parameters
        ----------
        inputs : (n, channel, *spatial), in input space.
        """
        part = self.part(node, inputs)
        run = self._forward.run_classes if node is None else self._forward.run
        return run(part, inputs)

    def part(self, node: str | None, inputs: torch.Tensor) -> nn.Module:
        """Return the module that gives what `raw` gives, from normalised inputs.

        Parameters
        ----------
        inputs : (n, channel, *spatial), in input space, to see what the network ends in.
        """
        return self._part(node) if node is not None else self.head_for(inputs).trunk

    def traced(self, inputs: torch.Tensor, node: str | None = None) -> GraphModule:
        """Return the operations that lead to what `raw` gives.

        Parameters
        ----------
        inputs : (n, channel, *spatial), to see what the network ends in.

        Raises
        ------
        Exception
            Whatever torch.export raises, if neither torch.fx nor torch.export can trace it.
        """
        part = self.part(node, inputs)
        if isinstance(part, GraphModule):
            return part
        if self.graph is None:
            return exported(self.module, self.normalised(inputs))
        return self.graph.module

    def postprocess(self, values: torch.Tensor, node: str | None = None) -> Predictions:
        """Return what `predict` gives, from what `raw` gives.

        Parameters
        ----------
        values : logits (n, K); or a node's output (n, channel, *spatial), which is averaged over
            its positions. By linearity of the activation difference, that of the mean is the mean
            of the units' (section 3.3).
        """
        if node is not None:
            values = values.double()
            values = values.flatten(2).mean(2) if values.ndim > 2 else values
            return checked_values(values, len(values), f"node {node!r}")
        if self._head is None:
            raise ModelError(f"{self.spec}: its head is found with the first input")
        return checked_values(self._head.probabilities(values), len(values), self.spec)

    def both_sides(self, inputs: Batch) -> Predictions:
        """Return class probabilities p, and 1 - p of each with all its digits, (n, 2 K).

        These come in reverse, so that column ~k is 1 - p of class k.
        """
        with torch.inference_mode():
            return self.postprocess_both(self.raw(torch.from_numpy(inputs)))

    def postprocess_both(self, values: torch.Tensor) -> Predictions:
        """Return what `both_sides` gives, from the logits (n, K) that `raw` gives."""
        p = self.postprocess(values)
        if self._head is None or self._head.link is None:
            return np.concatenate([p, complements(p)[:, ::-1]], axis=1)
        rest = checked_values(self._head.complements(values), len(values), self.spec)
        return np.concatenate([p, rest[:, ::-1]], axis=1)

    def faster(self, inputs: Pixels, node: str | None = None, runtime: str | None = None) -> Model:
        """Return the same network run by onnxruntime, where that can be had, agrees and is faster.

        The last one is kept: an export takes as long as a hundred passes.
        """
        from preddiff.models.networks.exported import faster  # it knows networks

        asked = node, inputs.shape, runtime
        if self._faster is None or self._faster[0] != asked:
            self._faster = asked, faster(self, inputs, node, runtime)
        return self._faster[1]

    def is_probability(self, node: str | None) -> bool:
        """Return whether a node's values are probabilities: a softmax gives them."""
        if node is None:
            return self.value_unit is None
        return self.graph is not None and self.graph.is_softmax(self.graph.node(node))

    def is_class(self, node: str) -> bool:
        """Return whether a node's channels are the classes: no weights follow it."""
        return self.graph is not None and not self.graph.weights_follow(self.graph.node(node))

    def gradient(self, inputs: Pixels, targets: Sequence[int]) -> Batch | None:
        """Return the derivative of targets before the softmax, (target, channel, *spatial)."""
        x = torch.from_numpy(inputs)[None].requires_grad_()
        try:
            values = self.scores(x)
            if values is None:
                return None
            each = [torch.autograd.grad(values[0, t], x, retain_graph=True)[0][0] for t in targets]
        except Exception as error:  # no_grad, detach, a cast to integers, an op without derivative
            text = f"no sensitivity map, as {self.spec} has no gradient"
            warnings.warn(EngineWarning(text, first_line(error)), stacklevel=2)
            return None
        return cast(Batch, torch.stack(each).cpu().numpy())

    @property
    def repeats_to(self) -> float:  # type: ignore[override]
        """Share of the values' range by which a batch's rounding may move them."""
        return _ROUNDING_OF_HALF if self._forward.dtype.itemsize < 4 else Model.repeats_to

    def unsquashed(self, inputs: Batch, node: str | None = None) -> Predictions:
        """Return logits or a node's values, (n, K), without the softmax or sigmoid."""
        with torch.inference_mode():
            values = self.raw(torch.from_numpy(inputs), node).double()
            return (values.flatten(2).mean(2) if values.ndim > 2 else values).cpu().numpy()

    def scores(self, inputs: torch.Tensor) -> torch.Tensor | None:
        """Return every class's score before the softmax, (n, K); None if not even the head has any.

        Plain values are their own scores.

        Parameters
        ----------
        inputs : (n, channel, *spatial), in input space; a gradient flows through.
        """
        end = self.head_for(inputs.detach())
        is_value = end.output == "values"
        if end.link is None and not is_value:
            return None
        values = self._forward.run_classes(end.trunk, inputs)
        if is_value:
            return values
        # One logit z stands for two classes: for the first it counts as -z, so that the gradients
        # of the two are each other's negative.
        return torch.cat([-values, values], dim=1) if values.shape[1] == 1 else values

    def nodes(self, inputs: Pixels) -> Mapping[str, tuple[int, ...]]:
        """Return nodes and the shapes of their output for one input; none without a graph."""
        if self.graph is None:
            return {}
        x = torch.from_numpy(inputs)[None]
        with torch.inference_mode(), suppress(ModelError):
            self._forward.run(self.module, x)  # settles which layout in memory it takes
        try:
            return self.graph.shapes(self.normalised(x))
        except Exception:  # a trace that does not run as the network does: the list is optional
            return {}

    def normalised(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return (n, channel, *spatial) in input space in the network's own numbers and layout."""
        return self._forward.normalised(inputs)

    def head_for(self, inputs: torch.Tensor) -> Head:
        """The head, found with the first input that is seen."""
        if self._head is None:
            self._take_one_output(inputs[:1])

            def run(module: nn.Module) -> torch.Tensor:
                return self._forward.run_classes(module, inputs[:1])

            def others(module: nn.Module) -> Iterator[torch.Tensor]:
                for unlike in head.unlike(inputs[:1]):
                    with suppress(ModelError):
                        yield self._forward.run_classes(module, unlike)

            with torch.inference_mode():
                self._head = head.find(
                    self.module, self.graph, self.requested_output, run, others, self.spec
                )
            self.output = self._head.output
        return self._head

    def _take_one_output(self, inputs: torch.Tensor) -> None:
        """Let the module be one that returns a tensor, where it returns several things."""
        whole = self.module.network if isinstance(self.module, Selected) else self.module
        with torch.inference_mode():
            try:
                returned = call(whole, self.normalised(inputs))
            except Exception:  # said better by what runs it next
                return
        if isinstance(self.module, Selected):
            selected.checked(returned, self.module.key, self.spec)
        elif not isinstance(returned, torch.Tensor):
            self._run_instead(Selected(whole, selected.usual(returned, self.spec)))
        elif returned.ndim == 1 == len(inputs):
            self._run_instead(Column(whole))

    def _run_instead(self, module: nn.Module) -> None:
        self.module = module
        self._forward = Forward(module, self.preprocessing, self.spec)
        self.__dict__.pop("graph", None)

    def _part(self, node: str) -> nn.Module:
        """The part of the network that leads to a node."""
        graph = self.graph_with(node)
        if node not in self._parts:
            self._parts[node] = graph.upto(graph.node(node))
        return self._parts[node]


def _in_training(module: nn.Module) -> list[str]:
    """Return the names of the parts that are in training mode.

    A program of torch.export has the mode that it was exported in, quantised layers and frozen
    TorchScript have none, whatever their flags say: what is random shows when a prediction is
    repeated.
    """
    if isinstance(module, GraphModule) and any(
        isinstance(node.target, torch._ops.OpOverload) for node in module.graph.nodes
    ):
        return []
    return [
        name
        for name, each in module.named_modules()
        if getattr(each, "training", False) and ".quantized." not in type(each).__module__
    ]
