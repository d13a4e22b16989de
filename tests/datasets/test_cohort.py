"""The simulated cohort: its grid, its truth, and the statistics of its noise."""

import numpy as np
import pytest

import preddiff
from preddiff.datasets import cohort as cohorts
from preddiff.datasets import simulated_cohort
from preddiff.errors import SettingError

pytest.importorskip("nilearn", reason="nilearn ships the template")


@pytest.fixture(scope="module")
def individual():
    return simulated_cohort(seed=3, subjects=24, effect="individual", spacing=6)


def test_two_millimetres_give_the_papers_grid():
    cohort = simulated_cohort(subjects=2)
    assert cohort.scans.shape == (2, 1, 91, 109, 91)
    assert cohort.grid.axis_codes == ("R", "A", "S")
    np.testing.assert_array_equal(cohort.grid.world([[36, 63, 45]]), [[0, 0, 0]])
    assert 1.8e6 < 8 * cohort.mask.sum() < 2.0e6  # mm³ of a brain
    assert cohort.scans.dtype == np.float32
    assert (cohort.scans[:, :, ~cohort.mask] == 0).all()


def test_regions_lie_where_their_names_say(individual):
    for name, region, centre in zip(
        individual.names, individual.regions, cohorts.REGIONS.values(), strict=True
    ):
        places = individual.grid.world(np.argwhere(region))
        assert np.linalg.norm(places - centre, axis=1).max() <= cohorts.RADIUS
        assert (places[:, 0].mean() < 0) == name.startswith("left")


def test_nothing_but_the_truth_differs(individual):
    unharmed = simulated_cohort(seed=3, subjects=24, effect="individual", spacing=6, loss=1e-9)
    for subject in range(24):
        changed = individual.scans[subject, 0] != unharmed.scans[subject, 0]
        truth = individual.truth(subject)
        assert not (changed & ~truth).any()
        assert truth.any() == individual.patient[subject]
        assert changed[truth].all()
        assert (individual.scans[subject] <= unharmed.scans[subject]).all()


def test_who_is_harmed_where(individual, rng):
    harmed = (individual.loss > 0).sum(axis=1)
    assert set(harmed[individual.patient]) == {1, 2}
    assert not harmed[~individual.patient].any()
    losses = np.stack([cohorts._draw_loss("individual", 0.35, 6, rng) for _ in range(600)])
    np.testing.assert_allclose((losses > 0).mean(axis=0), 1.5 / 6, atol=0.06)
    common = simulated_cohort(seed=3, subjects=8, effect="common", spacing=8)
    np.testing.assert_array_equal((common.loss > 0).sum(axis=0), [4, 4, 0, 0, 0, 0])


def test_anatomies_vary_as_much_as_is_asked(individual):
    """Beyond the noise, which is the same, bent and shaded scans differ more from each other."""
    options = {"seed": 3, "subjects": 8, "effect": "individual", "spacing": 6}
    still = simulated_cohort(**options, bend=0, shading=0)
    controls = ~still.patient
    nuisance = {
        (bend, shading): simulated_cohort(**options, bend=bend, shading=shading).scans[controls]
        - still.scans[controls]
        for bend, shading in ((1, 0), (3, 0), (0, 4), (0, 12))
    }
    spread = {each: float(values.std()) for each, values in nuisance.items()}
    assert spread[0, 12] == pytest.approx(3 * spread[0, 4], rel=1e-3)
    assert 1.8 < spread[3, 0] / spread[1, 0] < 3
    usual = simulated_cohort(**options, bend=1, shading=4)
    np.testing.assert_array_equal(usual.scans, individual.scans[:8])


def test_small_effects(individual):
    small = simulated_cohort(seed=3, subjects=8, effect="individual", spacing=6, loss=3.5)
    np.testing.assert_allclose(small.loss, individual.loss[:8] / 10)


def test_a_subject_does_not_depend_on_how_many_there_are(individual):
    few = simulated_cohort(seed=3, subjects=4, effect="individual", spacing=6)
    np.testing.assert_array_equal(few.scans, individual.scans[:4])
    assert not np.array_equal(few.scans[0], few.scans[2])
    other = simulated_cohort(seed=4, subjects=4, effect="individual", spacing=6)
    assert not np.array_equal(few.scans, other.scans)


def test_smooth_fields_have_the_variance_and_correlation_that_they_should(rng):
    fields = np.stack([cohorts._smooth_field((24, 9, 8), 3.0, rng) for _ in range(3000)])
    np.testing.assert_allclose(fields.var(axis=0), 1, atol=0.15)
    along = fields[:, :, 4, 4]
    measured = [(along[:, 5] * along[:, 5 + d]).mean() for d in range(10)]
    np.testing.assert_allclose(measured, np.exp(-((np.arange(10) / 6) ** 2)), atol=0.08)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"subjects": 3}, "subjects=3: expected an even number"),
        ({"effect": "rare"}, "effect='rare': expected one of common, individual"),
        ({"spacing": 20}, "spacing=20: expected 1 to 8 whole mm"),
        ({"seed": -1}, "seed=-1"),
        ({"bend": 9}, "bend=9: expected 0 to 5 mm"),
        ({"shading": -1}, "shading=-1: expected 0 to 25 per cent"),
        ({"loss": 0}, "loss=0: expected more than 0 and up to 60 per cent"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(SettingError, match=message):
        simulated_cohort(**settings)


def test_it_is_there_by_name():
    assert preddiff.datasets.simulated_cohort is simulated_cohort
