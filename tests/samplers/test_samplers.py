import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preddiff.errors import SamplerError
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian, Constant, Marginal
from preddiff.samplers.gaussian import natural, shrinkage
from preddiff.samplers.load import load_sampler


def random_normal(rng, shape, clip=False):
    size = int(np.prod(shape))
    root = rng.normal(size=(size, size))
    mean = rng.normal(size=size)
    return ConditionalGaussian(mean, root @ root.T / size + 0.1 * np.eye(size), shape, clip=clip)


def direct(sampler, inputs, start, size):
    """Conditional mean and covariance by the textbook, with numpy's inverse."""
    lengths = sampler.shape[1:]
    corner = [
        min(max(s - (n - k) // 2, 0), total - n)
        for s, n, k, total in zip(start, lengths, size, inputs.shape[1:], strict=True)
    ]
    held = np.zeros(sampler.shape, dtype=bool)
    held[
        (
            slice(None),
            *(slice(s - c, s - c + k) for s, c, k in zip(start, corner, size, strict=True)),
        )
    ] = True
    w = held.reshape(-1)
    patch = inputs[(slice(None), *(slice(c, c + n) for c, n in zip(corner, lengths, strict=True)))]
    x = patch.reshape(-1).astype(np.float64)
    mean, cov = sampler.mean, sampler.covariance
    gain = cov[w][:, ~w] @ np.linalg.inv(cov[~w][:, ~w])
    return mean[w] + gain @ (x[~w] - mean[~w]), cov[w][:, w] - gain @ cov[~w][:, w]


PLACES_2D = [(5, 5), (0, 5), (9, 5), (5, 0), (5, 9), (0, 0), (0, 9), (9, 0), (9, 9), (1, 8)]
PLACES_3D = [(3, 3, 3), (0, 3, 3), (3, 0, 3), (3, 3, 5), (0, 0, 0), (5, 5, 5), (5, 0, 1)]


@pytest.mark.parametrize(
    ("shape", "patch", "size", "places"),
    [
        ((3, 12, 12), (3, 7, 7), (3, 3), PLACES_2D),
        ((1, 10, 10), (1, 5, 5), (1, 1), PLACES_2D),
        ((1, 12, 12), (1, 6, 6), (3, 3), PLACES_2D),  # l - k odd: one pixel more after than before
        ((1, 8, 8, 8), (1, 5, 5, 5), (3, 3, 3), PLACES_3D),
    ],
)
def test_conditional_moments_equal_the_textbook_everywhere(rng, shape, patch, size, places):
    sampler = random_normal(rng, patch)
    inputs = rng.normal(size=shape).astype(np.float32)
    windows = Windows(shape[1:], size, np.array(places))
    mean, covariance = sampler.moments(inputs, windows)
    for n, place in enumerate(places):
        expected_mean, expected_covariance = direct(sampler, inputs, place, size)
        np.testing.assert_allclose(mean[n], expected_mean, atol=1e-8)
        np.testing.assert_allclose(covariance[n], expected_covariance, atol=1e-8)


@pytest.mark.parametrize("place", [(4, 4), (0, 0), (0, 5)])
def test_draws_have_the_conditional_mean_and_covariance(rng, place):
    sampler = random_normal(rng, (2, 5, 5))
    inputs = rng.normal(size=(2, 8, 8)).astype(np.float32)
    windows = Windows((8, 8), (3, 3), np.array([place]))
    draws = sampler.draw(inputs, windows, samples=40_000, seed=3, valid=None)
    flat = draws[0].reshape(len(draws[0]), -1).astype(np.float64)
    mean, covariance = direct(sampler, inputs, place, (3, 3))
    error = np.sqrt(np.diag(covariance) / len(flat))
    assert np.all(np.abs(flat.mean(axis=0) - mean) < 5 * error)
    deviation = np.sqrt(np.diag(covariance))
    scale = np.outer(deviation, deviation)
    assert np.all(np.abs(np.cov(flat.T) - covariance) < 5 * 1.5 * scale / np.sqrt(len(flat)))


def test_draws_are_clipped_unless_asked_otherwise(rng):
    inputs = rng.random((1, 9, 9)).astype(np.float32)
    windows = Windows.over((9, 9), 3)
    wild = random_normal(rng, (1, 5, 5), clip=True)
    clipped = wild.draw(inputs, windows, samples=4, seed=0, valid=(0.0, 1.0))
    assert clipped.min() == 0
    assert clipped.max() == 1
    free = ConditionalGaussian(wild.mean, wild.covariance, wild.shape, clip=False)
    draws = free.draw(inputs, windows, samples=4, seed=0, valid=(0.0, 1.0))
    assert draws.max() > 1
    np.testing.assert_array_equal(np.clip(draws, 0, 1), clipped)


def everything(rng):
    pool = rng.random((20, 3, 16, 16)).astype(np.float32)
    return [ConditionalGaussian.natural(7), Marginal(pool), Constant([0.1, 0.2, 0.3])]


@pytest.mark.parametrize("kind", range(3))
def test_a_draw_depends_on_seed_place_and_number_alone(rng, kind):
    sampler = everything(rng)[kind]
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    windows = Windows.over((16, 16), 3)
    every = sampler.draw(inputs, windows, samples=5, seed=1, valid=(0, 1))
    which = rng.permutation(len(windows))[:17]
    some = sampler.draw(inputs, windows.subset(which), samples=5, seed=1, valid=(0, 1))
    np.testing.assert_allclose(some, every[which], rtol=0, atol=1e-7)
    fewer = sampler.draw(inputs, windows, samples=2, seed=1, valid=(0, 1))
    np.testing.assert_allclose(fewer, every[:, :2], rtol=0, atol=1e-7)
    other = sampler.draw(inputs, windows, samples=5, seed=2, valid=(0, 1))
    assert np.array_equal(other, every) == isinstance(sampler, Constant)


def test_marginal_draws_stand_at_the_same_place_and_are_all_different(rng):
    pool = rng.random((6, 1, 8, 8)).astype(np.float32)
    windows = Windows.over((8, 8), 3)
    draws = Marginal(pool).draw(pool[0], windows, samples=6, seed=0, valid=None)
    for start, several in zip(windows.starts, draws, strict=True):
        y, x = start
        expected = pool[:, :, y : y + 3, x : x + 3]
        order = np.argsort(several[:, 0, 0, 0])
        np.testing.assert_array_equal(several[order], expected[np.argsort(expected[:, 0, 0, 0])])


@pytest.mark.parametrize("channels", ["joint", "independent"])
@pytest.mark.parametrize("patch", [1, 5, 14, 24, 32])
def test_the_embedded_normal_serves_every_patch(patch, channels):
    sampler = ConditionalGaussian.natural(patch, channels)
    assert np.linalg.eigvalsh(sampler.covariance)[0] > 0
    blocks = sampler.covariance.reshape(3, patch**2, 3, patch**2)
    assert np.any(blocks[0, :, 1] != 0) == (channels == "joint")
    assert 0.15 < np.sqrt(sampler.covariance[0, 0]) < 0.4  # a channel's spread, in [0, 1]


def test_the_embedded_normal_is_stationary_and_serves_luminance():
    covariance = ConditionalGaussian.natural(6, colours=1).covariance.reshape(6, 6, 6, 6)
    assert covariance[0, 0, 2, 3] == pytest.approx(covariance[2, 1, 4, 4])
    assert covariance[1, 1, 1, 1] == pytest.approx(covariance[5, 0, 5, 0])


def test_the_central_part_has_the_moments_of_that_part(rng):
    sampler = random_normal(rng, (2, 7, 7))
    part = sampler.central(5)
    places = np.arange(98).reshape(2, 7, 7)[:, 1:6, 1:6].reshape(-1)
    np.testing.assert_array_equal(part.mean, sampler.mean[places])
    np.testing.assert_array_equal(part.covariance, sampler.covariance[np.ix_(places, places)])
    with pytest.raises(SamplerError, match="needs patches of 9, the sampler was fitted on .* 7×7"):
        sampler.central(9)


def test_the_embedded_covariance_is_that_of_the_autocovariance():
    _, autocovariance = natural._read()
    covariance = ConditionalGaussian.natural(4).covariance.reshape(3, 4, 4, 3, 4, 4)
    centre = autocovariance.shape[-1] // 2
    assert covariance[0, 0, 1, 2, 3, 0] == pytest.approx(
        autocovariance[0, 2, centre + 3, centre - 1]
    )
    assert covariance[1, 2, 0, 0, 0, 3] == pytest.approx(
        autocovariance[1, 0, centre - 2, centre + 3]
    )


def test_fit_finds_the_moments_of_what_it_is_given(rng):
    """Independent pixels of channel-wise correlated noise: mean and covariance are known."""
    mixing = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.2, 0.9]])
    pictures = [
        0.5 + np.einsum("ab,byx->ayx", mixing, rng.normal(size=(3, 40, 40))) for _ in range(60)
    ]
    sampler = ConditionalGaussian.fit(pictures, patch=3)
    expected = np.kron(mixing @ mixing.T, np.eye(9))
    np.testing.assert_allclose(sampler.mean, 0.5, atol=0.05)
    np.testing.assert_allclose(sampler.covariance, expected, atol=0.06)
    independent = ConditionalGaussian.fit(pictures, patch=3, channels="independent")
    assert np.all(independent.covariance.reshape(3, 9, 3, 9)[0, :, 2] == 0)


@pytest.mark.parametrize("value", [0.0, 1.0, 1000.1, -3e4])
def test_fit_is_usable_even_on_inputs_without_variation(value):
    sampler = ConditionalGaussian.fit([np.full((1, 20, 20), value)] * 2, patch=4)
    assert np.linalg.eigvalsh(sampler.covariance)[0] > 0


def test_fit_works_in_three_dimensions(rng):
    sampler = ConditionalGaussian.fit(rng.normal(size=(3, 1, 12, 12, 12)), patch=3)
    assert sampler.shape == (1, 3, 3, 3)


@given(st.integers(2, 30), st.integers(2, 400))
def test_shrinkage_is_a_share_and_leaves_a_positive_definite_matrix(size, patches):
    rows = np.random.default_rng(size * patches).normal(size=(patches, size))
    shrunk, share = shrinkage.shrink(np.cov(rows.T), patches)
    assert 0 <= share <= 1
    assert np.linalg.eigvalsh(shrunk)[0] > 0


@pytest.mark.parametrize(
    ("inputs", "patch", "message"),
    [
        ([], 3, "0 inputs with 0 patches are too few"),
        (
            [np.zeros((1, 30, 30))],
            3,
            "1 inputs with 784 patches are too few: expected at least 2 inputs",
        ),
        (
            [np.zeros((3, 14, 14))] * 3,
            14,
            "3 inputs with 3 patches .* at least 2 inputs and 588 patches",
        ),
        ([np.zeros((1, 5, 5))], 6, "at least 6 in each direction"),
        ([np.zeros((1, 9, 9)), np.zeros((3, 9, 9))], 3, "as the ones before it"),
        ([np.full((1, 9, 9), np.nan)], 3, "NaN or infinite"),
        ([np.zeros((1, 9, 9))], 0, "patch=0"),
    ],
)
def test_fit_refuses_what_it_cannot_use(inputs, patch, message):
    with pytest.raises(SamplerError, match=message):
        ConditionalGaussian.fit(inputs, patch=patch)


@pytest.mark.parametrize(
    ("mean", "covariance", "shape", "message"),
    [
        (np.zeros(4), np.eye(3), (1, 2, 2), r"expected \(4,\) and \(4, 4\)"),
        (np.zeros(4), np.eye(4) * np.nan, (1, 2, 2), "NaN or infinite"),
        (np.zeros(4), np.triu(np.ones((4, 4))), (1, 2, 2), "not symmetric"),
        (np.zeros(4), -np.eye(4), (1, 2, 2), "negative eigenvalues"),
    ],
)
def test_a_normal_that_is_none_is_refused(mean, covariance, shape, message):
    with pytest.raises(SamplerError, match=message):
        ConditionalGaussian(mean, covariance, shape)


def test_a_singular_covariance_is_usable(rng):
    """Pixels that are copies of each other: the window is known exactly from the rest."""
    sampler = ConditionalGaussian(np.zeros(9), np.ones((9, 9)), (1, 3, 3), clip=False)
    inputs = np.full((1, 5, 5), 0.7, dtype=np.float32)
    draws = sampler.draw(inputs, Windows.over((5, 5), 1), samples=2, seed=0, valid=None)
    np.testing.assert_allclose(draws, 0.7, atol=1e-6)


@pytest.mark.parametrize("kind", range(2))
def test_windows_have_draws_of_their_own(rng, kind):
    """Beside each other too: else the errors of a pixel's windows would not be independent."""
    sampler = everything(rng)[kind]
    flat = np.full((3, 16, 16), 0.5, dtype=np.float32)
    windows = Windows((16, 16), (3, 3), np.array([[6, 6], [6, 7], [7, 6]]))
    first, right, below = sampler.draw(flat, windows, samples=5, seed=0, valid=(0, 1))
    assert not np.allclose(first, right, atol=1e-3)
    assert not np.allclose(first, below, atol=1e-3)


@pytest.mark.parametrize("kind", range(3))
def test_saved_and_loaded_it_draws_the_same(tmp_path, rng, kind):
    sampler = everything(rng)[kind]
    sampler.save(tmp_path / "sampler.npz")
    loaded = type(sampler).load(tmp_path / "sampler.npz")
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    windows = Windows.over((16, 16), 3, stride=5)
    for one in (sampler, loaded):
        one.check(inputs, windows, (0.0, 1.0))
    settings = {"samples": 2, "seed": 0, "valid": (0.0, 1.0)}
    np.testing.assert_array_equal(
        sampler.draw(inputs, windows, **settings), loaded.draw(inputs, windows, **settings)
    )
    assert loaded.sha256 == sampler.sha256


def test_files_that_are_no_samplers_are_refused(tmp_path):
    with pytest.raises(SamplerError, match="no such sampler file"):
        ConditionalGaussian.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    Constant(1).save(tmp_path / "cut.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:-30])
    with pytest.raises(SamplerError, match="not a sampler file"):
        ConditionalGaussian.load(tmp_path / "cut.npz")
    with pytest.raises(SamplerError, match="not a sampler file"):
        ConditionalGaussian.load(tmp_path / "text.npz")
    np.savez(tmp_path / "evil.npz", kind=np.array([print], dtype=object))
    with pytest.raises(SamplerError, match="not a sampler file"):
        ConditionalGaussian.load(tmp_path / "evil.npz")
    Constant(1).save(tmp_path / "constant.npz")
    with pytest.raises(SamplerError, match="holds a constant sampler, expected a conditional one"):
        ConditionalGaussian.load(tmp_path / "constant.npz")


def spec(text, shape=(3, 20, 20), window=4, margin=2, mean=None):
    return load_sampler(text, shape=shape, window=window, margin=margin, prepare=None, mean=mean)


def test_specs():
    assert spec("conditional").shape == (3, 8, 8)
    assert spec("conditional", shape=(1, 20, 20)).shape == (1, 8, 8)
    assert spec("constant:0.5").value == 0.5
    assert spec("constant:mean", mean=np.array([0.1, 0.2, 0.3])).value.tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": "conditonal"}, "unknown sampler 'conditonal': expected .*nearest: conditional"),
        ({"text": "constant:grey"}, "constant:grey: expected a number, or mean"),
        ({"text": "constant:mean"}, "does not say the mean"),
        ({"text": "marginal:/nowhere"}, "/nowhere: no such folder"),
        ({"text": "conditional", "shape": (4, 20, 20)}, "has 4 channels"),
        ({"text": "conditional", "shape": (1, 20, 20, 20)}, "has 3 spatial dimensions"),
        ({"text": "conditional", "window": 40}, "= 44: the embedded sampler serves"),
        ({"text": "conditional", "margin": 0}, "margin=0 leaves no room"),
        ({"text": "conditional:/nowhere.npz"}, "/nowhere.npz: no such sampler file"),
    ],
)
def test_specs_that_cannot_be(arguments, message):
    with pytest.raises(Exception, match=message) as caught:
        spec(**arguments)
    assert "\n" not in str(caught.value)


def test_a_marginal_pool_comes_from_a_folder(tmp_path):
    for shade in (0, 128, 255):
        Image.new("RGB", (6, 6), (shade,) * 3).save(tmp_path / f"{shade}.png")
    from preddiff.media.images import to_array

    sampler = load_sampler(
        f"marginal:{tmp_path}", shape=(3, 6, 6), window=2, margin=2, prepare=to_array, mean=None
    )
    assert sampler.population == 3
    assert sorted(sampler.pool[:, 0, 0, 0].tolist()) == pytest.approx([0, 128 / 255, 1])


def test_natural_statistics_refuse_more_than_they_know():
    with pytest.raises(SamplerError, match="serves patches of 1 to 32"):
        natural.patch_statistics(33, "joint", 3)
    with pytest.raises(SamplerError, match="channels='both': expected joint or independent"):
        ConditionalGaussian.natural(8, "both")
