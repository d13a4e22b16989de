"""Models that ask another one, and say something else of its answers."""

from pathlib import Path

from PIL import Image

from preddiff.models.base import Model
from preddiff.types import Pixels

_DESCRIPTION = (
    "spec", "shape", "grid", "labels", "train_size", "mean", "sha256", "output", "value_unit",
    "repeats_to", "runtime",
)  # fmt: skip


class Asking(Model):
    """A model that sees what another one sees; a subclass says what it gives.

    Parameters
    ----------
    model : the one that is asked.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        for name in _DESCRIPTION:
            setattr(self, name, getattr(model, name))

    @property
    def preparation(self) -> str:
        """The way inputs become the model's own numbers."""
        return self.model.preparation

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the part of a picture of this size that the model sees, in its pixels."""
        return self.model.box(width, height)

    def prepare(self, image: Image.Image | Pixels | str | Path) -> Pixels:
        """Return what the model sees."""
        return self.model.prepare(image)
