"""The contrast of two classes: what speaks for one of them rather than for the other."""

from collections.abc import Callable
from dataclasses import dataclass

from preddiff.errors import TargetError
from preddiff.models import Model
from preddiff.models import targets as classes
from preddiff.models.kind import is_network
from preddiff.targets.base import Computed, OfOutput, Returned, Target
from preddiff.types import Pixels


def contrast(first: int | str, second: int | str) -> Target:
    """Return the log-odds of one class against another one: why a husky, and not a wolf?

    The evidence is the weight of evidence for p₁ / (p₁ + p₂), the probability of the first if it is
    one of the two. Of a softmax, its log-odds are the difference of the two logits.

    Parameters
    ----------
    first, second : numbers or labels, as of `explain`.
    """
    return Contrast(first, second)


def read(text: str) -> Target | None:
    """Return the contrast that a text such as "husky against wolf" is; None of any other text."""
    first, found, second = text.partition(classes.AGAINST)
    return contrast(first.strip(), second.strip()) if found else None


@dataclass(frozen=True)
class Contrast(Target):
    """The probability of one class of two, if it is one of them.

    Attributes
    ----------
    first, second : numbers or labels.
    """

    first: int | str
    second: int | str

    @property
    def name(self) -> str:  # type: ignore[override]
        """Both classes, as the caller wrote them."""
        return f"{self.first}{classes.AGAINST}{self.second}"

    def of(self, model: Model, inputs: Pixels) -> tuple[Model, list[int]]:
        """Return the model of the two classes, and the first of them."""
        values = model.predict(inputs[None])[0]
        if not model.is_probability(None):
            raise TargetError(f"target {self.name!r}: {model.spec} gives values, not classes")
        pair = [
            number
            for each in (self.first, self.second)
            for number in classes.resolve(each, values, model.labels)
        ]
        if len(set(pair)) != 2 or len(pair) != 2:
            raise TargetError(f"target {self.name!r}: expected two different classes")
        made: Model = Computed(model, OfOutput(_among(pair), self.name, is_probability=True))
        if is_network(model):
            from preddiff.targets import networks

            logits = networks.logits_of(model, inputs)
            if logits is not None:
                both = networks.Answer(logits, lambda z: z[:, pair], is_alone=False)
                made = networks.derived(model, both, output="logits")
        names = classes.names(pair, model.labels)
        made.labels = [classes.AGAINST.join(names), classes.AGAINST.join(names[::-1])]
        return made, [0]


def _among(pair: list[int]) -> Callable[[Returned], Returned]:
    """Return the function that gives probabilities (n, 2) of two classes among themselves."""

    def function(p: Returned) -> Returned:
        two = p[:, pair]
        return two / two.sum(1, keepdims=True)

    return function
