"""The contenders where the truth is known: pixels are few, so each is hidden on its own.

The number in a name is the length of windows in pixels; at 64×64, in eighths of the side.
"""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Literal

import numpy as np

from preddiff.method.windows import Windows
from preddiff.models import Model
from preddiff.samplers import ConditionalGaussian, Marginal, Sampler
from preddiff.samplers.base import ValidRange
from preddiff.samplers.gaussian.axes import PatchCovariance
from preddiff.studies.evaluation import attributions, controls, lrp, rise
from preddiff.studies.evaluation.contenders import Contender, Method
from preddiff.studies.evaluation.maps import PictureMap, Regions, grid_regions
from preddiff.studies.evaluation.own_maps import WindowsAlone, WindowsInSets
from preddiff.types import Batch, Pixels

Drawn = Literal["conditional", "marginal"]

_CELLS = 8  # along each side of the grid whose cells are hidden one by one
_WHOLE = 8  # side of pictures up to which one normal holds all pixels
_PATCH = 24  # of the normal of larger ones
_POOL = 1000  # pictures to draw from, and to fit the normal of patches to
_DRAWS = 10
_LEAST = 1e-9  # of the pixels' variance, that each has apart from the others
_SETS = 600
_SAMPLES = 600  # of KernelSHAP and LIME: as many as there are sets


class WholePicture(ConditionalGaussian):
    """A normal over whole pictures, whose draws of a set are given exactly what is visible."""

    kind = "conditional, whole picture"

    def fill(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the picture with all windows drawn together, given what is still visible."""
        # With the inverse Q of the covariance, the hidden values h given the visible ones v are
        # normal with covariance Q_hh⁻¹ and mean μ_h - Q_hh⁻¹ Q_hv (v - μ_v). With Q_hh = L·Lᵀ,
        # L⁻ᵀ times white noise has that covariance.
        hidden = np.broadcast_to(windows.coverage > 0, inputs.shape).ravel()
        x = inputs.astype(np.float64).ravel()
        pull = self._inverse[np.ix_(hidden, ~hidden)] @ (x - self.mean)[~hidden]
        lower = np.linalg.cholesky(self._inverse[np.ix_(hidden, hidden)])
        noise = np.random.default_rng(seed).standard_normal((samples, len(pull)))
        filled = np.repeat(x[None], samples, axis=0)
        filled[:, hidden] = (
            self.mean[hidden]
            + np.linalg.solve(lower.T, noise.T - np.linalg.solve(lower, pull)[:, None]).T
        )
        if self.is_clipped(valid) and valid is not None:
            filled = filled.clip(*valid)
        return filled.reshape(samples, *inputs.shape).astype(np.float32)

    @cached_property
    def _inverse(self) -> PatchCovariance:
        # Smooth pictures have eigenvalues below rounding, which no inverse can have.
        least = _LEAST * np.diag(self.covariance).mean()
        return np.asarray(np.linalg.inv(self.covariance + least * np.eye(len(self.mean))))


class _Fitted:
    """The samplers of one set of pictures, fitted when first asked for."""

    def __init__(self, training: Batch) -> None:
        self._training = training

    @cached_property
    def conditional(self) -> Sampler:
        """A normal, of whole pictures where these are small."""
        if self._training.shape[-1] <= _WHOLE:
            return WholePicture.fit(self._training, _WHOLE)
        return ConditionalGaussian.fit(self._training[:_POOL], _PATCH)

    @cached_property
    def marginal(self) -> Sampler:
        """What other pictures have at the same place."""
        return Marginal(self._training[:_POOL])


def cells(picture: Pixels) -> Regions:
    """Return an 8×8 grid over a picture: its pixels, where it is of that size."""
    return grid_regions(picture.shape[1:], _CELLS)


def _relevance(window: int, sampler: Sampler) -> Method:
    return WindowsAlone(window, sampler, _DRAWS).relevance


def _importance(window: int, sampler: Sampler) -> Method:
    return WindowsAlone(window, sampler, _DRAWS).importance


def _change(window: int, sampler: Sampler) -> Method:
    return WindowsAlone(window, sampler, _DRAWS).change


def _of_sets(window: int, sampler: Sampler) -> Method:
    return WindowsInSets(window, sampler, _SETS).relevance


def truth_contenders(training: Batch) -> dict[str, Contender]:
    """Return the contenders by name, in the order in which they are asked.

    Parameters
    ----------
    training : (n, channel, y, x), the pictures that samplers are fitted on.
    """
    fitted = _Fitted(training)
    unit = training.shape[-1] // _CELLS

    def own(
        kind: str, make: Callable[[int, Sampler], Method], length: int, drawn: Drawn
    ) -> Contender:
        def method(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
            return make(length * unit, getattr(fitted, drawn))(model, picture, target, seed)

        return Contender(
            f"{kind}-{length}-{drawn}", f"{kind}, k = {length}, {drawn}", method, is_random=True
        )

    made = (
        own("relevance", _relevance, 1, "conditional"),
        own("relevance", _relevance, 1, "marginal"),
        own("relevance", _relevance, 2, "conditional"),
        own("importance", _importance, 2, "conditional"),
        own("change", _change, 1, "conditional"),
        own("change", _change, 1, "marginal"),
        own("sets", _of_sets, 1, "conditional"),
        own("sets", _of_sets, 1, "marginal"),
        Contender("saliency", "saliency", attributions.saliency),
        Contender("smooth_grad", "SmoothGrad", attributions.smooth_grad, is_random=True),
        Contender(
            "integrated_gradients", "integrated gradients", attributions.integrated_gradients
        ),
        Contender("gradient_shap", "GradientShap", attributions.gradient_shap, is_random=True),
        Contender("deep_lift", "DeepLIFT", attributions.deep_lift),
        Contender("guided_backprop", "guided backpropagation", attributions.guided_backprop),
        Contender("deconvolution", "deconvolution", attributions.deconvolution),
        Contender("lrp", "LRP", lrp.lrp),
        Contender(
            "shapley_sampling",
            "Shapley value sampling",
            partial(attributions.shapley_sampling, regions=cells),
            is_random=True,
        ),
        Contender(
            "kernel_shap",
            "KernelSHAP",
            partial(attributions.kernel_shap, regions=cells, samples=_SAMPLES),
            is_random=True,
        ),
        Contender(
            "lime",
            "LIME",
            partial(attributions.lime, regions=cells, samples=_SAMPLES),
            is_random=True,
        ),
        Contender("occlusion", "Occlusion", attributions.occlusion),
        Contender("rise-1000", "RISE, 1,000 masks", partial(rise.rise, masks=1000), is_random=True),
        Contender("picture", "the picture itself", controls.brightness, is_control=True),
        Contender("sobel", "edges (Sobel)", controls.sobel, is_control=True),
        Contender("laplace", "Laplace", controls.laplace, is_control=True),
        Contender("random", "random", controls.random, is_random=True, is_control=True),
    )
    return {each.name: each for each in made}


TRUTH_CONTENDERS = truth_contenders(np.zeros((1, 1, _CELLS, _CELLS), dtype=np.float32))
"""The same by name, of no pictures: for whoever needs names and labels."""
