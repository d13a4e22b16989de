"""The voxels that are a classifier's features: those in a mask, of a scan as it is or smoothed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from preddiff.errors import InputError, ModelError
from preddiff.media import masks, volumes
from preddiff.media.grid import Grid
from preddiff.media.maps import nifti_image
from preddiff.models.folding import SklearnObject
from preddiff.models.order import Features, Order
from preddiff.types import Batch, Floats, Mask, Pixels

MaskSource = object
"""A mask as a caller gives it: a NiftiMasker of nilearn, a nibabel image, or a path of one."""

VoxelWeights = Annotated[Floats, "k 1 z y x"]

_OVER_SCANS = ("standardize", "detrend", "low_pass", "high_pass", "high_variance_confounds")
"""What nilearn's maskers compute over all scans that they get at once."""

_SAME_FEATURE = 1e-3  # of the largest: maskers smooth in float32


@dataclass(frozen=True, eq=False)
class Masking:
    """From scans to features, and from weights of features to weights of voxels.

    Attributes
    ----------
    mask : (z, y, x).
    grid : of the mask, on which scans have to lie.
    order : in which the mask's voxels are features, see `Order`.
    name : for messages.
    masker : of nilearn, which smooths; None where there is an image only.
    """

    mask: Mask
    grid: Grid
    order: Order
    name: str = "the mask"
    masker: SklearnObject = None

    def features(self, inputs: Batch) -> Features:
        """Return the features (n, feature) of scans (n, 1, z, y, x)."""
        scans = self._smoothed(inputs[:, 0].astype(np.float64))
        return self._turned(scans)[:, self._features]

    def on_voxels(self, weights: Annotated[Floats, "k feature"]) -> VoxelWeights:
        """Return weights of features as weights of voxels, which give the same logits.

        A voxel that is no feature counts 0, or what it adds to features by smoothing.
        """
        turned = np.zeros((len(weights), *self._features.shape))
        turned[:, self._features] = weights
        # With S the matrix of smoothing, w · (S x) is (Sᵀ w) · x. A filter of a symmetric kernel
        # which mirrors the border, or takes 0 beyond, is symmetric: Sᵀ = S.
        return self._smoothed(self._turned(turned))[:, None]

    def check_count(self, features: int, estimator: str) -> None:
        """Raise a ModelError unless an estimator has as many features as the mask has voxels."""
        if features != self.mask.sum():
            raise ModelError(
                f"{self.name} has {self.mask.sum():,} voxels, {estimator} {features:,} features: "
                "expected as many; give the mask that it was fitted with"
            )

    def check(self, inputs: Pixels) -> None:
        """Raise a ModelError if the masker makes other features of a scan (1, z, y, x) than this.

        A masker is a program of others: what it is held to is tried out.
        """
        if self.masker is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own = np.ravel(self.masker.transform(nifti_image(inputs[0], self.grid)))
        ours = self.features(inputs[None])[0]
        if own.shape != ours.shape or np.abs(own - ours).max() > _SAME_FEATURE * np.abs(own).max():
            raise ModelError(
                f"{self.name} gives other features than the voxels of its mask, smoothed as it "
                "says: give its mask, mask=masker.mask_img_, if the pipeline was fitted on these"
            )

    @property
    def _features(self) -> Mask:
        """The mask, with its axes in the order of the features."""
        return self.mask.T if self.order == "xyz" else self.mask

    def _turned(self, values: Annotated[Floats, "n z y x"]) -> Floats:
        """Exchange x and z, where features are in the order of (x, y, z)."""
        return np.swapaxes(values, 1, 3) if self.order == "xyz" else values

    def _smoothed(self, scans: Annotated[Floats, "n z y x"]) -> Annotated[Floats, "n z y x"]:
        width = getattr(self.masker, "smoothing_fwhm", None)
        if not np.any(width):
            return scans
        from nibabel import Nifti1Image
        from nilearn.image import smooth_img

        # A whole batch is one image of (x, y, z, n), whose last axis is not smoothed.
        image = Nifti1Image(scans.T, self.grid.affine)
        return np.asarray(smooth_img(image, width).get_fdata()).T


def opened(source: MaskSource, order: Order | None = None) -> Masking:
    """Return the masking by a masker, or by an image.

    Parameters
    ----------
    order : of an image's voxels; None is that of nibabel and nilearn, xyz.

    Raises
    ------
    ModelError
        If it is no mask of a scan, a masker is not fitted, or does more to a scan than one weight
        per voxel can carry.
    """
    if is_masker(source):
        return _of_masker(source, order)
    name = str(source) if isinstance(source, str | Path) else "the mask"
    try:
        volume = volumes.opened(source)
        if volume is None:
            raise ModelError(
                f"mask {source if isinstance(source, str | Path) else type(source).__name__}: "
                "expected a NiftiMasker of nilearn, or a mask on the scans' grid as a NIfTI file "
                "or an image of nibabel"
            )
        return Masking(masks.inside(volume.values[0]), volume.grid, order or "xyz", name)
    except InputError as error:
        raise ModelError(str(error)) from error


def is_masker(source: object) -> bool:
    """Return whether an object is one of nilearn's maskers, of voxels or of anything else."""
    return any("Masker" in kind.__name__ for kind in type(source).__mro__)


def _of_masker(masker: SklearnObject, order: Order | None) -> Masking:
    name = type(masker).__name__
    if not any(kind.__name__ == "NiftiMasker" for kind in type(masker).__mro__):
        raise ModelError(
            f"{name}: expected a NiftiMasker, whose features are single voxels of a scan"
        )
    if not hasattr(masker, "mask_img_"):
        raise ModelError(f"{name} is not fitted: call .fit() first")
    if order == "zyx":
        raise ModelError(f"order='zyx': {name} takes voxels in the order xyz; leave it out")
    for setting in _OVER_SCANS:
        value = getattr(masker, setting, None)
        if value not in (None, False):
            raise ModelError(
                f"{name}({setting}={value!r}) computes over the scans that it gets at once, and "
                "one alone has none of it: fit the pipeline anew without, and standardise in it "
                "(StandardScaler)"
            )
    if isinstance(masker.smoothing_fwhm, str):
        raise ModelError(
            f"{name}(smoothing_fwhm={masker.smoothing_fwhm!r}): expected millimetres; other "
            "smoothing cannot be carried over to the voxels"
        )
    image = volumes.from_image(masker.mask_img_, f"the mask of {name}", quiet=True)
    return Masking(masks.inside(image.values[0]), image.grid, "xyz", name, masker)
