"""Other methods' maps, by Captum, all of the target's score before the softmax.

What hides pixels, and where paths begin, is the mean colour of the model's pictures; channels are
summed. Random methods get a seed of their own and leave torch's global state as it was.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from preddiff.baselines import grad_cam as cam
from preddiff.baselines import integrated_gradients as path
from preddiff.baselines.captum_methods import captum, scores_of
from preddiff.errors import ModelError
from preddiff.models import Model
from preddiff.studies.evaluation.imputers import mean_colour
from preddiff.studies.evaluation.maps import PictureMap, Regions
from preddiff.types import Pixels

if TYPE_CHECKING:
    import torch

    from preddiff.models.networks.network import Network

Segmentation = Callable[[Pixels], Regions]
"""Returns the regions of a picture that are hidden together."""

_SMOOTH_GRAD_NOISE = 0.15  # of the picture's range, as in Smilkov et al. (2017)
_SMOOTH_GRAD_SAMPLES = 25
_SHAP_NOISE = 0.1  # of the pictures at which GradientShap's paths end
_SHAP_SAMPLES = 25
_OCCLUDED = 7  # of a side's length in an occluded square, which moves by half of it
_SEGMENTS = 50  # that SLIC is asked for
_SEGMENT_SAMPLES = 150
_PERMUTATIONS = 25
_LASSO = 0.01  # LIME's penalty on coefficients: Captum's default
_VALUES_AT_ONCE = 5 * 3 * 224 * 224  # in pictures that are evaluated together
_AT_ONCE_MOST = 64


def grad_cam(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return Grad-CAM (Selvaraju et al. 2017) at the last node on a grid."""
    del seed
    return np.asarray(cam.grad_cam(network_of(model), picture, [target])[0])


def integrated_gradients(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return integrated gradients (Sundararajan, Taly & Yan 2017) from the mean colour."""
    del seed
    return np.asarray(path.integrated_gradients(network_of(model), picture, [target])[0])


def smooth_grad(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return the mean of |gradient| over noisy pictures: SmoothGrad (Smilkov et al. 2017)."""
    network, x = network_of(model), tensor_of(picture)
    attr = captum("smooth_grad")
    noise = _SMOOTH_GRAD_NOISE * float(picture.max() - picture.min())
    with _seeded(seed):
        tunnel = attr.NoiseTunnel(attr.Saliency(scores_of(network)))
        # abs=True: signs of neighbouring pixels' gradients alternate, and would cancel in patches.
        values = tunnel.attribute(
            x,
            nt_samples=_SMOOTH_GRAD_SAMPLES,
            nt_samples_batch_size=_at_once(picture),
            stdevs=noise,
            target=target,
            abs=True,
        )
    return _map(values)


def gradient_shap(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return expected gradients (Lundberg & Lee 2017; Erion et al. 2021) from the mean colour."""
    network, x = network_of(model), tensor_of(picture)
    with _seeded(seed):
        values = (
            captum("gradient_shap")
            .GradientShap(scores_of(network))
            .attribute(
                x,
                _colour(model, picture),
                n_samples=_SHAP_SAMPLES,
                stdevs=_SHAP_NOISE,
                target=target,
            )
        )
    return _map(values)


def guided_grad_cam(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return Grad-CAM × guided backpropagation (Springenberg et al. 2015).

    Raises
    ------
    ModelError
        If the network has no ReLU that is a module: nothing could be guided.
    """
    from torch import nn

    network = network_of(model)
    if not any(isinstance(each, nn.ReLU) for each in network.module.modules()):
        raise ModelError(
            f"guided_grad_cam: {model.spec} has no ReLU that is a module of its own (torch.nn.ReLU)"
            ", which guided backpropagation changes; leave it out"
        )
    guided = guided_backprop(model, picture, target, seed)
    return np.asarray(guided * grad_cam(model, picture, target, seed))


def saliency(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return |gradient| (Simonyan, Vedaldi & Zisserman 2013)."""
    del seed
    method = captum("saliency").Saliency(scores_of(network_of(model)))
    return _map(method.attribute(tensor_of(picture).requires_grad_(), target))


def deep_lift(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return DeepLIFT's contributions (Shrikumar, Greenside & Kundaje 2017), rescale rule."""
    del seed
    return _by_hooks("DeepLift", model, picture, target, baselines=_colour(model, picture))


def guided_backprop(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return guided backpropagation (Springenberg et al. 2015); without a ReLU, the gradient."""
    del seed
    return _by_hooks("GuidedBackprop", model, picture, target)


def deconvolution(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return the deconvolution (Zeiler & Fergus 2014); without a ReLU, the gradient."""
    del seed
    return _by_hooks("Deconvolution", model, picture, target)


def shapley_sampling(
    model: Model, picture: Pixels, target: int, seed: int, *, regions: Segmentation
) -> PictureMap:
    """Return Shapley values of regions from 25 permutations (Štrumbelj & Kononenko 2010)."""
    import torch

    with _seeded(seed), torch.no_grad():
        values = (
            captum("shapley_sampling")
            .ShapleyValueSampling(scores_of(network_of(model)))
            .attribute(
                tensor_of(picture),
                baselines=_colour(model, picture),
                target=target,
                feature_mask=torch.from_numpy(regions(picture))[None, None],
                n_samples=_PERMUTATIONS,
                perturbations_per_eval=_at_once(picture),
            )
        )
    return np.asarray(_map(values) / len(picture))  # each channel has the region's value


def occlusion(model: Model, picture: Pixels, target: int, seed: int) -> PictureMap:
    """Return what grey squares take off the score (Zeiler & Fergus 2014)."""
    del seed
    import torch

    network = network_of(model)
    size = [max(n // _OCCLUDED, 1) for n in picture.shape[1:]]
    with torch.inference_mode():
        values = (
            captum("occlusion")
            .Occlusion(scores_of(network))
            .attribute(
                tensor_of(picture),
                sliding_window_shapes=(len(picture), *size),
                strides=(len(picture), *(max(n // 2, 1) for n in size)),
                baselines=_colour(model, picture),
                target=target,
                perturbations_per_eval=_at_once(picture),
            )
        )
    return _map(values)


def segments(picture: Pixels) -> Regions:
    """Return SLIC's segments of a picture (Achanta et al. 2012), numbered from 0.

    Raises
    ------
    ModelError
        If scikit-image is not installed.
    """
    try:
        from skimage.segmentation import slic
    except ImportError:
        raise ModelError(
            "segments: need scikit-image; pip install 'preddiff[evaluate]', or leave kernel_shap "
            "and lime out"
        ) from None
    found = slic(picture.transpose(1, 2, 0), n_segments=_SEGMENTS, start_label=0, channel_axis=2)
    return np.asarray(np.unique(found, return_inverse=True)[1].reshape(found.shape), dtype=np.int64)


def kernel_shap(
    model: Model,
    picture: Pixels,
    target: int,
    seed: int,
    *,
    regions: Segmentation = segments,
    samples: int = _SEGMENT_SAMPLES,
) -> PictureMap:
    """Return KernelSHAP (Lundberg & Lee 2017) of regions."""
    method = captum("kernel_shap").KernelShap(scores_of(network_of(model)))
    return _of_segments(method, model, picture, target, seed, regions(picture), samples)


def lime(
    model: Model,
    picture: Pixels,
    target: int,
    seed: int,
    *,
    regions: Segmentation = segments,
    samples: int = _SEGMENT_SAMPLES,
) -> PictureMap:
    """Return LIME (Ribeiro, Singh & Guestrin 2016) of regions."""
    from captum._utils.models.linear_model import SkLearnLasso

    model_of_segments = SkLearnLasso(alpha=_LASSO)
    method = captum("lime").Lime(scores_of(network_of(model)), model_of_segments)
    return _of_segments(method, model, picture, target, seed, regions(picture), samples)


def _of_segments(
    method: Any,
    model: Model,
    picture: Pixels,
    target: int,
    seed: int,
    regions: Regions,
    samples: int,
) -> PictureMap:
    import torch

    with _seeded(seed), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how well a line fits the samples
        values = method.attribute(
            tensor_of(picture),
            baselines=_colour(model, picture),
            target=target,
            feature_mask=torch.from_numpy(regions)[None, None],
            n_samples=samples,
            perturbations_per_eval=_at_once(picture),
        )
    return np.asarray(_map(values) / len(picture))  # each channel has the segment's value


def _by_hooks(
    name: str, model: Model, picture: Pixels, target: int, **settings: torch.Tensor
) -> PictureMap:
    """Return the map of a method of Captum's that changes what modules do."""
    from torch import nn

    network = network_of(model)
    scores = scores_of(network)
    # The first call looks at the network without gradients, which Captum's hooks do not bear.
    scores(tensor_of(picture))

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network.module  # whose modules Captum finds here

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            """Return the scores."""
            return scores(inputs)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that hooks are set, and removed again
        method = getattr(captum(name), name)(Whole())
        return _map(method.attribute(tensor_of(picture), target=target, **settings))


def network_of(model: Model) -> Network:
    """Return a model that has gradients, or raise a ModelError."""
    from preddiff.models.networks.network import Network

    if not isinstance(model, Network):
        raise ModelError(
            f"{model.spec} is no torch network, of which Captum's methods are; leave them out"
        )
    return model


def tensor_of(picture: Pixels) -> torch.Tensor:
    """Return a batch of one picture."""
    import torch

    return torch.from_numpy(picture)[None]


def _at_once(picture: Pixels) -> int:
    """Return how many perturbed pictures are evaluated together."""
    return min(max(_VALUES_AT_ONCE // picture.size, 1), _AT_ONCE_MOST)


def _colour(model: Model, picture: Pixels) -> torch.Tensor:
    x = tensor_of(picture)
    return x.new_tensor(mean_colour(model, picture)).reshape(1, -1, 1, 1).expand_as(x).clone()


def _map(values: torch.Tensor) -> PictureMap:
    """Return the sum over channels of what Captum gives, (1, channel, y, x)."""
    return np.asarray(values[0].detach().cpu().double().sum(0).numpy())


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let Captum, which knows only torch's and numpy's global state, draw from a seed."""
    import torch

    before = np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002
