"""A study like the one of section 4.2, on a cohort whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preddiff.datasets import Cohort, simulated_cohort
from preddiff.datasets.cohort import LABELS
from preddiff.models import Linear
from preddiff.pipeline.explain import explain
from preddiff.results.explanation import Explanation
from preddiff.samplers import ConditionalGaussian, Located, Marginal, Sampler

Floats = NDArray[np.float64]

SAMPLERS = ("marginal", "conditional", "located")

_LOOSENESS = 30.0  # C of the regression, of scans whose mean squared norm is 1
_FITTED_ON = 120  # over the window: scans whose patches the normals are fitted on


@dataclass(frozen=True, eq=False)
class Study:
    """A cohort, and a classifier that was fitted on its first subjects.

    Attributes
    ----------
    train : how many subjects the classifier was fitted on; the others are to test it.
    weights : (z, y, x), 0 outside the brain.
    """

    cohort: Cohort
    train: int
    weights: Floats
    intercept: float

    @property
    def model(self) -> Linear:
        return Linear(self.weights[None], self.intercept, labels=LABELS, train_size=self.train)

    @property
    def features(self) -> Floats:
        """(subject, voxel) inside the brain, of those that the classifier was fitted on."""
        scans = self.cohort.scans[: self.train, 0]
        return scans[:, self.cohort.mask].astype(np.float64)

    @property
    def mean(self) -> Floats:
        """(z, y, x), the average scan of those."""
        return np.asarray(self.cohort.scans[: self.train, 0].mean(axis=0, dtype=np.float64))

    @property
    def probabilities(self) -> Floats:
        """(subject,), that of being a patient."""
        return np.array([self.model.predict(scan[None])[0, 1] for scan in self.cohort.scans])

    def sampler(self, name: str, window: int, cells: int = 20) -> Sampler:
        """One of `SAMPLERS`, made from the scans that the classifier was fitted on.

        Parameters
        ----------
        cells : of a located one, in each direction: the paper has 20.
        """
        if name == "marginal":
            return Marginal(self.cohort.scans[: self.train])
        scans, patch = self.cohort.scans[: _FITTED_ON // window], window + 4
        mask = self.cohort.mask
        if name == "located":
            return Located.fit(scans, patch, (cells,) * mask.ndim, mask)
        return ConditionalGaussian.fit(scans, patch, mask=mask)

    def explain(self, subject: int, sampler: Sampler, window: int) -> Explanation:
        """Evidence that a subject is a patient, in closed form."""
        return explain(
            self.model, self.cohort.scans[subject], LABELS[1], sampler=sampler, window=window,
            engine="linear", mask=self.cohort.mask,
        )  # fmt: skip


def make(seed: int, effect: str, spacing: int = 2, train: int = 160, test: int = 40) -> Study:
    """A cohort, and an L2 logistic regression on the voxels of the brain.

    Parameters
    ----------
    seed, effect, spacing : of the cohort.
    train, test : how many subjects; half of them are patients.
    """
    cohort = simulated_cohort(seed, train + test, effect, spacing=spacing)
    inside = cohort.scans[:train, 0][:, cohort.mask].astype(np.float64)
    found, intercept = logistic(inside, cohort.patient[:train], _LOOSENESS)
    weights = np.zeros(cohort.mask.shape)
    weights[cohort.mask] = found
    return Study(cohort, train, weights, intercept)


def logistic(
    features: Floats, patient: NDArray[np.bool_], looseness: float
) -> tuple[Floats, float]:
    """Weights (feature,) and intercept of L2 logistic regression, quick where subjects are few.

    The weights are a sum of scans, so that it is enough to fit as many numbers as there are
    subjects: the scans' coordinates along their own principal axes.

    Parameters
    ----------
    features : (subject, feature).
    looseness : C of scikit-learn's LogisticRegression, with features divided by the root mean
        square of their deviation from the mean, summed over features.
    """
    from sklearn.linear_model import LogisticRegression

    mean = features.mean(axis=0)
    deviation = features - mean
    squares, axes = np.linalg.eigh(deviation @ deviation.T)
    held = squares > squares[-1] * len(features) * np.finfo(np.float64).eps
    lengths, axes = np.sqrt(squares[held]), axes[:, held]
    size = np.sqrt(squares.sum() / len(features))
    fitted = LogisticRegression(C=looseness, max_iter=2000).fit(axes * lengths / size, patient)
    weights = (axes @ (fitted.coef_[0] / lengths)) @ deviation / size
    return weights, float(fitted.intercept_[0] - mean @ weights)
