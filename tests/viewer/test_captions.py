"""What pages say in words: no more than they know."""

import numpy as np
import pytest
import xarray as xr

import preddiff
from preddiff.models import Linear
from preddiff.samplers import Constant
from preddiff.viewer.captions import caption_fields, replacement
from viewer.made import explained


@pytest.mark.parametrize(
    ("sampler", "text"),
    [
        ("constant:0", "replaced by one constant value"),
        ("conditional", "given the pixels around it"),
    ],
)
def test_it_says_what_hidden_windows_were_replaced_by(tmp_path, small_network, sampler, text):
    e = explained(small_network, sampler=sampler, stride=4)
    written = preddiff.page(e, tmp_path / "page.html").read_text(encoding="utf-8")
    assert text in written
    assert ("Exact (every possible draw)." in written) == (sampler == "constant:0")


def test_one_draw_has_an_unknown_error(tmp_path, small_network):
    e = explained(small_network, stride=4, samples=1)
    text = preddiff.page(e, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "unknown (one draw per window)" in text


def test_no_run_is_claimed_where_there_was_none(tmp_path, small_network):
    e = explained(small_network, stride=4)
    closed = preddiff.Explanation(e.data.assign_attrs(engine="closed form", samples=0))
    for each, said, not_said in (
        (e, "many times", "without sampling"),
        (closed, "without sampling", "many times"),
    ):
        text = preddiff.page(each, tmp_path / "page.html").read_text(encoding="utf-8")
        assert said in text
        assert not_said not in text


def test_a_map_of_zeros_is_exact_and_not_noise():
    scan = np.ones((1, 4, 5, 6), dtype=np.float32)
    e = preddiff.explain(Linear(scan), scan, 1, sampler=Constant(1.0), window=2)
    assert not e.is_noise.any()
    (said,) = caption_fields([e])["explanations"][0]["precision"]
    assert said["text"].startswith("Exact (closed form, no sampling). The map is 0 everywhere:")
    assert said["warning"] == ""


def precision(explanation, error=0.1, **facts):
    """Return what is said of the first target's map with a relative error, and of the second's."""
    data = explanation.data.assign_attrs(facts)
    # An estimated map is r + e, whose mean square is r² + e².
    share = np.array([error, 2 * error, *[error] * (data.sizes["target"] - 2)])
    square = (data["relevance"] ** 2).mean(["y", "x"]) * share**2 / (1 + share**2)
    data["standard_error"] = np.sqrt(square) * xr.ones_like(data["relevance"])
    return caption_fields([preddiff.Explanation(data)])["explanations"][0]["precision"]


def test_an_uncertain_map_warns_and_no_other(small_network):
    e = explained(small_network, stride=4)
    first, second, *_ = precision(e, 0.2)
    assert first == {"text": "Relative error 20 %.", "warning": ""}
    assert second["text"] == "Relative error 40 %."
    assert "This map is uncertain" in second["warning"]
    assert precision(e, np.nan)[0] == {"text": "Its precision is unknown.", "warning": ""}


def test_how_to_read_it_says_what_was_hidden_at_once(tmp_path, small_network):
    for sets, said, unsaid in ((None, "one at a\ntime", "at once"), (200, "at once", "one at a\n")):
        e = explained(small_network, sampler="constant:0", stride=4, sets=sets)
        text = preddiff.page(e, tmp_path / "page.html").read_text(encoding="utf-8")
        assert said in text
        assert unsaid not in text


def test_a_map_that_was_stopped_says_so(small_network):
    e = explained(small_network, stride=4)
    text = precision(e, partial=True)[0]["text"]
    assert text == "Relative error 10 %. Partial: stopped before the end."
    assert "Partial" in precision(e, np.nan, partial=True)[0]["text"]


def test_it_says_how_many_windows_were_measured(small_network):
    e = explained(small_network, stride=4)
    visited = e.data.sizes["window"]
    assert "interpolated" not in precision(e)[0]["text"]
    text = precision(e, windows=46_225)[0]["text"]
    assert f"{visited} of 46,225 windows were measured" in text


def replaced_by(sampler, is_volume=False, **facts):
    return replacement({"sampler": sampler, **facts}, is_volume=is_volume)


@pytest.mark.parametrize(
    ("sampler", "picture", "scan"),
    [
        ("constant:0.5", "a patch of one colour", "one value"),
        ("Constant", "a patch of one colour", "one value"),
        (
            "marginal:pool",
            "what other pictures have at the same place",
            "what other scans have at the same place",
        ),
        (
            "Marginal",
            "what other pictures have at the same place",
            "what other scans have at the same place",
        ),
        *[
            (
                name,
                "something else that could plausibly have stood there, given the pixels around it",
                "something else that could plausibly have stood there, given the voxels around it",
            )
            for name in ("conditional", "conditional:brain.npz", "ConditionalGaussian", "Located")
        ],
    ],
)
def test_results_that_only_name_a_sampler_of_ours_describe_it(sampler, picture, scan):
    assert replaced_by(sampler) == picture
    assert replaced_by(sampler, is_volume=True) == scan


@pytest.mark.parametrize("sampler", ["Diffusion", "ConstantOnTuesdays", "my_marginal:pool"])
def test_of_an_unknown_sampler_the_page_claims_nothing(sampler):
    assert replaced_by(sampler) == f"draws from {sampler}"


def test_a_samplers_own_description_comes_first():
    told = "a picture from a diffusion model"
    assert replaced_by("Diffusion", sampler_description=told) == told
    assert replaced_by("constant:0", sampler_description=told) == told
    assert replaced_by("constant:0", sampler_description="") == "a patch of one colour"


def test_the_page_of_a_custom_sampler_says_its_name_or_its_words(tmp_path, several):
    custom = several[0].data.assign_attrs(sampler="Diffusion", sampler_description="")
    page = preddiff.page(preddiff.Explanation(custom), tmp_path / "page.html").read_text("utf-8")
    assert "4×4 window replaced by draws from Diffusion." in page
    assert "plausibly" not in page
    described = custom.assign_attrs(sampler_description="<i>painted</i> pixels")
    page = preddiff.page(preddiff.Explanation(described), tmp_path / "page.html").read_text("utf-8")
    assert "4×4 window replaced by &lt;i&gt;painted&lt;/i&gt; pixels." in page


def test_closed_forms_are_exact_and_say_so(several):
    data = several[0].data.assign_attrs(engine="closed form", samples=0)
    data["standard_error"] = 0 * data["standard_error"]
    (made,) = caption_fields([preddiff.Explanation(data)])["explanations"]
    exact = {"text": "Exact (closed form, no sampling).", "warning": ""}
    assert made["precision"] == [exact] * len(several[0].labels)
