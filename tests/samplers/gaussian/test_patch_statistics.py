import numpy as np
import pytest

from preddiff.errors import SamplerError
from preddiff.samplers import ConditionalGaussian
from samplers.cohort import PATCH, SHAPE


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
