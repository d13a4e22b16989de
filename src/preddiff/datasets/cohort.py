"""A cohort whose truth is known: patients who lose signal in known regions of a template brain.

No scan of anybody: every subject is the MNI152 template (ICBM 2009a, shipped by nilearn), bent,
shaded and noisy in a way of its own, so that what a classifier should find is known voxel by voxel.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from preddiff.errors import SettingError
from preddiff.media.grid import Grid

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]

REGIONS: Mapping[str, tuple[float, float, float]] = {
    "left hippocampus": (-26, -20, -16),
    "left thalamus": (-12, -18, 8),
    "right hippocampus": (26, -20, -16),
    "right thalamus": (12, -18, 8),
    "left insula": (-38, 2, 0),
    "right insula": (38, 2, 0),
}
"""Centres of the balls where patients lose signal, in mm of MNI space."""

LABELS = ("control", "patient")
RADIUS = 10.0  # mm
_LOSS = {
    "common": 0.16,
    "individual": 0.35,
}  # mean share of the signal that an affected region loses
_COMMON = 2  # regions that every patient loses in where the effect is common
_ORIGIN = (-90.0, -126.0, -72.0)  # mm, centre of the first voxel
_BENT, _SHADED, _NOISE = 1.0, 0.04, 0.06
_EXTENT = (182.0, 218.0, 182.0)  # mm: 91×109×91 voxels of 2 mm


@dataclass(frozen=True, eq=False, repr=False)
class Cohort:
    """Scans, who is a patient, and where each patient truly differs.

    Attributes
    ----------
    scans : (subject, 1, z, y, x), about 0 to 1, and 0 outside the brain.
    patient : (subject,); controls and patients alternate, so that a prefix is balanced.
    loss : (subject, region), the share of the signal that is lost; 0 where a region is unharmed.
    regions : (region, z, y, x), named by `names`.
    mask : (z, y, x), the brain.
    grid : where the voxels lie in MNI space; x, y, z lead right, anterior, superior.
    """

    scans: Volume
    patient: Mask
    loss: NDArray[np.float64]
    regions: Mask
    names: tuple[str, ...]
    mask: Mask
    grid: Grid

    def __len__(self) -> int:
        return len(self.scans)

    def truth(self, subject: int) -> Mask:
        """Voxels (z, y, x) where this subject lost signal: nowhere, for a control."""
        return np.asarray(self.regions[self.loss[subject] > 0].any(axis=0))


def simulated_cohort(
    seed: int = 0, subjects: int = 40, effect: str = "common", *, spacing: int = 2
) -> Cohort:
    """Controls and patients in equal numbers on the MNI152 template, the patients' harm known.

    Each scan is the template bent by about 1 mm, shaded by about 4 %, with noise that is correlated
    over a few mm. A subject depends on the seed and its own number alone, not on how many others
    there are.

    Parameters
    ----------
    subjects : how many in all; an even number.
    effect : "common", where every patient loses signal in the same two regions; or "individual",
        where each loses it in one or two of six.
    spacing : of the voxels, in whole mm; 2 gives the paper's 91×109×91.

    Raises
    ------
    SettingError
        If a setting makes no sense, or nilearn, which ships the template, is not installed.
    """
    _check(seed, subjects, effect, spacing)
    template, mask, grid = _template(spacing)
    regions = _regions(mask, grid)
    patient = np.arange(subjects) % 2 == 1
    scans = np.empty((subjects, 1, *mask.shape), dtype=np.float32)
    loss = np.zeros((subjects, len(regions)))
    for subject in range(subjects):
        generator = np.random.default_rng([seed, subject])
        scan = _subject(template, spacing, generator)
        if patient[subject]:
            loss[subject] = _loss(effect, len(regions), generator)
            scan *= 1 - np.tensordot(loss[subject], regions, axes=1)
        scans[subject, 0] = np.where(mask, scan + _noise(mask.shape, spacing, generator), 0)
    return Cohort(scans, patient, loss, regions, tuple(REGIONS), mask, grid)


def _check(seed: int, subjects: int, effect: str, spacing: int) -> None:
    if seed < 0:
        raise SettingError(f"seed={seed}: expected a whole number of at least 0")
    if subjects < 2 or subjects % 2:
        raise SettingError(f"subjects={subjects}: expected an even number of at least 2")
    if effect not in _LOSS:
        raise SettingError(f"effect={effect!r}: expected one of {', '.join(_LOSS)}")
    if not 1 <= spacing <= 8:
        raise SettingError(f"spacing={spacing}: expected 1 to 8 whole mm, smaller than the regions")


def _template(spacing: int) -> tuple[Volume, Mask, Grid]:
    """The template's T1 picture in [0, 1], its brain, and where they lie."""
    try:
        from nilearn import datasets, image
    except ImportError:
        raise SettingError(
            "the simulated cohort needs nilearn, which ships the template: install "
            "preddiff[volumes]"
        ) from None
    affine = np.diag([spacing, spacing, spacing, 1]).astype(np.float64)
    affine[:3, 3] = _ORIGIN
    x, y, z = (int(extent // spacing) for extent in _EXTENT)

    def sampled(source: object, how: str) -> NDArray[np.float64]:
        resampled = image.resample_img(
            source, affine, (x, y, z), interpolation=how, copy_header=True, force_resample=True
        )
        return np.ascontiguousarray(resampled.get_fdata().T)

    template = sampled(datasets.load_mni152_template(resolution=spacing), "linear")
    mask = sampled(datasets.load_mni152_brain_mask(resolution=spacing), "nearest") > 0
    return template.astype(np.float32), mask, Grid((z, y, x), affine)


def _regions(mask: Mask, grid: Grid) -> Mask:
    """(region, z, y, x)"""
    places = grid.world(np.indices(mask.shape).reshape(3, -1).T).reshape(*mask.shape, 3)
    near = [((places - centre) ** 2).sum(axis=-1) <= RADIUS**2 for centre in REGIONS.values()]
    return np.stack(near) & mask


def _loss(effect: str, regions: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """(region,): from half to one and a half times the mean loss, where there is any."""
    if effect == "common":
        affected = np.arange(_COMMON)
    else:
        affected = generator.choice(regions, generator.integers(1, 3), replace=False)
    loss = np.zeros(regions)
    loss[affected] = _LOSS[effect] * generator.uniform(0.5, 1.5, len(affected))
    return loss


def _subject(template: Volume, spacing: float, generator: np.random.Generator) -> Volume:
    """The template in a shape and with a shading of the subject's own."""
    shift = [_smooth(template.shape, 15.0 / spacing, generator) for _axis in template.shape]
    places = np.indices(template.shape, dtype=np.float32) + _BENT / spacing * np.stack(shift)
    bent = ndimage.map_coordinates(template, places, order=1, mode="constant")
    return np.asarray(bent * (1 + _SHADED * _smooth(template.shape, 25.0 / spacing, generator)))


def _noise(shape: tuple[int, ...], spacing: float, generator: np.random.Generator) -> Volume:
    """Noise correlated over a few mm, and some of every voxel's own."""
    alone = generator.standard_normal(shape, dtype=np.float32)
    return _NOISE * _smooth(shape, 3.0 / spacing, generator) + 0.02 * alone


def _smooth(shape: tuple[int, ...], length: float, generator: np.random.Generator) -> Volume:
    """A normal field of variance 1 whose correlation at distance d is about exp(-(d/2·length)²).

    White noise on a coarse lattice, spread by a Gaussian bell along one axis after the other.
    """
    bells = [_bells(n, length) for n in shape]
    field: Volume = generator.standard_normal([bell.shape[1] for bell in bells], dtype=np.float32)
    for bell in bells:  # each turn takes the first axis away and puts the fine one last
        field = np.asarray(np.tensordot(field, bell, axes=(0, 1)))
    return field


def _bells(n: int, length: float) -> Volume:
    """(voxel, knot): how much each voxel has of every knot's noise; squares sum to 1."""
    knots = np.arange(-3 * length, n + 3 * length, length)
    bells = np.exp(-(((np.arange(n)[:, None] - knots) / length) ** 2) / 2)
    return np.asarray(bells / np.linalg.norm(bells, axis=1, keepdims=True), dtype=np.float32)
