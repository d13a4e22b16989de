"""The baselines that `explain` can compute, in the order in which figures show them.

A new one is a file that makes a `Baseline`, and a line here.
"""

from preddiff.baselines.grad_cam import GRAD_CAM
from preddiff.baselines.integrated_gradients import INTEGRATED_GRADIENTS
from preddiff.baselines.occlusion import OCCLUSION
from preddiff.baselines.sensitivity import SENSITIVITY

BASELINES = {
    each.name: each
    for each in (
        SENSITIVITY,
        INTEGRATED_GRADIENTS,
        GRAD_CAM,
        OCCLUSION,
    )
}
