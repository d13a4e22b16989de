"""Interactions of regions, through the front door, against closed forms."""

import math

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss

import preddiff
from conftest import Softmax
from preddiff.errors import InputError, SettingError
from preddiff.models import Linear
from preddiff.results.interactions import Interactions
from preddiff.samplers import ConditionalGaussian, Marginal

SHAPE = (3, 12, 12)
LABELS = np.zeros((12, 12), dtype=int)
LABELS[:4, :4] = 3
LABELS[8:, 8:] = 7
LABELS[5:7, 2:9] = 9  # which no model below looks at
BITS = math.log2(81)  # from p = 0.9 to p = 0.1
ASKED = {"regions": LABELS, "targets": 1, "train_size": math.inf}


@pytest.fixture
def bright(rng):
    return (0.7 + 0.3 * rng.random(SHAPE)).astype(np.float32)


def sure_if(rule, dimensions=2):
    """Return a model that is sure of class 1 where a rule holds of two corners that are bright."""

    def model(inputs):
        axes = tuple(range(1, inputs.ndim))
        first, last = (
            inputs[:, :, *(part,) * dimensions].mean(axis=axes) > 0.6
            for part in (slice(0, 4), slice(-4, None))
        )
        p = np.where(rule(first, last), 0.9, 0.1)
        return np.stack([1 - p, p], axis=1)

    return model


def additive(inputs):
    """Log-odds that are a sum over pixels."""
    weights = np.random.default_rng(1).normal(size=SHAPE) / 20
    p = 1 / (1 + np.exp(-(inputs.astype(np.float64) * weights).sum(axis=(1, 2, 3))))
    return np.stack([1 - p, p], axis=1)


def bits(p):
    return np.log2(p / (1 - p))


# Evidence of each corner alone, and of both together.
RULES = {
    "or": (np.logical_or, 0.0, BITS),
    "and": (np.logical_and, BITS, BITS),
    "xor": (np.logical_xor, -BITS, 0.0),
    "one of them": (lambda first, _: first, None, BITS),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("sampler", ["constant:0", "pool"])
def test_rules_of_two_places_interact_as_they_should(name, sampler, bright):
    rule, alone, both = RULES[name]
    if sampler == "pool":
        sampler = Marginal(np.zeros((4, *SHAPE)))
    found = preddiff.interactions(sure_if(rule), bright, sampler=sampler, **ASKED)
    one, other = (BITS, 0.0) if alone is None else (alone, alone)
    expected = np.diag([one, other, 0.0])
    expected[0, 1] = expected[1, 0] = both - one - other
    np.testing.assert_allclose(found.matrix[0], expected, atol=1e-6)
    np.testing.assert_array_equal(found.error, 0)
    assert found.numbers.tolist() == [3, 7, 9]
    strongest = [(pair.one, pair.other) for pair in found.strongest()]
    assert strongest == ([] if alone is None else [(3, 7)])


@pytest.mark.parametrize("sampler", ["constant:0.2", "blurred:4"])
def test_log_odds_that_add_up_do_not_interact(sampler, bright):
    found = preddiff.interactions(additive, bright, sampler=sampler, **ASKED)
    off = found.matrix[0] - np.diag(np.diag(found.matrix[0]))
    np.testing.assert_allclose(off, 0, atol=1e-6)
    assert np.abs(np.diag(found.matrix[0])).max() > 0.01


def test_a_sum_does_not_interact_by_draws_either(bright, small_network):
    network = small_network[:1].eval()  # one convolution: its mean is a sum over pixels
    found = preddiff.interactions(
        network, bright, LABELS, targets=[0, 3], node="0", sampler=ConditionalGaussian.natural(8),
        samples=20,
    )  # fmt: skip
    assert found.unit == "activation"
    # Draws of regions that are apart are the same, whether the other one is hidden or not.
    np.testing.assert_allclose(found.matrix[:, 0, 1], 0, atol=1e-6)
    np.testing.assert_allclose(found.error[:, 0, 1], 0, atol=1e-6)
    assert (found.error[:, [0, 1], [0, 1]] > 1e-4).all()
    # Neighbours tell of each other: with both hidden, less is known of either.
    assert (np.abs(found.matrix[:, 0, 2]) > 1e-5).all()


def test_the_whole_pool_gives_the_definition_itself(bright, rng):
    pool = rng.random((9, *SHAPE)).astype(np.float32)
    model = Softmax(SHAPE, scale=4)
    found = preddiff.interactions(model, bright, sampler=Marginal(pool), samples=99, **ASKED)

    def evidence(*numbers):
        hidden = np.isin(LABELS, numbers)
        p = model(np.where(hidden, pool, bright))[:, 1].mean()
        return bits(model(bright[None])[0, 1]) - bits(p)

    for i, one in enumerate((3, 7, 9)):
        for j, other in enumerate((3, 7, 9)):
            expected = evidence(one, other)
            expected -= (evidence(one) + evidence(other)) * (i != j)
            assert found.matrix[0, i, j] == pytest.approx(expected, abs=1e-6)
    np.testing.assert_array_equal(found.error, 0)
    assert found.provenance["evaluations"] == 1 + 6 * 9


def test_part_of_a_pool_is_right_within_its_errors(bright, rng):
    pool = rng.random((60, *SHAPE)).astype(np.float32)
    asked = {**ASKED, "sampler": Marginal(pool)}
    model = Softmax(SHAPE, scale=4)
    exact = preddiff.interactions(model, bright, samples=60, **asked)
    off = []
    for seed in range(12):
        found = preddiff.interactions(model, bright, samples=20, seed=seed, **asked)
        off.append((found.matrix - exact.matrix) / found.error)
    assert 0.88 < np.mean(np.abs(off) < 1.96) <= 1
    assert np.abs(np.mean(off)) < 0.5


def test_conditional_draws_agree_with_the_closed_form(rng):
    # A normal over whole inputs of 1×6×6 whose neighbours are alike, and two corners of it.
    y, x = np.mgrid[:6, :6].reshape(2, -1)
    distance = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    cov = 0.04 * np.exp(-distance / 2) + 0.02 * np.eye(36)
    sampler = ConditionalGaussian(np.full(36, 0.5), cov, (1, 6, 6), clip=False)
    inputs = rng.random((1, 6, 6)).astype(np.float32)
    labels = np.zeros((6, 6), dtype=int)
    labels[0, :2] = labels[1, 0] = 1
    labels[4:, 5] = 2
    weights = rng.normal(size=(1, 6, 6))
    found = preddiff.interactions(
        Linear(weights), inputs, labels, targets=1, sampler=sampler, samples=600,
        train_size=math.inf,
    )  # fmt: skip
    nodes, mass = hermegauss(40)

    def evidence(*numbers):
        hidden = np.isin(labels, numbers).ravel()
        gain = cov[np.ix_(hidden, ~hidden)] @ np.linalg.inv(cov[np.ix_(~hidden, ~hidden)])
        mean = 0.5 + gain @ (inputs.ravel()[~hidden] - 0.5)
        v, rest = weights.ravel(), cov[np.ix_(hidden, hidden)] - gain @ cov[np.ix_(~hidden, hidden)]
        z = v[~hidden] @ inputs.ravel()[~hidden] + v[hidden] @ mean
        spread = np.sqrt(v[hidden] @ rest @ v[hidden])
        p = (mass @ (1 / (1 + np.exp(-(z + spread * nodes))))) / mass.sum()
        return (v @ inputs.ravel()) / math.log(2) - bits(p)

    expected = np.diag([evidence(1), evidence(2)])
    expected[0, 1] = expected[1, 0] = evidence(1, 2) - evidence(1) - evidence(2)
    assert (np.abs(found.matrix[0] - expected) < 4.5 * found.error[0]).all()
    # Draws that belong together in all unions make differences much surer than their parts.
    assert found.error[0, 0, 1] < 0.5 * np.hypot(found.error[0, 0, 0], found.error[0, 1, 1])


def test_others_that_are_hidden_at_random(bright):
    asked = {**ASKED, "sampler": "constant:0", "sets": 300}
    found = preddiff.interactions(sure_if(np.logical_or), bright, **asked)
    expected = np.diag([BITS / 2, BITS / 2, 0])
    expected[0, 1] = expected[1, 0] = BITS
    np.testing.assert_allclose(found.matrix[0], expected, atol=0.02)
    found = preddiff.interactions(additive, bright, **asked)
    alone = preddiff.interactions(additive, bright, **{**asked, "sets": None})
    np.testing.assert_allclose(found.matrix, alone.matrix, atol=0.02)
    assert found.provenance["evaluations"] == 301


def test_only_others_at_random_show_what_three_say_together(bright):
    def model(inputs):
        seen = [
            inputs[:, 0, *np.nonzero(number == LABELS)].mean(axis=1) > 0.6 for number in (3, 7, 9)
        ]
        p = np.where(seen[0] | seen[1] | seen[2], 0.9, 0.1)
        return np.stack([1 - p, p], axis=1)

    asked = {**ASKED, "sampler": "constant:0"}
    pair = np.triu_indices(3, 1)
    alone = preddiff.interactions(model, bright, **asked)
    np.testing.assert_allclose(alone.matrix, 0, atol=1e-6)
    found = preddiff.interactions(model, bright, sets=600, **asked)
    off = np.abs(found.matrix[0] - BITS / 2)[pair]
    assert (off < 4 * found.error[0][pair] + 0.02).all()


def test_volumes(rng):
    scan = (0.7 + 0.3 * rng.random((1, 8, 8, 8))).astype(np.float32)
    labels = np.zeros((8, 8, 8), dtype=int)
    labels[:4, :4, :4], labels[-4:, -4:, -4:] = 1, 2
    found = preddiff.interactions(
        sure_if(np.logical_or, 3), scan, labels, targets=1, sampler="constant:0",
        train_size=math.inf,
    )  # fmt: skip
    np.testing.assert_allclose(found.matrix[0], [[0, BITS], [BITS, 0]], atol=1e-6)
    preddiff.figure(found)


def test_an_atlas_lies_on_the_scans_grid(rng, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    affine = np.diag([2.0, 2, 2, 1])
    scan = rng.random((4, 5, 6)).astype(np.float32)
    atlas = np.zeros((4, 5, 6), dtype=np.int16)
    atlas[:2], atlas[2:, :, 3:] = 40, 11
    for name, values in (("scan", scan), ("atlas", atlas)):
        nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / f"{name}.nii")
    nibabel.save(nibabel.Nifti1Image(atlas, 2 * affine), tmp_path / "far.nii")
    model = Linear(rng.normal(size=(1, 6, 5, 4)))
    asked = {"targets": 1, "sampler": "constant:0"}
    found = preddiff.interactions(model, tmp_path / "scan.nii", tmp_path / "atlas.nii", **asked)
    assert found.numbers.tolist() == [11, 40]
    np.testing.assert_array_equal(found.regions, atlas.T)
    assert found.grid.axis_codes == ("R", "A", "S")
    preddiff.figure(found)
    with pytest.raises(InputError, match=r"far\.nii: labels of .*: expected the scan's"):
        preddiff.interactions(model, tmp_path / "scan.nii", tmp_path / "far.nii", **asked)


@pytest.mark.parametrize(
    ("regions", "error", "message"),
    [
        (1, SettingError, "regions: there is one: expected two or more"),
        (0, SettingError, "regions=0: expected a number of superpixels of at least 1"),
        ((13, 1), SettingError, "regions=13×1: expected 1 to 12×12 boxes"),
        ((2, 2, 2), SettingError, "regions=2×2×2: boxes along 3 axes, the input has 2"),
        (np.zeros((12, 12)), SettingError, "regions: all labels are 0"),
        (np.full((12, 12), 0.5), InputError, "labels: values from 0.5 to 0.5: expected whole"),
        (-LABELS, InputError, "labels: values from -9 to 0: expected whole numbers from 0"),
        (LABELS[1:], InputError, r"labels of shape \(11, 12\): expected that of the input"),
        (np.arange(144 * 9).reshape(36, 36), InputError, "1,296 labels: expected at most 1,000"),
        ("none.png", InputError, r"none\.png: no such file"),
    ],
)  # fmt: skip
def test_regions_that_are_none_are_refused(regions, error, message, bright):
    with pytest.raises(error, match=message):
        preddiff.interactions(additive, bright, regions, sampler="constant:0")


def test_too_few_sets_are_refused(bright):
    with pytest.raises(SettingError, match=r"window=\(2, 4\): .* blocks of one size"):
        preddiff.interactions(additive, bright, LABELS, window=(2, 4))
    with pytest.raises(SettingError, match="sets=10: expected at least 30"):
        preddiff.interactions(additive, bright, LABELS, sampler="constant:0", sets=10)


def test_boxes(bright):
    found = preddiff.interactions(additive, bright, "2x3", sampler="constant:0.5")
    assert found.numbers.tolist() == [1, 2, 3, 4, 5, 6]
    assert (found.regions[:6, 8:] == 3).all()
    assert (found.regions == 3).sum() == 24


def test_a_mask_ends_regions(bright):
    mask = np.zeros((12, 12), dtype=bool)
    mask[2:, 2:] = True
    found = preddiff.interactions(additive, bright, mask=mask, sampler="constant:0.5", **ASKED)
    np.testing.assert_array_equal(found.regions, np.where(mask, LABELS, 0))


def test_the_same_call_gives_the_same_numbers_and_files_hold_them(bright, tmp_path):
    asked = {**ASKED, "sampler": "conditional", "window": 4, "samples": 4, "targets": "all"}
    one, two = (preddiff.interactions(Softmax(SHAPE), bright, **asked) for _ in range(2))
    np.testing.assert_array_equal(one.matrix, two.matrix)
    assert np.isfinite(one.error).all()
    one.save(tmp_path / "a.npz")
    again = Interactions.load(tmp_path / "a.npz")
    for name in ("matrix", "error", "numbers", "regions", "picture", "prediction"):
        np.testing.assert_array_equal(getattr(again, name), getattr(one, name))
    assert again.labels == one.labels
    assert again.strongest(2) == one.strongest(2)
    assert again.provenance["sampler"] == "conditional"
    assert len(preddiff.figure(again).axes) == 7


def test_one_draw_has_no_error_and_says_so(bright):
    found = preddiff.interactions(
        Softmax(SHAPE), bright, sampler="conditional", window=4, samples=1, **ASKED
    )
    assert np.isnan(found.error).all()
    assert "errors unknown (one draw)" in preddiff.figure(found).get_supxlabel()
