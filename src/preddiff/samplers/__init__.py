"""What could have stood in a window: the samplers."""

from preddiff.samplers.base import Sampler
from preddiff.samplers.constant import Constant
from preddiff.samplers.gaussian.conditional import ConditionalGaussian
from preddiff.samplers.gaussian.located import Located
from preddiff.samplers.marginal import Marginal

__all__ = ["ConditionalGaussian", "Constant", "Located", "Marginal", "Sampler"]
