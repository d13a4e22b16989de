"""A cohort whose truth is known: patients who lose signal in known regions of a template brain.

No real person's scan is used. Every subject is the MNI152 template (ICBM 2009a, shipped by
nilearn), deformed, shaded and noisy in a way of its own, so that what a classifier should find is
known voxel by voxel:

    scan = (template ∘ deformation) · (1 + shading) · (1 − loss) + noise,    0 outside the brain.

The three nuisances are what preprocessed structural scans differ by where nobody is ill: imperfect
registration, residual bias field, and noise that smoothing has correlated. All lengths are in mm,
so that a cohort with coarser voxels is the same cohort, seen more coarsely.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from preddiff.errors import SettingError
from preddiff.media.grid import Grid
from preddiff.types import Batch, Floats, Mask

Volume = Annotated[NDArray[np.float32], "z y x"]
"""Values of one volume's voxels, without a channel."""

RegionMasks = Annotated[NDArray[np.bool_], "region z y x"]
"""True in each region."""

Flags = Annotated[NDArray[np.bool_], "subject"]
"""True or false for each subject."""

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
RADIUS = 10.0
"""Radius of these balls, in mm."""

# Mean share of the signal that an affected region loses. An individual effect has to be larger, as
# each region is affected in a quarter of the patients only. With these shares a classifier of 160
# subjects is right about 70 to 75 % of others (docs/volumes.md): decisions that are worth asking
# about, some of them wrong.
_MEAN_LOSS = {"common": 16.0, "individual": 35.0}  # per cent
_MOST_LOSS = 60.0  # per cent on average: the largest single loss is one and a half times that
_COMMON_REGIONS = 2  # the first two of REGIONS, which every patient loses signal in
_FIRST_VOXEL = (-90.0, -126.0, -72.0)  # mm of its centre: the MNI grid of SPM and FSL at 2 mm
_EXTENT = (182.0, 218.0, 182.0)  # mm: 91×109×91 voxels of 2 mm, as in the paper's section 4.2

BEND, SHADING = 1.0, 4.0
"""Standard deviations of deformation, in mm, and shading, in per cent of the signal."""

# Over how many mm each varies (`_smooth_field`), and the standard deviation of the noise.
_BEND_LENGTH, _SHADING_LENGTH = 15.0, 25.0
_MOST_BEND = 5.0  # mm: with more, anatomies fold (`_healthy_scan`)
_MOST_SHADING = 25.0  # per cent: 4 standard deviations leave signal everywhere
_NOISE, _NOISE_LENGTH = 0.06, 3.0  # of a signal of at most 1, mm
_VOXEL_NOISE = 0.02  # independent from voxel to voxel


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedCohort:
    """Scans, who is a patient, and where each patient truly differs.

    Attributes
    ----------
    scans : (subject, 1, z, y, x), about 0 to 1, and 0 outside the brain.
    patient : (subject,); controls and patients alternate, so that every even number of first
        subjects is balanced.
    loss : (subject, region), the share of the signal that is lost; 0 where a region is unharmed.
    regions : (region, z, y, x), named by `names`.
    mask : (z, y, x), the brain.
    grid : where the voxels lie in MNI space; x, y, z lead right, anterior, superior.
    """

    scans: Batch
    patient: Flags
    loss: Annotated[Floats, "subject region"]
    regions: RegionMasks
    names: tuple[str, ...]
    mask: Mask
    grid: Grid

    def __len__(self) -> int:
        """Return the number of subjects."""
        return len(self.scans)

    def truth(self, subject: int) -> Mask:
        """Return the voxels (z, y, x) where this subject lost signal: none, for a control."""
        return np.asarray(self.regions[self.loss[subject] > 0].any(axis=0))


def simulated_cohort(
    seed: int = 0,
    subjects: int = 40,
    effect: str = "common",
    *,
    spacing: int = 2,
    bend: float = BEND,
    shading: float = SHADING,
    loss: float | None = None,
) -> SimulatedCohort:
    """Simulate controls and patients in equal numbers, and keep where each patient lost signal.

    Each scan is the MNI152 template, deformed and shaded, with noise that is correlated over a few
    mm. A subject depends on the seed and its own number alone, not on how
    many others there are.

    Parameters
    ----------
    seed : all randomness follows from it.
    subjects : how many in all; an even number.
    effect : "common", where every patient loses signal in the same two regions; or "individual",
        where each loses it in one or two of six.
    spacing : of the voxels, in whole mm; 2 gives the paper's 91×109×91.
    bend : mm by which anatomies are deformed (standard deviation along each axis).
    shading : per cent by which scans are shaded (standard deviation).
    loss : mean per cent of the signal that an affected region loses; by default 16 of a common
        effect and 35 of an individual one.

    Raises
    ------
    SettingError
        If a setting makes no sense, or nilearn, which ships the template, is not installed.
    """
    _check_settings(seed, subjects, effect, spacing)
    mean_loss = _MEAN_LOSS[effect] if loss is None else loss
    _check_strength(bend, shading, mean_loss)
    template, mask, grid = _load_template(spacing)
    regions = _region_masks(mask, grid)
    patient = np.arange(subjects) % 2 == 1
    scans = np.empty((subjects, 1, *mask.shape), dtype=np.float32)
    lost = np.zeros((subjects, len(regions)))
    for subject in range(subjects):
        # A generator for each subject, so that subject 7 is the same in a cohort of 8 and of 800.
        generator = np.random.default_rng([seed, subject])
        scan = _healthy_scan(template, spacing, generator, bend, shading / 100)
        if patient[subject]:
            lost[subject] = _draw_loss(effect, mean_loss / 100, len(regions), generator)
            # The loss is a share of the signal and comes before the noise, as atrophy does: noise
            # is no weaker in a harmed region. (It also makes the truth exact: where the loss is 0,
            # a patient's voxel has the very value that it would have without any effect.)
            scan *= 1 - np.tensordot(lost[subject], regions, axes=1)
        scans[subject, 0] = np.where(mask, scan + _noise(mask.shape, spacing, generator), 0)
    return SimulatedCohort(scans, patient, lost, regions, tuple(REGIONS), mask, grid)


def _check_settings(seed: int, subjects: int, effect: str, spacing: int) -> None:
    if seed < 0:
        raise SettingError(f"seed={seed}: expected a whole number of at least 0")
    if subjects < 2 or subjects % 2:
        raise SettingError(f"subjects={subjects}: expected an even number of at least 2")
    if effect not in _MEAN_LOSS:
        raise SettingError(f"effect={effect!r}: expected one of {', '.join(_MEAN_LOSS)}")
    if not 1 <= spacing <= 8:
        raise SettingError(f"spacing={spacing}: expected 1 to 8 whole mm, smaller than the regions")


def _check_strength(bend: float, shading: float, loss: float) -> None:
    if not 0 <= bend <= _MOST_BEND:
        raise SettingError(f"bend={bend:g}: expected 0 to {_MOST_BEND:g} mm")
    if not 0 <= shading <= _MOST_SHADING:
        raise SettingError(f"shading={shading:g}: expected 0 to {_MOST_SHADING:g} per cent")
    if not 0 < loss <= _MOST_LOSS:
        raise SettingError(f"loss={loss:g}: expected more than 0 and up to {_MOST_LOSS:g} per cent")


def _load_template(spacing: int) -> tuple[Volume, Mask, Grid]:
    """The template's T1 scan in [0, 1], its brain mask, and their grid."""
    try:
        from nilearn import datasets, image
    except ImportError:
        raise SettingError(
            "the simulated cohort needs nilearn, which ships the template: install "
            "preddiff[volumes]"
        ) from None
    affine = np.diag([spacing, spacing, spacing, 1]).astype(np.float64)
    affine[:3, 3] = _FIRST_VOXEL
    x, y, z = (int(extent // spacing) for extent in _EXTENT)

    def on_grid(source: object, interpolation: str) -> NDArray[np.float64]:
        # Onto a grid of our own, so that scans do not depend on which one nilearn ships.
        resampled = image.resample_img(
            source,
            affine,
            (x, y, z),
            interpolation=interpolation,
            copy_header=True,
            force_resample=True,
        )
        return np.ascontiguousarray(resampled.get_fdata().T)

    template = on_grid(datasets.load_mni152_template(resolution=spacing), "linear")
    mask = on_grid(datasets.load_mni152_brain_mask(resolution=spacing), "nearest") > 0
    return template.astype(np.float32), mask, Grid((z, y, x), affine)


def _region_masks(mask: Mask, grid: Grid) -> RegionMasks:
    """The part of each ball that lies in the brain."""
    millimetres = grid.world(np.indices(mask.shape).reshape(3, -1).T).reshape(*mask.shape, 3)
    near = [((millimetres - centre) ** 2).sum(axis=-1) <= RADIUS**2 for centre in REGIONS.values()]
    return np.stack(near) & mask


def _draw_loss(
    effect: str, mean: float, regions: int, generator: np.random.Generator
) -> Annotated[Floats, "region"]:
    """A patient's loss in each region: half to one and a half times the mean, or none."""
    if effect == "common":
        affected = np.arange(_COMMON_REGIONS)
    else:
        affected = generator.choice(regions, generator.integers(1, 3), replace=False)
    loss = np.zeros(regions)
    loss[affected] = mean * generator.uniform(0.5, 1.5, len(affected))
    return loss


def _healthy_scan(
    template: Volume,
    spacing: float,
    generator: np.random.Generator,
    bend: float,
    shading: float,
) -> Volume:
    """The template with an anatomy and a shading of the subject's own, before loss and noise."""
    # One smooth field per axis moves every voxel by about `bend` mm. Neighbours 15 mm apart move
    # together, so that the anatomy is stretched, hardly ever folded: the field's slope has a
    # standard deviation of bend / (√2 · 15 mm), and it folds where that is below -1.
    shift = [
        _smooth_field(template.shape, _BEND_LENGTH / spacing, generator) for _axis in template.shape
    ]
    voxels = np.indices(template.shape, dtype=np.float32)
    voxels = voxels + bend / spacing * np.stack(shift)
    deformed = ndimage.map_coordinates(template, voxels, order=1, mode="constant")
    shade = shading * _smooth_field(template.shape, _SHADING_LENGTH / spacing, generator)
    return np.asarray(deformed * (1 + shade))


def _noise(shape: tuple[int, ...], spacing: float, generator: np.random.Generator) -> Volume:
    """Noise correlated over a few mm, and some that is independent from voxel to voxel."""
    # The first part alone would leave hardly anything to draw: the eigenvalues of a Gaussian
    # correlation fall so fast that a patch's covariance is singular to rounding, and a window
    # follows from its neighbours. Real voxels have noise of their own.
    independent = generator.standard_normal(shape, dtype=np.float32)
    correlated = _smooth_field(shape, _NOISE_LENGTH / spacing, generator)
    return _NOISE * correlated + _VOXEL_NOISE * independent


def _smooth_field(shape: tuple[int, ...], length: float, generator: np.random.Generator) -> Volume:
    """A normal field of variance 1 whose correlation at distance d is about exp(−(d / 2·length)²).

    White noise on a coarse lattice of knots, `length` voxels apart, is spread by a Gaussian bell
    b(t) = exp(−t² / 2) (t in units of `length`) along one axis after the other. Along one axis the
    covariance of two voxels is Σ_knots b(t − knot) b(t + d − knot); with knots one unit apart that
    sum is the integral over knots, which is proportional to exp(−d² / 4), within a share of
    2·exp(−π²) = 1e-4 (Poisson's summation formula).

    Three-dimensional noise that is as smooth would otherwise need a filter over every voxel; the
    lattice has length³ times fewer numbers to draw.
    """
    bells = [_bells(n, length) for n in shape]
    field: Volume = generator.standard_normal([bell.shape[1] for bell in bells], dtype=np.float32)
    for bell in bells:
        # Sums the first axis of knots away and appends the voxels' axis: after one turn for each
        # axis, all are voxels, in their first order again.
        field = np.asarray(np.tensordot(field, bell, axes=(0, 1)))
    return field


def _bells(n: int, length: float) -> Annotated[NDArray[np.float32], "voxel knot"]:
    """The weights of each knot's noise in each voxel.

    Knots reach three lengths beyond the ends, so that voxels there get as much as others. Each
    voxel's squares sum to 1, which makes its variance exactly 1 wherever it lies between the knots.
    """
    knots = np.arange(-3 * length, n + 3 * length, length)
    bells = np.exp(-(((np.arange(n)[:, None] - knots) / length) ** 2) / 2)
    return np.asarray(bells / np.linalg.norm(bells, axis=1, keepdims=True), dtype=np.float32)
