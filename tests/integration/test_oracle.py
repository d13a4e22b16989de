"""The product equals Algorithm 1, written literally, for every sampler and in 2-D and 3-D."""

import math

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from oracle import algorithm_1
from preddiff.method.evidence import IMAGENET_TRAIN_SIZE
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian, Constant, Marginal

SHAPES = [(1, 7, 9), (3, 8, 8), (3, 11, 6), (1, 5, 6, 7), (2, 6, 5, 5)]
LAPLACE = [(math.inf, math.inf), (500, 500), (None, IMAGENET_TRAIN_SIZE)]


@pytest.fixture(params=SHAPES, ids=str)
def picture(request, rng):
    return rng.random(request.param).astype(np.float32)


def compare(picture, sampler, draw, *, window, stride, train_size=(math.inf, math.inf), **settings):
    model = Softmax(picture.shape, scale=3)
    asked, meant = train_size
    e = preddiff.explain(
        model,
        picture,
        targets=[2, 0],
        sampler=sampler,
        window=window,
        stride=stride,
        train_size=asked,
        **settings,
    )
    for row, c in enumerate([2, 0]):
        expected, per_window = algorithm_1(
            lambda x: model(x[None])[0],
            picture,
            window,
            draw,
            c,
            stride=stride,
            train_size=meant,
            classes=3,
        )
        np.testing.assert_allclose(e.relevance.values[row], expected, atol=1e-6)
        np.testing.assert_allclose(e.evidence.values[row], per_window, atol=1e-6)
    return e


@pytest.mark.parametrize("train_size", LAPLACE, ids=str)
@pytest.mark.parametrize(("window", "stride"), [(1, 1), (2, 3), (4, 1), (5, 2)])
def test_constant(picture, window, stride, train_size):
    filled = np.full((1, len(picture), *(window,) * (picture.ndim - 1)), 0.25, dtype=np.float32)
    compare(
        picture,
        Constant(0.25),
        lambda _: filled,
        window=window,
        stride=stride,
        train_size=train_size,
    )


@pytest.mark.parametrize("train_size", LAPLACE, ids=str)
@pytest.mark.parametrize(("window", "stride"), [(1, 2), (3, 1), (5, 3)])
def test_marginal_over_the_whole_pool(picture, rng, window, stride, train_size):
    pool = rng.random((4, *picture.shape)).astype(np.float32)

    def draw(corner):
        return pool[(slice(None), slice(None), *(slice(i, i + window) for i in corner))]

    e = compare(
        picture,
        Marginal(pool),
        draw,
        window=window,
        stride=stride,
        train_size=train_size,
        samples=4,
    )
    assert np.nanmax(e.standard_error) == 0  # all members were taken: exact


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (2, 2), (3, 1)])
def test_conditional_given_the_same_draws(picture, rng, window, stride):
    shape = (len(picture), *(window + 2,) * (picture.ndim - 1))
    root = rng.normal(size=(int(np.prod(shape)),) * 2)
    covariance = root @ root.T / len(root) / 20
    sampler = ConditionalGaussian(np.full(len(root), 0.5), covariance, shape=shape, clip=False)

    def draw(corner):
        spatial = picture.shape[1:]
        one = Windows(spatial, (window,) * len(spatial), np.array([corner]))
        return sampler.draw(picture, one, samples=3, seed=7, valid=None)[0]

    compare(picture, sampler, draw, window=window, stride=stride, margin=1, samples=3, seed=7)


def test_every_class_is_the_top_one_somewhere(picture):
    model = Softmax(picture.shape)
    e = preddiff.explain(model, picture, targets="top3", sampler="constant:0", window=2)
    order = np.argsort(-model(picture[None])[0])
    assert e.relevance.target.values.tolist() == order.tolist()
    np.testing.assert_allclose(e.prediction, np.sort(model(picture[None])[0])[::-1])
