"""Samplers: what could have stood in a hidden window."""

from preddiff.samplers.base import Sampler
from preddiff.samplers.blurred import Blurred
from preddiff.samplers.brain.cohort import Cohort
from preddiff.samplers.constant import Constant
from preddiff.samplers.exemplar import Exemplar
from preddiff.samplers.gaussian.channelwise import ChannelwiseGaussian
from preddiff.samplers.gaussian.conditional import ConditionalGaussian
from preddiff.samplers.gaussian.located import Located
from preddiff.samplers.gaussian.mixed_rows import RowMixed
from preddiff.samplers.gaussian.mixture import Mixture
from preddiff.samplers.gaussian.rows import RowGaussian
from preddiff.samplers.gaussian.stationary import StationaryGaussian
from preddiff.samplers.gaussian.student import StudentT
from preddiff.samplers.inpaint import Inpaint
from preddiff.samplers.marginal import Marginal
from preddiff.samplers.one_channel import OneChannel

__all__ = [
    "Blurred", "ChannelwiseGaussian", "Cohort", "ConditionalGaussian", "Constant", "Exemplar",
    "Inpaint", "Located", "Marginal", "Mixture", "OneChannel", "RowGaussian", "RowMixed",
    "Sampler", "StationaryGaussian", "StudentT",
]  # fmt: skip
