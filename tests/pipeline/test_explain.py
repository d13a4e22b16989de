"""The front door: settings, masks, provenance, bad input."""

import math

import numpy as np
import pytest
from PIL import Image

import preddiff
from conftest import Softmax
from preddiff.errors import InputError, ModelError, PreddiffError, SettingError, TargetError
from preddiff.method.windows import Windows
from preddiff.results.explanation import percent
from preddiff.samplers import ConditionalGaussian, Constant, Marginal


@pytest.fixture
def picture(rng):
    return rng.random((3, 20, 18)).astype(np.float32)


@pytest.fixture
def model(picture):
    return Softmax(picture.shape)


def test_an_explanation_is_labelled(model, picture):
    e = preddiff.explain(model, picture, targets=[2, 0], window=5, stride=2, samples=3)
    assert e.relevance.dims == ("target", "y", "x")
    assert e.standard_error.dims == ("target", "y", "x")
    assert e.coverage.dims == ("y", "x")
    assert e.prediction.dims == ("target",)
    assert e.evidence.dims == ("target", "window")
    assert e.evidence.y.values[:9].tolist() == [0] * 8 + [2]
    assert e.evidence.x.values[:9].tolist() == [0, 2, 4, 6, 8, 10, 12, 13, 0]
    assert e.relevance.target.values.tolist() == [2, 0]
    assert e.labels == ("class 2", "class 0")
    assert e.unit == "bits"
    assert "72 windows × 3 draws" in repr(e)


def test_volumes_have_three_dimensions(rng):
    volume = rng.normal(size=(1, 6, 7, 8))
    e = preddiff.explain(Softmax(volume.shape), volume, sampler="constant:0", window=3)
    assert e.relevance.dims == ("target", "z", "y", "x")
    assert e.relevance.shape == (1, 6, 7, 8)


def test_the_papers_settings(rng):
    picture = rng.random((3, 24, 24))
    e = preddiff.explain(Softmax(picture.shape), picture, settings=preddiff.PAPER)
    facts = e.provenance
    settings = [facts[name] for name in ("window", "margin", "samples", "stride", "sampler")]
    assert settings == [10, 2, 10, 1, "conditional"]
    assert facts["measure"] == "weight_of_evidence"
    assert facts["train_size"] == 1_281_167
    assert facts["classes"] == 3


def test_provenance_says_what_was_done(model, picture):
    e = preddiff.explain(model, picture, window=6, stride=3, samples=4, seed=5)
    facts = e.provenance
    assert facts["evaluations"] == 1 + e.data.sizes["window"] * 4
    assert facts["engine"] == "dense"
    assert len(facts["sampler_sha256"]) == 64
    assert facts["seconds"] > 0
    assert facts["preddiff_version"] == preddiff.__version__
    assert all(facts[name] for name in ("machine", "date", "libraries"))


def test_a_sampler_object_brings_its_own_patch(model, picture):
    sampler = ConditionalGaussian.natural(8)
    own = preddiff.explain(model, picture, window=5, stride=5, sampler=sampler, margin=9)
    expected = sampler.draw(picture, Windows.over((20, 18), 5, 5), 10, 0, (0.0, 1.0))
    p = model(np.stack([replaced(picture, 0, 0, draw) for draw in expected[0]])).mean(axis=0)
    e = own.evidence.sel(window=0).values
    c = int(own.relevance.target[0])
    before = model(picture[None])[0, c]
    assert e[0] == pytest.approx(
        np.log2(before / (1 - before)) - np.log2(p[c] / (1 - p[c])), abs=1e-4
    )


def replaced(picture, y, x, draw):
    copy = picture.copy()
    copy[:, y : y + draw.shape[1], x : x + draw.shape[2]] = draw
    return copy


@pytest.mark.parametrize(
    ("symbol", "name"), [("WE", "weight_of_evidence"), ("AD", "activation_difference")]
)
def test_measures_go_by_the_papers_symbols_too(model, picture, symbol, name):
    e = preddiff.explain(model, picture, window=9, stride=9, measure=symbol)
    assert e.provenance["measure"] == name


def test_a_small_picture_is_refused_unless_the_model_enlarges_it(embedded):
    with pytest.raises(InputError, match="the picture has 6×9 pixels, less than a window of 10"):
        preddiff.explain(lambda x: x[:, :2, 0, 0], Image.new("RGB", (6, 9)), window=10)
    settings = {"window": 112, "stride": 112, "samples": 1, "sampler": "constant:0"}
    assert len(preddiff.explain(embedded, Image.new("RGB", (6, 9)), **settings).evidence[0]) == 4


def test_a_mask_limits_the_windows(model, picture):
    mask = np.zeros((20, 18), dtype=bool)
    mask[4, 7] = True
    every = preddiff.explain(model, picture, window=4)
    some = preddiff.explain(model, picture, window=4, mask=mask)
    assert some.data.sizes["window"] == 16
    covered = some.coverage.values > 0
    assert covered[1:8, 4:11].all()
    assert covered.sum() == 49
    assert np.isnan(some.relevance.values[0][~covered]).all()
    assert some.relevance.values[0, 4, 7] == pytest.approx(every.relevance.values[0, 4, 7])


def test_a_pool_that_is_used_up_is_exact_and_costs_no_more(model, picture, rng):
    pool = rng.random((4, *picture.shape))
    e = preddiff.explain(model, picture, sampler=Marginal(pool), window=6, stride=3, samples=10)
    assert e.provenance["samples"] == 4
    assert np.nanmax(e.standard_error) == 0
    other = preddiff.explain(model, picture, sampler=Marginal(pool), window=6, stride=3, seed=9)
    np.testing.assert_allclose(other.evidence, e.evidence, atol=1e-9)


def test_one_draw_has_no_standard_error(model, picture):
    e = preddiff.explain(model, picture, window=6, stride=3, samples=1)
    assert np.isnan(e.standard_error).all()
    assert np.isfinite(e.evidence).all()


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_certain_predictions_have_finite_evidence(picture, certain):
    def sure(inputs):
        p = np.where(inputs[:, 0, 0, 0] == picture[0, 0, 0], certain, 1 - certain)
        return np.stack([p, 1 - p], axis=1)

    for train_size in (None, math.inf, 10):
        e = preddiff.explain(
            sure,
            picture,
            0,
            sampler=Constant(2, clip=False),
            window=4,
            stride=4,
            train_size=train_size,
        )
        assert np.isfinite(e.evidence).all()
        assert np.sign(e.evidence.values[0, 0]) == (1 if certain else -1)


def test_pictures_from_files_are_turned_upright_and_prepared(tmp_path, embedded):
    picture = Image.new("RGB", (400, 300), "grey")
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its left side
    picture.save(tmp_path / "turned.jpg", exif=exif)
    from preddiff.media.images import read, upright

    assert upright(read(tmp_path / "turned.jpg")).size == (300, 400)
    assert embedded.prepare(read(tmp_path / "turned.jpg")).shape == (3, 224, 224)


def test_nobody_resizes_an_array(embedded):
    with pytest.raises(InputError, match=r"shape \(3, 200, 200\): embedded sees \(3, 224, 224\)"):
        preddiff.explain(embedded, np.zeros((3, 200, 200)))


def test_sensitivity_comes_with_networks(rng, small_network):
    e = preddiff.explain(small_network, rng.random((3, 16, 16)), targets="top2", window=8, stride=8)
    assert e.sensitivity.dims == ("target", "y", "x")
    assert (e.sensitivity.values >= 0).all()
    model = preddiff.load_model(small_network)
    expected = np.abs(model.gradient(e.picture.values, e.relevance.target.values)).max(axis=1)
    np.testing.assert_allclose(e.sensitivity, expected)


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.9999642, "0.999964"), (0.9995, "0.9995"), (1.0, "1"), (0.5, "0.5"), (1.5e-5, "1.5e-05")],
)
def test_probabilities_near_one_keep_the_digits_that_matter(picture, p, text):
    e = preddiff.explain(
        lambda x: np.full((len(x), 2), p), picture, 0, sampler="constant:0", window=9, stride=9
    )
    assert e.values == (text,)


def test_progress_is_reported(model, picture):
    told = []
    preddiff.explain(
        model, picture, window=10, samples=2, progress=lambda done, of: told.append((done, of))
    )
    assert told[-1] == (99, 99)


def test_progress_on_a_terminal_says_what_it_will_cost(model, picture, capsys):
    preddiff.explain(model, picture, window=10, samples=2, progress=True)
    assert "99 windows × 2 draws = 198 draws (dense engine), about" in capsys.readouterr().err


OUTSIDE = np.full((3, 20, 18), 7.0)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"window": 0}, SettingError, "window=0: expected a whole number of at least 1"),
        ({"window": -3}, SettingError, "window=-3"),
        ({"window": 21}, SettingError, "window 21×21 does not fit into an input of 20×18"),
        ({"window": 16}, PreddiffError, "a patch of 20 .* has no room in an input of 20×18"),
        ({"window": (5, 5)}, SettingError, r"window=\(5, 5\): expected lengths of windows"),
        ({"seed": 2**64}, SettingError, "seed=18446744073709551616"),
        ({"margin": 0}, SettingError, "margin=0 leaves no room"),
        ({"stride": 0}, SettingError, "stride=0"),
        ({"samples": 0}, SettingError, "samples=0: expected a whole number of at least 1"),
        ({"seed": -1}, SettingError, "seed=-1: expected a whole number of at least 0"),
        (
            {"engine": "warp"},
            SettingError,
            "engine='warp': expected one of auto, incremental, dense, linear",
        ),
        ({"precision": "int8"}, SettingError, "precision='int8'"),
        (
            {"tolerance": 0.0},
            SettingError,
            "tolerance=0.0: expected a relative error above 0 and below 1",
        ),
        ({"tolerance": "0.3"}, SettingError, "tolerance='0.3': expected a relative error"),
        ({"tolerance": 0.1, "samples": 7}, SettingError, "samples=7: .* expected an even number"),
        ({"tolerance": 0.1, "samples": 2}, SettingError, "samples=2: .* of at least 4"),
        ({"memory": 0}, SettingError, "memory=0: expected a number of bytes"),
        ({"device": "abacus"}, SettingError, "device='abacus'"),
        ({"source": "x"}, TargetError, "source 'x': .* has no nodes; only networks have"),
        ({"window": "unit"}, SettingError, "window='unit': is of a hidden node"),
        ({"window": "row", "source": "x"}, SettingError, "window='row': expected a whole number"),
        ({"targets": "1:2,3"}, TargetError, "target '1:2,3' is a unit .* say which with node="),
        (
            {"measure": "KL"},
            SettingError,
            "measure='KL': expected one of WE, AD, DP, ID, auto, weight",
        ),
        ({"train_size": 0}, SettingError, "train_size=0: expected more than 0"),
        ({"node": "fc"}, ModelError, "has no nodes; only networks have"),
        ({"mask": np.ones((3, 3))}, InputError, r"mask of shape \(3, 3\): expected that of"),
        ({"mask": np.zeros((20, 18))}, InputError, "no window touches the mask"),
        ({"targets": 3}, ModelError, "target 3: expected 0 to 2"),
        ({"sampler": "gaussian"}, PreddiffError, "unknown sampler 'gaussian'"),
    ],
)
def test_settings_that_cannot_be(model, picture, settings, error, message):
    with pytest.raises(error, match=message) as caught:
        preddiff.explain(model, picture, **{"window": 5, **settings})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("measure", ["WE", "ID", "DP", "weight_of_evidence"])
def test_values_that_happen_to_lie_between_0_and_1_have_no_odds(picture, measure):
    values = preddiff.load_model(lambda x: 0.5 + 0 * x[:, 0, 0, :1], output="values")
    with pytest.raises(SettingError, match=f"measure='{measure}': .* gives values, which have no"):
        preddiff.explain(values, picture, window=5, measure=measure)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((3, 20, 18), np.nan), "1080 of 1080 input values are NaN or infinite"),
        (np.zeros((20, 18, 3), dtype=np.uint8), "array of uint8 and shape .*PIL.Image.fromarray"),
        (np.zeros(20), r"shape \(20,\): expected \(channel, y, x\)"),
        (np.zeros((20, 18)), r"a grey picture \(y, x\) is array\[None\]"),
        (np.zeros((20, 18, 3)), r"looks like \(y, x, channel\): .*array.transpose\(2, 0, 1\)"),
        (np.zeros((1, 3, 20, 18)), r"if it is a batch of one picture, pass array\[0\]"),
        (np.array(["a"]), "array of <U1"),
        (OUTSIDE, r"values from 7 to 7, but draws are clipped to \[0, 1\]: rescale the input"),
        ("no/such/file.png", "no/such/file.png: no such file"),
    ],
)
def test_inputs_that_cannot_be(picture, message):
    with pytest.raises(PreddiffError, match=message):
        preddiff.explain(Softmax((3, 20, 18)), picture, window=5)


def test_values_outside_are_fine_where_nothing_is_clipped():
    free = ConditionalGaussian(np.zeros(243), np.eye(243), (3, 9, 9), clip=False)
    preddiff.explain(Softmax(OUTSIDE.shape), OUTSIDE, sampler=free, window=5, stride=9)
    preddiff.explain(Softmax(OUTSIDE.shape), OUTSIDE, sampler="constant:0", window=5, stride=9)


def test_numbers_may_be_numpys(model, picture):
    five = np.int64(5)
    e = preddiff.explain(model, picture, np.int64(1), window=five, stride=five, samples=five)
    assert e.provenance["window"] == 5


@pytest.mark.parametrize("as_torch", [False, True])
def test_a_target_may_be_what_argmax_returns(model, picture, as_torch):
    import torch

    values = model(picture[None])[0]
    top = torch.from_numpy(values).argmax() if as_torch else values.argmax()
    e = preddiff.explain(model, picture, top, window=5, stride=9)
    assert e.relevance.target.item() == values.argmax()


def test_what_a_callable_does_to_its_argument_harms_nobody(model, picture):
    def vandal(inputs):
        values = model(inputs)
        inputs *= 0
        return values

    before = picture.copy()
    e = preddiff.explain(vandal, picture, window=5, stride=5, samples=2)
    expected = preddiff.explain(model, picture, window=5, stride=5, samples=2)
    np.testing.assert_array_equal(e.evidence, expected.evidence)
    np.testing.assert_array_equal(picture, before)
    picture[:] = 0
    np.testing.assert_array_equal(e.picture, before)


def test_probabilities_are_checked_on_draws_too(picture):
    def too_sure(inputs):
        p = np.where(inputs[:, 0, 0, 0] == picture[0, 0, 0], 0.5, 1.7)
        return np.stack([p, p], axis=1)

    with pytest.raises(ModelError, match="values from 0.5 to 1.7 are not probabilities"):
        preddiff.explain(too_sure, picture, sampler="constant:0", window=5, stride=5)


def test_eight_bit_values_are_noticed(embedded, picture):
    with pytest.raises(InputError, match="values from 0 to 255: .* divide 8-bit values by 255"):
        preddiff.explain(embedded, np.linspace(0, 255, 3 * 224 * 224).reshape(3, 224, 224))
    with pytest.raises(PreddiffError, match="constant value 128.0: expected 0 to 1"):
        preddiff.explain(Softmax(picture.shape), picture, sampler="constant:128", window=5)


@pytest.mark.parametrize(
    ("share", "told"), [(0.0973, "9.7 %"), (0.05, "5 %"), (0.996, "100 %"), (1.24, "120 %")]
)
def test_shares_are_told_as_a_person_writes_them(share, told):
    assert percent(share) == told
