"""Figures 9 to 12: volumes, of a simulated cohort instead of the paper's scans.

The paper's cohort is not public. In the simulated one every patient lost signal in one or two of
six known regions. The figures outline those regions, so that one can see what a map finds and what
it misses.
"""

from collections.abc import Callable

import numpy as np

from preddiff.datasets.cohort import LABELS
from preddiff.render.slices import Plane
from preddiff.render.strips import DEFAULT_THRESHOLD, Strip, cuts_through, peak, strips
from preddiff.studies.linear_maps.study import Study, VolumeMap, simulated_study
from preddiff.studies.paper.figure import PaperFigure
from preddiff.studies.paper.workspace import Workspace

WINDOW = 3
"""Length of the windows, in voxels, as in the paper's section 4.2."""

_CAPTION = (
    "A simulated cohort with individual effects instead of the paper's scans, {spacing} mm; L2 "
    "logistic regression on the brain's voxels, right about {right:.0%} of {test} test subjects; "
    "closed form, {hidden}. Green outlines: where the patient truly lost signal."
)

HIDDEN_BY = {
    "conditional": "l = k + 4",
    "cohort": "what could have stood there in controls, given what lies more than 12 mm away (as "
    "far as held-out controls are foretold best)",
}
"""What hides windows: the paper's, or the normal over the whole brain of controls."""


def fig9(workspace: Workspace) -> PaperFigure:
    """Figure 9: relevance against the weights, for a patient, at the paper's two slices."""
    study = _shared_study(workspace)
    # The paper's sagittal slices 29 and 40, given in mm so that they are the same at every spacing.
    cuts = [("sagittal", _slice(study, "sagittal", mm)) for mm in (-32, -10)]
    subject = _shown_patient(study)
    maps = {
        f"{_subject_title(study, subject)}\nrelevance": (
            _relevance(workspace, subject, WINDOW),
            "bits",
        ),
        "the same for all\nweights": (study.weights, "weight"),
    }
    rows = [
        _subject_strip(study, subject, label, values, cuts, unit)
        for label, (values, unit) in maps.items()
    ]
    return _figure(workspace, rows, "Relevance (k = 3) and the classifier's weights, for a patient")


def fig10(workspace: Workspace) -> PaperFigure:
    """Figure 10: four controls and four patients."""
    study = _shared_study(workspace)
    # The paper's slice 39, and the axial ones through the centres of hippocampi and thalami.
    cuts = [
        (plane, _slice(study, plane, mm))
        for plane, mm in (("sagittal", -12), ("axial", -16), ("axial", 8))
    ]
    rows = [
        _subject_strip(
            study,
            subject,
            _subject_title(study, subject),
            _relevance(workspace, subject, WINDOW),
            cuts,
        )
        for patient in (False, True)
        for subject in _classified_correctly(study, patient)[:4]
    ]
    title = "Evidence for being a patient: four controls, four patients (k = 3)"
    return _figure(workspace, rows, title)


def fig11(workspace: Workspace) -> PaperFigure:
    """Figure 11: the patient of figure 9 along all three axes."""
    study = _shared_study(workspace)
    subject = _shown_patient(study)
    values = _relevance(workspace, subject, WINDOW)
    step = round(10 / study.cohort.grid.voxel_size[0])
    rows = [
        _subject_strip(study, subject, name, values, [(name, n + step * i) for i in (-1, 0, 1)])
        for name, n in _cuts(study, subject, values)
    ]
    return _figure(
        workspace,
        rows,
        f"{_subject_title(study, subject)}: three slices along each axis, 10 mm apart (k = 3)",
    )


def fig12(workspace: Workspace) -> PaperFigure:
    """Figure 12: window sizes."""
    # Windows of two voxels spread little evidence over many voxels, so more of it is shown.
    study = _shared_study(workspace)
    subject = _shown_patient(study)
    maps = {k: _relevance(workspace, subject, k) for k in (2, 3, 5, 10)}
    cuts = _cuts(study, subject, maps[WINDOW])
    rows = [
        _subject_strip(
            study, subject, f"k = {k}", values, cuts, threshold=0.1 if k == 2 else DEFAULT_THRESHOLD
        )
        for k, values in maps.items()
    ]
    return _figure(workspace, rows, f"{_subject_title(study, subject)}: window sizes")


VOLUME_FIGURES: dict[str, Callable[[Workspace], PaperFigure]] = {
    "fig9": fig9,
    "fig10": fig10,
    "fig11": fig11,
    "fig12": fig12,
}


def _shared_study(workspace: Workspace) -> Study:
    """The study of all these figures, made once for a workspace."""
    spacing = min(8, 2 * workspace.hurry)  # mm; the regions are balls of 10 mm
    return workspace.once("study", lambda: simulated_study(workspace.seed, "individual", spacing))


def _relevance(workspace: Workspace, subject: int, window: int) -> VolumeMap:
    """Relevance of one subject's voxels for being a patient, (z, y, x)."""
    study = _shared_study(workspace)
    # The usual window's sampler is fitted once for all subjects and figures. Those of figure 12 are
    # let go after use: with their conditional normals, large windows take gigabytes.
    # That of controls is of no window's length.
    name = workspace.volume_sampler
    sampler = (
        workspace.once(f"{name} sampler", lambda: study.sampler(name, WINDOW))
        if window == WINDOW or name == "cohort"
        else study.sampler(name, window)
    )
    return np.asarray(study.explain(subject, sampler, window).relevance.values[0])


def _classified_correctly(study: Study, patient: bool) -> list[int]:
    """Test subjects of one group that the classifier is right about."""
    test = range(study.train, len(study.cohort))
    predicted = study.probabilities > 0.5
    return [n for n in test if study.cohort.patient[n] == patient == predicted[n]]


def _shown_patient(study: Study) -> int:
    """The first correctly classified patient who lost signal on the left.

    The paper's slices are on the left; another patient would show nothing there.
    """
    left = np.array([name.startswith("left") for name in study.cohort.names])
    return next(n for n in _classified_correctly(study, True) if study.cohort.loss[n][left].any())


def _cuts(study: Study, subject: int, values: VolumeMap) -> list[tuple[str, int]]:
    """Slices that meet where relevance is largest inside the regions that the patient lost.

    In the whole volume the largest relevance lies at the rim of the brain, and slices through that
    would show little of the brain.
    """
    inside = np.where(study.cohort.truth(subject), values, 0)
    return cuts_through(peak(inside), study.cohort.grid)


def _slice(study: Study, plane: str, mm: float) -> int:
    """Number of the slice of a plane that lies at a position in mm."""
    return Plane.of(study.cohort.grid, plane).nearest_slice(mm)


def _subject_title(study: Study, subject: int) -> str:
    label = LABELS[int(study.cohort.patient[subject])]
    return f"{label} {subject}\np(patient) = {study.probabilities[subject]:.2f}"


def _subject_strip(
    study: Study,
    subject: int,
    label: str,
    values: VolumeMap,
    cuts: list[tuple[str, int]],
    unit: str = "bits",
    threshold: float = DEFAULT_THRESHOLD,
) -> Strip:
    return Strip(
        label=label,
        scan=study.cohort.scans[subject, 0],
        values=values,
        grid=study.cohort.grid,
        cuts=cuts,
        unit=f"control ← {unit} → patient",
        threshold=threshold,
        outline=study.cohort.truth(subject),
    )


def _figure(workspace: Workspace, rows: list[Strip], title: str) -> PaperFigure:
    study = _shared_study(workspace)
    test = slice(study.train, None)
    right = ((study.probabilities > 0.5) == study.cohort.patient)[test]
    spacing = study.cohort.grid.voxel_size[0]
    caption = _CAPTION.format(
        spacing=f"{spacing:g}",
        right=right.mean(),
        test=len(right),
        hidden=HIDDEN_BY[workspace.volume_sampler],
    )
    return PaperFigure(
        strips(rows, title.replace("\n", ", ")), f"{title}. {caption}".replace("\n", ", ")
    )
