"""Models, which are explained. Networks are imported when they are loaded, not before."""

from preddiff.models.base import Model
from preddiff.models.linear import Linear
from preddiff.models.load import load_model
from preddiff.models.several_inputs import one_input

__all__ = ["Linear", "Model", "load_model", "one_input"]
