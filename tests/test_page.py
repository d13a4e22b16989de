"""The page: its text, and in a real browser from file://, offline."""

import shutil

import numpy as np
import pytest

import preddiff
from preddiff.errors import SettingError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def explanation(rng, small_network):
    return preddiff.explain(
        preddiff.load_model(small_network, labels=["ant", "<b>bee</b>", "cat & dog", "elk"]),
        rng.random((3, 16, 16)),
        targets=[1, 2],
        window=4,
        stride=3,
        samples=4,
    )


@pytest.fixture
def written(tmp_path, explanation):
    return preddiff.page(explanation, tmp_path / "page.html")


def test_what_comes_from_files_is_escaped(written):
    text = written.read_text(encoding="utf-8")
    assert "<b>bee" not in text
    assert "&lt;b&gt;bee&lt;/b&gt;" in text


def test_it_is_one_file_that_asks_for_nothing(written):
    text = written.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "http://" not in text
    assert "https://" not in text
    assert len(text) < 300_000


def test_it_shows_prediction_standard_error_and_settings(written, explanation):
    text = written.read_text(encoding="utf-8")
    assert f"{float(explanation.prediction[0]):.4g}" in text
    assert "Standard error of the relevance" in text
    for name, value in explanation.provenance.items():
        if value != "":
            assert name.replace("_", " ") in text


@pytest.mark.parametrize(
    ("sampler", "text"),
    [
        ("constant:0", "hidden behind a patch of one colour"),
        ("conditional", "given the pixels around it"),
    ],
)
def test_it_says_what_the_windows_were_hidden_behind(tmp_path, small_network, rng, sampler, text):
    e = preddiff.explain(
        small_network, rng.random((3, 16, 16)), sampler=sampler, window=4, stride=4
    )
    written = preddiff.page(e, tmp_path / "page.html").read_text(encoding="utf-8")
    assert text in written
    assert ("Exact: no more draws" in written) == (sampler == "constant:0")


def test_one_draw_has_an_unknown_error(tmp_path, small_network, rng):
    e = preddiff.explain(small_network, rng.random((3, 16, 16)), window=4, stride=4, samples=1)
    text = preddiff.page(e, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "unknown (one draw per window)" in text


def test_volumes_have_no_page_yet(tmp_path, rng):
    from conftest import Softmax

    volume = rng.random((1, 5, 5, 5))
    e = preddiff.explain(Softmax(volume.shape), volume, sampler="constant:0", window=3)
    with pytest.raises(SettingError, match="pages are of pictures"):
        preddiff.page(e, tmp_path / "page.html")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def tab(browser, written):
    """The page in a tab, with everything that it asked for and complained of."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.complaints, page.requests = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(written.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    yield page
    context.close()


def test_it_opens_offline_without_complaint(tab, written):
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith("data:")] == [written.as_uri()]


def test_the_target_selector_swaps_maps_and_title(tab):
    assert tab.locator("h1").inner_text().startswith("Why “<b>bee</b>”?")
    assert tab.locator(".map:visible").count() == 2
    first = tab.locator(".overlay:visible").get_attribute("src")
    tab.get_by_label("cat & dog").check()
    assert tab.locator("h1").inner_text().startswith("Why “cat & dog”?")
    assert tab.locator(".overlay:visible").get_attribute("src") != first


def test_the_slider_fades_the_relevance_to_the_picture(tab, explanation):
    tab.locator("#greyed").uncheck()
    tab.locator("#opacity").fill("0")
    assert tab.locator("#opacity-value").inner_text() == "0 %"
    shown = pixel(tab, 8, 8)
    expected = explanation.picture.values[:, 8, 8] * 255
    np.testing.assert_allclose(shown, expected, atol=40)  # between pixels the browser smooths
    tab.locator("#opacity").fill("100")
    tab.locator("#greyed").check()
    assert pixel(tab, 8, 8) != shown


def pixel(tab, y, x):
    """Colour at the middle of pixel (y, x) of the 16×16 picture, as a person sees it."""
    import io

    from PIL import Image

    stack = tab.locator("#stack")
    seen = Image.open(io.BytesIO(stack.screenshot())).convert("RGB")
    side = seen.width / 16
    return seen.getpixel((int((x + 0.5) * side), int((y + 0.5) * side)))
