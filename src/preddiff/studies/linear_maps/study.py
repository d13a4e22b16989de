"""A study like that of section 4.2, on a cohort whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np

from preddiff.classify.logistic import regression, unfold
from preddiff.datasets import SimulatedCohort, simulated_cohort
from preddiff.datasets.cohort import BEND, LABELS, SHADING
from preddiff.models import Linear
from preddiff.pipeline.explain import explain
from preddiff.results.explanation import Explanation
from preddiff.samplers import Cohort, ConditionalGaussian, Located, Marginal, Sampler
from preddiff.samplers.brain.cohort import GUARD
from preddiff.types import Floats

VolumeMap = Annotated[Floats, "z y x"]
"""A value for every voxel of a grid."""

SAMPLERS = ("marginal", "marginal of controls", "cohort", "conditional", "located")

# C of the regression for scans whose squared norm, centred, is 1 on average. The products of scans
# grow with the number of voxels; dividing by the mean squared norm makes one C mean the same weak
# penalty at every spacing.
_INVERSE_PENALTY = 30.0
# Scans that a normal is fitted on, times the window's length. A larger window needs fewer: every
# scan gives some hundred thousand patches either way, while a patch of (k + 4)³ voxels has a
# covariance of (k + 4)⁶ numbers to add up.
_FITTED_SCANS_TIMES_WINDOW = 120


@dataclass(frozen=True, eq=False)
class Study:
    """A cohort, and a classifier that was fitted on its first subjects.

    Attributes
    ----------
    train : how many subjects the classifier was fitted on; the others are there to test it.
    weights : (z, y, x), 0 outside the brain.
    intercept : added to the sum of weights times values; positive logits say "patient".
    """

    cohort: SimulatedCohort
    train: int
    weights: VolumeMap
    intercept: float

    @property
    def model(self) -> Linear:
        """The classifier as a model to explain."""
        return Linear(self.weights[None], self.intercept, labels=LABELS, train_size=self.train)

    @property
    def features(self) -> Annotated[Floats, "subject voxel"]:
        """The values that the classifier was fitted on: the first subjects' brain voxels."""
        return _brain_voxels(self.cohort, self.train)

    @property
    def mean(self) -> VolumeMap:
        """The average of the scans that the classifier was fitted on."""
        return np.asarray(self.cohort.scans[: self.train, 0].mean(axis=0, dtype=np.float64))

    @cached_property
    def probabilities(self) -> Annotated[Floats, "subject"]:
        """The predicted probability of being a patient, for all subjects."""
        model = self.model
        return np.array([model.predict(scan[None])[0, 1] for scan in self.cohort.scans])

    def sampler(self, name: str, window: int, cells: int = 20, guard: float = GUARD) -> Sampler:
        """Make one of `SAMPLERS` from scans that the classifier was fitted on.

        A cohort is of the controls among them.

        Parameters
        ----------
        cells : cells of a located sampler in each direction; the paper has 20.
        guard : mm around a window that a cohort does not condition on.
        """
        if name == "marginal":
            return Marginal(self.cohort.scans[: self.train])
        controls = self.cohort.scans[: self.train][~self.cohort.patient[: self.train]]
        if name == "marginal of controls":
            return Marginal(controls)
        if name == "cohort":
            return Cohort.fit(controls, self.cohort.mask, grid=self.cohort.grid, guard=guard)
        scans = self.cohort.scans[: _FITTED_SCANS_TIMES_WINDOW // window]
        patch, mask = window + 4, self.cohort.mask
        if name == "located":
            return Located.fit(scans, patch, (cells,) * mask.ndim, mask)
        return ConditionalGaussian.fit(scans, patch, mask=mask)

    def explain(self, subject: int, sampler: Sampler, window: int) -> Explanation:
        """Explain why a subject is a patient: positive relevance speaks for it. In closed form."""
        return explain(
            self.model, self.cohort.scans[subject], LABELS[1], sampler=sampler, window=window,
            engine="linear", mask=self.cohort.mask,
        )  # fmt: skip


def simulated_study(
    seed: int,
    effect: str,
    spacing: int = 2,
    train: int = 160,
    test: int = 40,
    *,
    bend: float = BEND,
    shading: float = SHADING,
    loss: float | None = None,
) -> Study:
    """Simulate a cohort, and fit an L2 logistic regression on the brain's voxels.

    Parameters
    ----------
    seed, effect, spacing, bend, shading, loss : as in `simulated_cohort`.
    train, test : how many subjects; half of them are patients.
    """
    cohort = simulated_cohort(
        seed, train + test, effect, spacing=spacing, bend=bend, shading=shading, loss=loss
    )
    features = _brain_voxels(cohort, train)
    mean_squared_norm = ((features - features.mean(axis=0)) ** 2).sum() / train
    pipeline = regression(inverse_penalty=_INVERSE_PENALTY / mean_squared_norm)
    classifier = unfold(pipeline.fit(features, cohort.patient[:train]))
    weights = np.zeros(cohort.mask.shape)
    weights[cohort.mask] = classifier.coef_[0]
    return Study(cohort, train, weights, float(classifier.intercept_[0]))


def _brain_voxels(cohort: SimulatedCohort, subjects: int) -> Annotated[Floats, "subject voxel"]:
    return cohort.scans[:subjects, 0][:, cohort.mask].astype(np.float64)
