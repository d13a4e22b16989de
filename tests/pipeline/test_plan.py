"""From settings to a run: what is resolved, and what is refused before the work starts."""

import io

import numpy as np
import pytest
from PIL import Image
from torch import nn

import preddiff
from conftest import Softmax
from preddiff import media
from preddiff.errors import InputError, SettingError
from preddiff.models import Linear, load_model
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.pipeline import plan as plans
from preddiff.pipeline import subject as subjects
from preddiff.pipeline.run_in_closed_form import ClosedFormRun
from preddiff.pipeline.run_of_windows import SampledRun
from preddiff.pipeline.settings import PAPER, Settings
from preddiff.results.explanation import Explanation
from preddiff.samplers import Constant, Marginal


@pytest.fixture
def picture(rng):
    return rng.random((3, 12, 12), dtype=np.float32)


def planned(model, given, **values):
    opened = media.open(given)
    settings = Settings.of(PAPER, **values).over(volume=opened.is_volume, side=16)
    subject = subjects.make(
        load_model(model), opened, settings.question, settings.sampling, settings.work.device
    )
    return plans.make(subject, settings)


def test_every_setting_stands_in_the_facts(picture):
    plan = planned(
        Softmax(picture.shape), picture, window=4, stride=2, samples=6, seed=3, tolerance=0.2
    )
    assert plan.facts == {
        "model": plan.subject.model.spec, "model_sha256": "", "sampler": "conditional",
        "sampler_sha256": plan.facts["sampler_sha256"],
        "sampler_description": plan.facts["sampler_description"], "source": "", "node": "",
        "window": 4, "margin": 2, "samples": 6, "stride": 2, "seed": 3, "sets": "", "masked": False,
        "resampled": False, "tolerance": 0.2, "antithetic": True,
        "measure": "weight_of_evidence", "unit": "bits", "train_size": 1_281_167, "classes": 3,
    }  # fmt: skip


def test_no_more_draws_are_taken_than_there_are(picture, rng):
    pool = rng.random((5, *picture.shape))
    plan = planned(Softmax(picture.shape), picture, window=4, samples=50, sampler=Marginal(pool))
    assert isinstance(plan.run, SampledRun)
    assert plan.run.samples == 5
    assert plan.facts["samples"] == 5


def test_linear_models_need_no_draws(rng):
    volume = rng.random((1, 6, 6, 6), dtype=np.float32)
    model = Linear(rng.normal(size=volume.shape), 0.0)
    plan = planned(model, volume, sampler=Constant(0.5))
    assert isinstance(plan.run, ClosedFormRun)
    assert (plan.facts["window"], plan.facts["samples"]) == (3, 0)
    assert plan.run.facts["engine"] == "closed form"
    assert isinstance(planned(model, volume, sampler=Constant(0.5), engine="dense").run, SampledRun)


def test_the_closed_form_says_why_it_cannot_be_had(picture):
    with pytest.raises(SettingError, match="engine='linear': .* is no linear model"):
        planned(Softmax(picture.shape), picture, window=4, engine="linear")


def test_pairs_need_an_even_number_of_draws(picture):
    with pytest.raises(SettingError, match="estimated from pairs of draws: expected an even"):
        planned(Softmax(picture.shape), picture, window=4, samples=5, tolerance=0.2)


def test_a_mask_leaves_windows_that_touch_it(picture):
    mask = np.zeros((12, 12), dtype=bool)
    mask[0, 0] = True
    plan = planned(Softmax(picture.shape), picture, window=4, mask=mask)
    np.testing.assert_array_equal(plan.windows.starts, [[0, 0]])
    with pytest.raises(InputError, match="no window touches the mask"):
        planned(Softmax(picture.shape), picture, window=4, mask=np.zeros((12, 12)))
    with pytest.raises(InputError, match=r"a mask of shape \(3, 3\): expected that of the input"):
        planned(Softmax(picture.shape), picture, window=4, mask=np.ones((3, 3)))


def test_a_batch_of_one_picture_is_no_volume(picture):
    with pytest.raises(InputError, match=r"if it is a batch of one picture, pass array\[0\]"):
        planned(Softmax((1, 3, 12, 12)), picture[None], window=5)


def test_the_same_targets_are_looked_at_with_another_sampler(picture):
    settings = Settings.of(window=4, targets="top2")
    plan = planned(Softmax(picture.shape), picture, window=4, targets="top2")
    found = plans.relevance_with(plan.subject, plan.targets, settings, Constant(0.0), 4)
    assert found.shape == (2, 12, 12)
    only = plans.relevance_with(plan.subject, plan.targets[1:], settings, Constant(0.0), 4)
    np.testing.assert_array_equal(only[0], found[1])


def test_the_part_of_a_picture_that_the_model_saw_stands_in_the_facts(picture):
    original = Image.fromarray(np.zeros((40, 30, 3), np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter, as cameras held upright write it
    file = io.BytesIO()
    original.save(file, "jpeg", exif=turned)
    how = Preprocessing(size=(16, 16), short_side=20)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 2)).eval()
    facts = planned(Network(module, how), Image.open(file), window=4).facts
    assert facts["original_size"] == "40, 30"
    assert (
        facts["crop"] == "7.69231, 3, 24.6154, 24"
    )  # resized to 26×20, of which the middle is 16×16
    assert "crop" not in planned(Softmax(picture.shape), picture, window=4).facts


@pytest.mark.parametrize("text", ["", "1, 2, 3", "a, b, c, d", "0, 0, inf, 1", "0, 0, 0, 0"])
def test_a_crop_that_is_none_is_unknown(picture, text):
    e = preddiff.explain(Softmax(picture.shape), picture, window=4, stride=4, samples=1)
    assert Explanation(e.data.assign_attrs(crop=text)).crop is None
    assert Explanation(e.data.assign_attrs(crop="8, 3.5, 24, 24")).crop == (8, 3.5, 24, 24)
