"""A normal for every cell of a grid, held against what the textbook says of each cell."""

import numpy as np
import pytest
from scipy import linalg
from typer.testing import CliRunner

import preddiff
from preddiff import cli
from preddiff.engines import ClosedForm
from preddiff.errors import InputError, PreddiffError, SamplerError
from preddiff.media.folders import VolumeFolder
from preddiff.method.windows import Windows
from preddiff.models import Linear
from preddiff.samplers import ConditionalGaussian, Located
from preddiff.samplers import load as loading
from preddiff.samplers.gaussian.shrinkage import shrinkage
from preddiff.samplers.gaussian.threads import for_each_in_threads
from samplers.test_samplers import direct

SHAPE, PATCH, GRID = (1, 10, 9, 8), 3, (2, 3, 2)


@pytest.fixture(scope="module")
def cohort():
    """Volumes whose mean and spread grow along the first axis."""
    rng = np.random.default_rng(5)
    plane = np.arange(10)[None, :, None, None]
    noise = rng.normal(size=(30, *SHAPE))
    smooth = noise + np.roll(noise, 1, axis=4)
    return (plane + (0.2 + 0.3 * plane) * smooth).astype(np.float32)


@pytest.fixture(scope="module")
def located(cohort):
    return Located.fit(cohort, patch=PATCH, grid=GRID, clip=False)


def patches_in(cohort, cell):
    """All patches that begin in a cell: places times cells over places, rounded down."""
    begins = [n - PATCH + 1 for n in SHAPE[1:]]
    cells = [c * g // n for c, g, n in zip(np.indices(begins), GRID, begins, strict=True)]
    corners = np.argwhere(np.all([c == i for c, i in zip(cells, cell, strict=True)], axis=0))
    boxes = [(0, *(slice(i, i + PATCH) for i in c)) for c in corners]
    return np.stack([v[box].reshape(-1) for v in cohort for box in boxes]).astype(float)


@pytest.mark.parametrize("cell", [(0, 0, 0), (1, 1, 0), (1, 2, 1)])
def test_a_cell_has_its_own_patches_drawn_towards_the_cohort(cohort, located, cell):
    rows = patches_in(cohort, cell)
    whole = ConditionalGaussian.fit(cohort, patch=PATCH)
    unit = np.linalg.inv(linalg.cholesky(whole.covariance, lower=True))
    spread = np.cov(unit @ rows.T)
    share = max(0.01, shrinkage(spread, len(rows)))
    level = np.trace(spread) / len(spread)
    expected = (1 - share) * np.cov(rows.T) + share * level * whole.covariance
    mean, covariance = located.normal_of(int(np.ravel_multi_index(cell, GRID)))
    np.testing.assert_allclose(covariance, expected, rtol=0, atol=1e-5 * expected.max())
    own = whole.mean + (rows.mean(axis=0) - whole.mean) * 30 / 31  # the cohort is one more volume
    np.testing.assert_allclose(mean, own, atol=1e-5)


PLACES = [(0, 0, 0), (3, 4, 2), (4, 4, 3), (9, 8, 7), (5, 0, 4), (4, 5, 7)]


def test_draws_are_conditioned_by_the_normal_of_the_patchs_cell(cohort, located):
    inputs = cohort[0]
    windows = Windows(SHAPE[1:], (1, 1, 1), np.array(PLACES))
    means, covariances = located.moments(inputs, windows)
    draws = located.draw(inputs, windows, 20_000, 1, None).reshape(len(PLACES), -1)
    for n, place in enumerate(PLACES):
        corner = [
            min(max(p - 1, 0), size - PATCH) for p, size in zip(place, SHAPE[1:], strict=True)
        ]
        cell = located.grid.numbers(np.array([corner]))[0]
        one = ConditionalGaussian(*located.normal_of(cell), (1, 3, 3, 3))
        mean, covariance = direct(one, inputs, place, (1, 1, 1))
        np.testing.assert_allclose(means[n], mean, atol=1e-6)
        np.testing.assert_allclose(covariances[n], covariance, rtol=1e-6)
        deviation = np.sqrt(covariance[0, 0])
        assert abs(draws[n].mean() - mean[0]) < 5 * deviation / np.sqrt(20_000)
        assert draws[n].std() == pytest.approx(deviation, rel=0.03)


def test_where_volumes_vary_more_draws_vary_more(cohort, located):
    windows = Windows(SHAPE[1:], (1, 1, 1), np.array([(1, 4, 4), (8, 4, 4)]))
    one = ConditionalGaussian.fit(cohort, patch=PATCH, clip=False)
    near, far = (c[0, 0] for c in located.moments(cohort[0], windows)[1])
    same = [c[0, 0] for c in one.moments(cohort[0], windows)[1]]
    assert same[0] == pytest.approx(same[1])
    assert near < same[0] < far


@pytest.mark.parametrize("classes", [2, 3])
def test_the_closed_form_is_what_many_draws_come_to(rng, cohort, located, classes):
    weights = 0.3 * rng.normal(size=SHAPE if classes == 2 else (classes, *SHAPE))
    total = (weights * cohort[0]).sum(axis=(-4, -3, -2, -1))
    model = Linear(weights, -total)
    windows = Windows(SHAPE[1:], (2, 2, 2), np.array([(0, 0, 0), (3, 4, 2), (8, 7, 6), (4, 0, 3)]))
    form = ClosedForm(model, cohort[0], range(classes), None, located.project, 1 << 30)
    p, _ = form.expect(windows)
    draws = located.draw(cohort[0], windows, 40_000, 2, None)
    for n, start in enumerate(windows.starts):
        box = tuple(slice(s, s + 2) for s in start)
        filled = np.zeros((40_000, *SHAPE))
        filled[(slice(None), slice(None), *box)] = draws[n] - cohort[0][(slice(None), *box)]
        held = filled[(slice(None), slice(None), *box)].reshape(40_000, -1)
        weight, _ = model.per_class(SHAPE)
        change = held @ weight[(slice(None), slice(None), *box)].reshape(classes, -1).T
        values = np.exp(change - np.logaddexp.reduce(change, axis=1, keepdims=True))
        deviation = (values.mean(axis=0) - p[:, n]) / (values.std(axis=0) / 200)
        assert np.abs(deviation).max() < 4


def test_only_cells_that_a_mask_reaches_are_fitted(cohort):
    mask = np.zeros(SHAPE[1:], dtype=bool)
    mask[7:, 1:6, 1:5] = True
    some = Located.fit(cohort, patch=PATCH, grid=GRID, mask=mask)
    assert set(some.fitted) == {6, 7, 8, 9, 10, 11}
    mean, covariance = some.normal_of(0)
    whole = ConditionalGaussian.fit(cohort, patch=PATCH, mask=mask)
    np.testing.assert_allclose(mean, whole.mean)
    np.testing.assert_allclose(covariance, whole.covariance)


def test_a_mask_takes_the_patches_that_are_centred_in_it(cohort):
    mask = np.zeros(SHAPE[1:], dtype=bool)
    mask[2:9, 3:5, 4] = True
    corners = [(z, y, 3) for z in range(1, 8) for y in (2, 3)]
    rows = np.stack([
        v[0, z : z + 3, y : y + 3, x : x + 3].reshape(-1) for v in cohort for z, y, x in corners
    ])  # fmt: skip
    fitted = ConditionalGaussian.fit(cohort, patch=PATCH, mask=mask)
    np.testing.assert_allclose(fitted.mean, rows.mean(axis=0), rtol=1e-5)
    assert fitted.facts["patches"] == len(rows)


def test_little_memory_means_more_passes_and_the_same_sampler(cohort, located):
    passes = []

    class Volumes:
        def __iter__(self):
            passes.append(1)
            return iter(cohort)

    small = Located.fit(Volumes(), patch=PATCH, grid=GRID, clip=False, memory=50_000)
    assert len(passes) > 3
    np.testing.assert_array_equal(small.units, located.units)
    assert small.sha256 == located.sha256


def test_flat_and_empty_places_can_be_drawn_from(cohort):
    flat = cohort.copy()
    flat[:, :, :4] = 0
    sampler = Located.fit(flat, patch=PATCH, grid=(20, 20, 20), clip=False)
    assert sampler.grid.cells == (8, 7, 6)
    windows = Windows.over(SHAPE[1:], 1)
    draws = sampler.draw(flat[0], windows, 4, 0, None)
    assert np.isfinite(draws).all()
    inside = (windows.starts < 2).all(axis=1)
    assert np.abs(draws[inside]).max() < 0.01


def test_a_cell_that_is_the_same_in_all_has_a_normal_however_far_from_the_cohorts(cohort):
    flat, mask = cohort.copy(), np.zeros(SHAPE[1:], dtype=bool)
    flat[:, :, :7], mask[6:] = 1e5, True
    sampler = Located.fit(flat, patch=PATCH, grid=(8, 7, 6), mask=mask, clip=False)
    mean, covariance = sampler.normal_of(sampler.grid.numbers(np.array([[4, 3, 3]]))[0])
    np.testing.assert_allclose(mean, sampler.mean + (1e5 - sampler.mean) * 30 / 31, atol=1)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert covariance.diagonal().max() < 1e-8 * sampler.covariance.diagonal().max()


def test_an_analysis_of_the_next_input_is_as_of_the_first(cohort, located):
    weights, windows = np.ones((1, *SHAPE)), Windows.over(SHAPE[1:], 1)
    for inputs in (*cohort[:3], cohort[0]):
        mean, covariance = next(iter(located.project(weights, inputs, windows)))
        means, covariances = located.moments(inputs, windows)
        np.testing.assert_allclose(mean[0], means[:, 0] - inputs.reshape(-1), atol=1e-9)
        np.testing.assert_allclose(covariance[0, 0], np.reshape(covariances, -1), rtol=1e-9)


def test_what_is_done_side_by_side_is_all_done_or_raises():
    done = np.zeros(100)
    for_each_in_threads(lambda n: done.__setitem__(n, n), range(100))
    np.testing.assert_array_equal(done, np.arange(100))
    with pytest.raises(ZeroDivisionError):
        for_each_in_threads(lambda n: 1 / n, range(3))


def test_saved_and_loaded_it_is_the_same(tmp_path, cohort, located):
    located.save(tmp_path / "located.npz")
    windows = Windows.over(SHAPE[1:], 1, 3)
    for loaded in (
        Located.load(tmp_path / "located.npz"),
        loading.read_sampler(tmp_path / "located.npz"),
    ):
        assert loaded.sha256 == located.sha256
        found = loaded.draw(cohort[1], windows, 3, 7, None)
        np.testing.assert_array_equal(found, located.draw(cohort[1], windows, 3, 7, None))
    with pytest.raises(SamplerError, match="holds a located sampler, expected a conditional one"):
        ConditionalGaussian.load(tmp_path / "located.npz")
    assert located.summary()["cells"] == "2×3×2"


def test_pairs_are_antithetic(cohort, located):
    windows = Windows.over(SHAPE[1:], 1, 4)
    draws = located.paired().draw(cohort[0], windows, 4, 0, None)
    means, _ = located.moments(cohort[0], windows)
    middle = draws[:, ::2] + draws[:, 1::2]
    np.testing.assert_allclose(middle[:, 0].reshape(len(windows), -1), 2 * means, atol=1e-4)


def test_explain_takes_it_and_the_file(tmp_path, rng, cohort, located):
    model = Linear(0.1 * rng.normal(size=SHAPE))
    located.save(tmp_path / "located.npz")
    e = preddiff.explain(model, cohort[0], 1, sampler=located, window=1)
    assert e.provenance["engine"] == "closed form"
    again = preddiff.explain(
        model, cohort[0], 1, sampler=f"conditional:{tmp_path}/located.npz", window=1, margin=1
    )
    np.testing.assert_array_equal(again.evidence, e.evidence)
    drawn = preddiff.explain(model, cohort[0], 1, sampler=located, window=1, engine="dense")
    z = (drawn.evidence - e.evidence).values / drawn.evidence_error.values
    assert np.abs(z).mean() < 1.2
    with pytest.raises(SamplerError, match="needs patches of 5, .* on patches of 3×3×3"):
        preddiff.explain(
            model, cohort[0], sampler=f"conditional:{tmp_path}/located.npz", window=1, margin=2
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"volumes": (v for v in ())}, "gone through several times: expected a list"),
        ({"grid": (2, 2)}, r"grid=\(2, 2\): expected 3 numbers of cells of at least 1"),
        ({"grid": (2, 0, 2)}, r"grid=\(2, 0, 2\)"),
        ({"mask": np.ones((2, 2, 2))}, r"a mask of shape \(2, 2, 2\): expected that of input 0"),
        ({"patch": 12}, "at least 12 in each direction"),
        (
            {"volumes": [np.ones(SHAPE)] * 9 + [np.ones((1, 10, 9, 9))]},
            r"input 9 has shape \(1, 10, 9, 9\): expected \(10, 9, 8\) as the first",
        ),
    ],
)
def test_fits_that_cannot_be(cohort, arguments, message):
    with pytest.raises(SamplerError, match=message):
        Located.fit(**{"volumes": cohort, "patch": 3, "grid": GRID, **arguments})


def test_another_grid_is_refused(located):
    other = np.zeros((1, 9, 9, 8), dtype=np.float32)
    with pytest.raises(SamplerError, match="fitted on volumes of 10×9×8, the input has 9×9×8"):
        located.check(other, Windows.over((9, 9, 8), 1), None)


@pytest.fixture
def scans(tmp_path, cohort):
    """A folder of eight NIfTI files; x is the first axis in a file and the last in arrays."""
    nibabel = pytest.importorskip("nibabel")
    (tmp_path / "scans").mkdir()
    for n, volume in enumerate(cohort[:8]):
        nibabel.Nifti1Image(volume[0].T, np.eye(4)).to_filename(tmp_path / f"scans/{n}.nii.gz")
    mask = np.zeros(SHAPE[1:], dtype=np.uint8)
    mask[7:, 1:6, 1:5] = 1
    nibabel.Nifti1Image(mask.T, np.eye(4)).to_filename(tmp_path / "mask.nii")
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_the_command_line_fits_folders_of_volumes(scans, cohort):
    fit = ["sampler", "fit", scans / "scans", "--patch", 3]
    done = invoke(*fit, "-o", scans / "l.npz", "--grid", "2,3,2", "--mask", scans / "mask.nii")
    assert done.exit_code == 0, done.output
    located = loading.read_sampler(scans / "l.npz")
    assert located.grid.cells == (2, 3, 2)
    assert len(located.fitted) == 6
    assert "cells fitted" in invoke("sampler", "show", scans / "l.npz").stdout
    assert invoke(*fit, "-o", scans / "c.npz").exit_code == 0
    expected = ConditionalGaussian.fit(cohort[:8], patch=3)
    np.testing.assert_allclose(loading.read_sampler(scans / "c.npz").mean, expected.mean)


def test_a_marginal_pool_comes_from_a_folder_of_volumes(scans, cohort):
    arguments = {"window": 2, "margin": 2, "prepare": None, "mean": None}
    pool = loading.load_sampler(f"marginal:{scans}/scans", shape=SHAPE, **arguments)
    np.testing.assert_array_equal(pool.pool, cohort[:8])
    with pytest.raises(SamplerError, match=r"holds volumes of \(10, 9, 8\), expected"):
        loading.load_sampler(f"marginal:{scans}/scans", shape=(1, 9, 9, 9), **arguments)


def test_volumes_of_another_grid_are_refused(scans, cohort):
    nibabel = pytest.importorskip("nibabel")
    other = nibabel.Nifti1Image(cohort[0, 0].T, np.diag([2.0, 1, 1, 1]))
    other.to_filename(scans / "scans" / "z.nii")
    with pytest.raises(InputError, match="z.nii: a volume of .*: expected that of the first"):
        list(VolumeFolder(scans / "scans"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "a,b"], "--grid a,b: expected whole numbers"),
        (["--grid", "2,2"], "expected 3 numbers of cells"),
        (["--model", "embedded"], "--model and --channels are for pictures"),
    ],
)
def test_fits_that_the_command_line_refuses(scans, options, message):
    fit = ["sampler", "fit", scans / "scans", "--patch", 3, "-o", scans / "l.npz"]
    with pytest.raises(PreddiffError, match=message):
        CliRunner().invoke(cli.app, [str(a) for a in [*fit, *options]], catch_exceptions=False)
