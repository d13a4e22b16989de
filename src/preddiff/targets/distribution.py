"""Numbers made of all classes' probabilities."""

from dataclasses import dataclass

import numpy as np

from preddiff.errors import TargetError
from preddiff.models import Model
from preddiff.models.kind import is_network
from preddiff.targets.base import PROBABILITY_ROUNDING, OfOutput, Returned, Target
from preddiff.types import Pixels


def entropy() -> Target:
    """Return the entropy of the prediction, in bits: what makes a model unsure?

    Red is what raises it: with the window hidden, the model is surer.
    """
    return Entropy()


@dataclass(frozen=True)
class Entropy(Target):
    """The entropy - Σ p log2 p of the classes' probabilities."""

    name: str = "entropy"

    def of(self, model: Model, inputs: Pixels) -> tuple[Model, list[int]]:
        """Return the model of the entropy."""
        if not model.is_probability(None):
            raise TargetError(f"target {self.name!r}: {model.spec} gives values, not classes")
        total = float(model.predict(inputs[None]).sum())
        if abs(total - 1) > PROBABILITY_ROUNDING:
            raise TargetError(
                f"target {self.name!r}: the probabilities add up to {total:.4g}: expected 1, of "
                "classes that exclude each other; explain a class, or a function of the output"
            )
        if is_network(model):
            from preddiff.targets import networks

            logits = networks.logits_of(model, inputs)
            if logits is not None:
                module = networks.Answer(logits, _of_logits, is_alone=True)
                network = networks.derived(model, module, output="values", unit=_UNIT)
                network.labels = [self.name]
                return network, [0]
        return OfOutput(_of_probabilities, self.name, _UNIT).of_values(model, inputs)


_UNIT = "bits of entropy"


def _of_logits(logits: Returned) -> Returned:
    log_p = logits.double().log_softmax(1)
    return -(log_p.exp() * log_p).sum(1) / np.log(2)


def _of_probabilities(p: Returned) -> Returned:
    return -(p * np.log2(np.maximum(p, np.finfo(np.float64).tiny))).sum(1)
