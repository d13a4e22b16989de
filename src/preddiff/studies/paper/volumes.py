"""Figures 9 to 12: volumes, of a simulated cohort in place of the paper's scans.

The paper's cohort is not public. Here every patient lost signal in one or two of six regions that
are known, which the figures outline; so that one can see what is found and what is not.
"""

from functools import lru_cache

import numpy as np

from preddiff.datasets.cohort import LABELS
from preddiff.render.slices import Plane
from preddiff.render.strips import DEFAULT_THRESHOLD, Strip, cuts_through, peak, strips
from preddiff.samplers import Sampler
from preddiff.studies.linear_maps import study
from preddiff.studies.linear_maps.study import Study
from preddiff.studies.paper.figures import Drawn
from preddiff.studies.paper.material import Material

WINDOW = 3
_COHORT = (
    "Simulated cohort with individual effects in place of the paper's scans, {spacing} mm, L2 "
    "logistic regression on the voxels of the brain, {right:.0%} of {test} test subjects right, "
    "closed form, l = k + 4. Green: where the patient truly lost signal."
)


def fig9(material: Material) -> Drawn:
    """Figure 9: relevance against the weights, for a patient, at the paper's two slices."""
    made = _study(material)
    cuts = [("sagittal", _slice(made, mm)) for mm in (-32, -10)]  # slices 29 and 40
    subject = _patient(made)
    maps = {
        f"{_caption(made, subject)}\nrelevance": (_relevance(made, subject, WINDOW), "bits"),
        "the same for all\nweights": (made.weights, "weight"),
    }
    rows = [
        _strip(made, subject, label, values, cuts, unit) for label, (values, unit) in maps.items()
    ]
    return _drawn(made, rows, "Relevance (k = 3) and the classifier's weights, for a patient")


def fig10(material: Material) -> Drawn:
    """Figure 10: four controls and four patients."""
    made = _study(material)
    cuts = [("sagittal", _slice(made, -12))]  # slice 39
    cuts += [("axial", Plane.of(made.cohort.grid, "axial").nearest_slice(mm)) for mm in (-16, 8)]
    rows = [
        _strip(made, subject, _caption(made, subject), _relevance(made, subject, WINDOW), cuts)
        for patient in (False, True)
        for subject in _right(made, patient)[:4]
    ]
    return _drawn(made, rows, "Evidence for being a patient: four controls, four patients (k = 3)")


def fig11(material: Material) -> Drawn:
    """Figure 11: the patient of figure 9 along all three axes."""
    made = _study(material)
    subject = _patient(made)
    values = _relevance(made, subject, WINDOW)
    step = round(10 / made.cohort.grid.voxel_size[0])
    rows = [
        _strip(made, subject, name, values, [(name, n + step * i) for i in (-1, 0, 1)])
        for name, n in _cuts(made, subject, values)
    ]
    return _drawn(
        made, rows, f"{_caption(made, subject)}: three slices along each axis, 10 mm apart (k = 3)"
    )


def fig12(material: Material) -> Drawn:
    """Figure 12: window sizes."""
    made = _study(material)
    subject = _patient(made)
    maps = {k: _relevance(made, subject, k) for k in (2, 3, 5, 10)}
    cuts = _cuts(made, subject, maps[WINDOW])
    rows = [
        _strip(
            made, subject, f"k = {k}", values, cuts, threshold=0.1 if k == 2 else DEFAULT_THRESHOLD
        )
        for k, values in maps.items()
    ]
    return _drawn(made, rows, f"{_caption(made, subject)}: window sizes")


FIGURES = {"fig9": fig9, "fig10": fig10, "fig11": fig11, "fig12": fig12}


def _study(material: Material) -> Study:
    return _made(material.seed, min(8, 2 * material.hurry))


@lru_cache(maxsize=1)
def _made(seed: int, spacing: int) -> Study:
    """The study of all these figures, made once."""
    return study.make(seed, "individual", spacing)


def _relevance(made: Study, subject: int, window: int) -> np.ndarray:
    e = made.explain(subject, _sampler(made, window), window)
    return np.asarray(e.relevance.values[0])


@lru_cache(maxsize=1)
def _sampler(made: Study, window: int) -> Sampler:
    """Fitted once for all subjects of a figure."""
    return made.sampler("conditional", window)


def _right(made: Study, patient: bool) -> list[int]:
    """Test subjects of a class that the classifier is right about."""
    test = range(made.train, len(made.cohort))
    said = made.probabilities > 0.5
    return [n for n in test if made.cohort.patient[n] == patient == said[n]]


def _patient(made: Study) -> int:
    """The first of them who lost signal on the left, where the paper's slices are."""
    left = np.array([name.startswith("left") for name in made.cohort.names])
    return next(n for n in _right(made, True) if made.cohort.loss[n][left].any())


def _cuts(made: Study, subject: int, values: np.ndarray) -> list[tuple[str, int]]:
    """Slices that meet where relevance is largest in what the patient lost.

    In the whole volume that is at the rim of the brain, with slices of little else.
    """
    inside = np.where(made.cohort.truth(subject), values, 0)
    return cuts_through(peak(inside), made.cohort.grid)


def _slice(made: Study, mm: float) -> int:
    return Plane.of(made.cohort.grid, "sagittal").nearest_slice(mm)


def _caption(made: Study, subject: int) -> str:
    label = LABELS[int(made.cohort.patient[subject])]
    return f"{label} {subject}\np(patient) = {made.probabilities[subject]:.2f}"


def _strip(
    made: Study,
    subject: int,
    label: str,
    values: np.ndarray,
    cuts: list[tuple[str, int]],
    unit: str = "bits",
    threshold: float = DEFAULT_THRESHOLD,
) -> Strip:
    return Strip(
        label=label,
        scan=made.cohort.scans[subject, 0],
        values=values,
        grid=made.cohort.grid,
        cuts=cuts,
        unit=f"control ← {unit} → patient",
        threshold=threshold,
        outline=made.cohort.truth(subject),
    )


def _drawn(made: Study, rows: list[Strip], title: str) -> Drawn:
    test = slice(made.train, None)
    right = ((made.probabilities > 0.5) == made.cohort.patient)[test]
    spacing = made.cohort.grid.voxel_size[0]
    caption = _COHORT.format(spacing=f"{spacing:g}", right=right.mean(), test=len(right))
    return Drawn(strips(rows, title.replace("\n", ", ")), f"{title}. {caption}".replace("\n", ", "))
