"""The page of pictures: its text, and in a real browser from file://, offline."""

import io
import re

import numpy as np
import pytest
from PIL import Image

import preddiff
from preddiff.render import colours
from preddiff.render.overlay import greyed, opacity, overlay, rgb
from preddiff.results.combination import combined
from viewer.made import SIDE, explained


def test_what_comes_from_files_is_escaped(written):
    text = written.read_text(encoding="utf-8")
    assert "<b>bee" not in text
    assert "&lt;b&gt;bee&lt;/b&gt;" in text
    assert text.count("</script>") == len(re.findall("<script", text))


def test_a_name_cannot_break_out_of_the_page(browser, tmp_path, several):
    name = "</script><script>document.body.dataset.broken = 'yes'</script>.png"
    data = several[0].data.assign_attrs(input=name, model=name)
    written = preddiff.page(preddiff.Explanation(data), tmp_path / "page.html")
    for tab in opened(browser, written):
        assert tab.locator("body").get_attribute("data-broken") is None
        assert name in tab.locator("h1").inner_text()


def test_it_is_one_file_that_asks_for_nothing(written):
    text = written.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1]
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    for loose in ("unsafe", "self", "*", "http"):
        assert loose not in policy
    assert "http://" not in text
    assert "https://" not in text
    assert len(text) < 250_000


def test_it_says_predictions_settings_and_how_it_was_made(written, several):
    text = written.read_text(encoding="utf-8")
    assert f"{float(several[0].prediction[0]):.4g}" in text
    for name, value in several[0].provenance.items():
        if value != "":
            assert name.replace("_", " ") in text
    assert "6×6 window replaced by" in text


@pytest.fixture
def tab(browser, written):
    yield from opened(browser, written)


def opened(browser, path, **settings):
    """The page in a tab, with everything that it asked for and complained of."""
    context = browser.new_context(offline=True, **settings)
    page = context.new_page()
    page.complaints, page.requests = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-complete=yes]")
    yield page
    assert page.complaints == []
    assert page.requests == [path.as_uri()]
    context.close()


def seen(tab, canvas="#view"):
    """The pixels of a canvas (y, x, 3), when the page has come to rest."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    script = """(selector) => {
        const canvas = document.querySelector(selector);
        const { width, height } = canvas;
        const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        return { width, height, data: [...data] };
    }"""
    image = tab.evaluate(script, canvas)
    pixels = np.array(image["data"], dtype=np.uint8)
    return pixels.reshape(image["height"], image["width"], 4)[..., :3]


def number(text):
    """What a text of the page begins with."""
    return float(re.match(r"[+−]?[\d.,e−]+", text)[0].replace("−", "-").replace(",", ""))


def point_at(tab, y, x):
    tab.locator("#view").scroll_into_view_if_needed()
    box = tab.locator("#view").bounding_box()
    tab.mouse.move(
        box["x"] + (x + 0.5) * box["width"] / SIDE, box["y"] + (y + 0.5) * box["height"] / SIDE
    )


def end_of(several):
    return max(colours.limit(e.relevance.values) for e in several)


def test_the_page_and_the_figure_agree_in_every_pixel(tab, several):
    """Several maps share a scale; a figure of the first alone has its own."""
    picture, relevance = several[0].picture.values, several[0].relevance.values[0]
    np.testing.assert_array_equal(seen(tab), overlay(picture, relevance, end_of(several)))
    tab.get_by_label("separate colour scale for each map").check()
    end = colours.limit(relevance)
    np.testing.assert_array_equal(seen(tab), overlay(picture, relevance, end))
    one_target = preddiff.Explanation(several[0].data.isel(target=[0]))
    panels = {panel.get_title(): panel for panel in preddiff.figure(one_target).axes}
    drawn = panels["relevance over input"].images[0].get_array()
    np.testing.assert_array_equal(seen(tab), drawn)
    tab.get_by_label("alone").check()
    np.testing.assert_array_equal(seen(tab), panels["relevance"].images[0].get_array())


def test_every_way_of_showing_is_pythons(tab, several):
    e, end = several[0], end_of(several)
    relevance, errors = e.relevance.values[0], [each.standard_error.values for each in several]
    tab.get_by_label("over the picture").check()
    cover = opacity(relevance, end)[..., None]
    mixed = (1 - cover) * rgb(e.picture.values) + cover * colours.signed(relevance, end)
    np.testing.assert_array_equal(seen(tab), np.floor(mixed + 0.5))
    tab.get_by_label("alone").check()
    np.testing.assert_array_equal(seen(tab), colours.signed(relevance, end))
    assert tab.locator("#opacity").is_disabled()
    tab.get_by_label("standard error instead").check()
    largest = max(map(colours.limit, errors))
    np.testing.assert_array_equal(seen(tab), colours.unsigned(errors[0][0], largest, colours.ERROR))
    assert tab.locator("#threshold").is_disabled()
    assert "standard error" in tab.locator("#middle").inner_text()


def test_a_switch_shows_importance_in_its_own_colours(tab, several):
    """With the keyboard: Tab goes to the chosen kind of map, an arrow chooses the other."""
    e = several[0]
    values, errors = e.importance.values[0], e.importance_error.values[0]
    end = max(colours.limit(each.importance.values) for each in several)
    assert tab.locator("header p[data-kind]:visible").count() == 1
    assert "red pixels" in tab.locator("header p[data-kind]:visible").inner_text()
    tab.get_by_label("relevance", exact=True).focus()
    tab.keyboard.press("ArrowDown")
    assert tab.get_by_label("importance", exact=True).is_checked()
    expected = overlay(e.picture.values, values, end, colours.SEQUENTIAL)
    np.testing.assert_array_equal(seen(tab), expected)
    tab.get_by_label("alone").check()
    painted = colours.unsigned(values, end, colours.SEQUENTIAL)
    np.testing.assert_array_equal(seen(tab), painted)
    assert "either way" in tab.locator("header p[data-kind]:visible").inner_text()
    assert tab.locator("#kind-caption").inner_text() == (
        "how much the answer depends on each place, either way"
    )
    assert tab.locator("#low").inner_text() == "0"
    assert tab.locator("#high").inner_text() == f"{end:.3g} bits"
    assert tab.locator("#middle").inner_text() == "importance"
    point_at(tab, 7, 3)
    assert number(tab.locator("#relevance").inner_text()) == float(f"{values[7, 3]:.3g}")
    assert number(tab.locator("#error").inner_text()) == float(f"{errors[7, 3]:.3g}")
    assert tab.locator("#value-name").inner_text() == "Importance"
    tab.locator("#threshold").fill("50")
    seen(tab)
    shown = int((values > 0.5 * values.max()).sum())
    assert number(tab.locator("#shown").inner_text()) == shown
    tab.get_by_label("standard error instead").check()
    largest = max(colours.limit(each.importance_error.values) for each in several)
    np.testing.assert_array_equal(seen(tab), colours.unsigned(errors, largest, colours.ERROR))


def test_both_maps_are_explained(tab):
    tab.get_by_text("How to read it").click()
    text = tab.locator("details[open]").inner_text()
    assert "Importance is how much the answer depends on each place, either way" in text
    assert "does not necessarily speak against its class" in text


def test_older_results_have_no_switch(browser, tmp_path, several):
    old = several[0].data.drop_vars(["importance", "importance_error"])
    written = preddiff.page([preddiff.Explanation(old), several[1]], tmp_path / "page.html")
    for tab in opened(browser, written):
        assert tab.locator("#kinds").count() == 0
        assert "Importance" not in tab.content().split("<script")[0]


def test_it_opens_with_a_bold_map_and_says_why_another_is_pale(browser, tmp_path, several):
    weak = several[0].data.copy()
    weak["relevance"] = weak["relevance"] / 10
    written = preddiff.page([preddiff.Explanation(weak), several[1]], tmp_path / "page.html")
    for tab in opened(browser, written):
        assert tab.locator("#pale").is_hidden()
        tab.get_by_label("4", exact=True).check()
        assert tab.locator("#pale").is_visible()
        share = colours.limit(weak["relevance"].values[0]) / end_of([several[1]])
        assert f"reaches {100 * share:.3g} % of it" in tab.locator("#pale").inner_text()
        tab.get_by_label("separate colour scale for each map").check()
        tab.locator("#pale").wait_for(state="hidden")


def test_pixels_without_a_window_are_on_no_scale(tab, several):
    tab.get_by_label("2", exact=True).check()
    tab.get_by_label("alone").check()
    pixels = seen(tab)
    unknown = several[2].coverage.values == 0
    assert unknown.any()
    assert (pixels[unknown] == colours.UNKNOWN).all()
    assert tab.get_by_text("Sand: not analysed").is_visible()
    point_at(tab, *np.argwhere(unknown)[0])
    assert tab.locator("#relevance").inner_text() == "unknown"
    assert tab.locator("#meaning").inner_text() == "not analysed"


def test_without_javascript_there_is_the_picture_with_its_title(browser, written, several):
    context = browser.new_context(offline=True, java_script_enabled=False)
    tab = context.new_page()
    tab.goto(written.as_uri())
    assert "bee" in tab.locator("h1").inner_text()
    assert several[0].values[0] in tab.locator("h1").inner_text()
    assert tab.locator(".still img").bounding_box()["width"] > 300
    assert tab.locator(".controls").is_hidden()
    context.close()


def test_paper_has_open_folds_and_no_controls(tab):
    tab.emulate_media(media="print", color_scheme="dark")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.get_by_text("How to read it").is_visible()
    assert tab.get_by_text("preddiff version").first.is_visible()
    assert tab.locator("#view").is_visible()
    for hidden in (".controls", "#readout", ".still"):
        assert tab.locator(hidden).is_hidden()
    ink = tab.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(0, 0, 0)"
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("details[open]").count() == 0


def test_the_colour_scale_is_in_the_frame_of_a_notebook(browser, written):
    for width in (600, 900, 1300):
        for tab in opened(browser, written, viewport={"width": width, "height": 900}):
            box = tab.locator("#bar").bounding_box()
            assert box["y"] + box["height"] < 900


def test_opacity_fades_the_relevance_to_the_picture(tab, several):
    tab.locator("#opacity").fill("0")
    np.testing.assert_array_equal(seen(tab), greyed(several[0].picture.values))
    assert tab.locator("#opacity-value").inner_text() == "0 %"
    tab.get_by_label("over the picture").check()
    np.testing.assert_array_equal(seen(tab), rgb(several[0].picture.values))


def test_a_pixel_is_found_on_the_original_picture(browser, tmp_path, several):
    data = several[0].data.assign_attrs(original_size="300, 200", crop="50, 0, 200, 200")
    written = preddiff.page(preddiff.Explanation(data), tmp_path / "page.html")
    for tab in opened(browser, written):
        point_at(tab, 0, 15)
        middle = 50 + 15.5 / SIDE * 200, 0.5 / SIDE * 200
        assert tab.locator("#original").inner_text() == f"x {int(middle[0])}, y {int(middle[1])}"


def test_of_an_array_there_is_no_original(tab):
    point_at(tab, 0, 0)
    assert tab.locator("#original").is_hidden()


def test_the_numbers_under_the_pointer_are_the_arrays(tab, several):
    for y, x in [(0, 0), (7, 3), (12, 12)]:
        point_at(tab, y, x)
        assert tab.locator("#pixel").inner_text() == f"x {x}, y {y}"
        for name, array in [
            ("relevance", several[0].relevance),
            ("error", several[0].standard_error),
        ]:
            text = tab.locator(f"#{name}").inner_text()
            assert text.endswith(" bits")
            assert number(text) == float(f"{float(array[0, y, x]):.3g}")


@pytest.mark.parametrize("percent", [10, 35, 80])
def test_the_threshold_hides_what_numpy_hides(tab, several, percent):
    relevance = several[0].relevance.values[0]
    tab.locator("#threshold").fill(str(percent))
    largest = np.abs(relevance).max()
    shown = np.abs(relevance) > percent / 100 * largest
    picture = greyed(several[0].picture.values)
    np.testing.assert_array_equal((seen(tab) != picture).any(axis=-1) & ~shown, False)
    assert number(tab.locator("#shown").inner_text()) == shown.sum()
    assert f"{percent} % of the maximum (" in tab.locator("#threshold-value").inner_text()


def test_what_is_within_its_error_can_be_hidden(tab, several):
    tab.get_by_label("Hide pixels that cannot be told from zero (95 %)").check()
    certain = np.abs(several[0].relevance[0]) >= 1.96 * several[0].standard_error[0]
    assert 0 < certain.sum() < certain.size
    pixels = seen(tab)
    assert number(tab.locator("#shown").inner_text()) == certain.sum()
    hidden = ~certain.values
    np.testing.assert_array_equal(pixels[hidden], greyed(several[0].picture.values)[hidden])


def test_targets_and_windows_swap_maps_and_words(tab, several):
    assert tab.locator("h1").inner_text().startswith("Why “<b>bee</b>”?")
    tab.get_by_label("cat & dog").first.check()
    tab.get_by_label("6", exact=True).check()
    picture, end = several[1].picture.values, end_of(several)
    np.testing.assert_array_equal(seen(tab), overlay(picture, several[1].relevance.values[1], end))
    assert tab.locator("h1").inner_text().startswith("Why “cat & dog”?")
    assert f"p = {several[1].values[1]}" in tab.locator("h1").inner_text()
    tab.get_by_text("How it was made").click()
    assert "6×6 window" in tab.locator("details p[data-explanation]:visible").inner_text()


def test_small_maps_are_linked_and_choose(tab, several):
    tiles = tab.locator("#all-tiles button")
    assert tiles.count() == 6
    point_at(tab, 7, 3)
    value = float(several[2].relevance.values[1, 7, 3])
    last = tiles.last
    assert number(last.inner_text().rpartition(" ")[2]) == float(f"{value:.3g}")
    last.click()
    assert last.get_attribute("aria-pressed") == "true"
    expected = overlay(several[2].picture.values, several[2].relevance.values[1], end_of(several))
    np.testing.assert_array_equal(seen(tab), expected)


def test_a_click_shows_the_windows_that_cover_the_pixel(tab, several):
    e = several[0]
    y, x = 7, 6
    point_at(tab, y, x)
    tab.mouse.down()
    tab.mouse.up()
    summary = tab.locator("#covering-summary")
    summary.wait_for()
    starts = e.data["window_start"].values
    covering = ((starts <= (y, x)) & ((y, x) < starts + 4)).all(axis=1)
    evidence = e.evidence.values[0, covering]
    assert summary.inner_text().startswith(f"{covering.sum()} windows cover pixel x {x}, y {y}.")
    assert re.findall(r"[+−][\d.e−]*\d", summary.inner_text()) == [
        f"{value:+.3g}".replace("-", "−")
        for value in (evidence.min(), evidence.max(), evidence.mean())
    ]
    assert tab.locator("#covering-rows tr").count() == covering.sum()
    tab.locator("#covering-rows button").first.focus()
    strongest = starts[covering][np.abs(evidence).argmax()]
    outline = tab.locator("#outline")
    assert [int(outline.get_attribute(name)) for name in ("y", "x")] == strongest.tolist()


def test_windows_of_several_sizes_are_listed_each_with_its_own(browser, tmp_path, small_network):
    e = combined([explained(small_network, window=window, stride=1) for window in (4, 7)])
    y, x = 7, 6
    for tab in opened(browser, preddiff.page(e, tmp_path / "page.html")):
        point_at(tab, y, x)
        tab.mouse.down()
        tab.mouse.up()
        summary = tab.locator("#covering-summary")
        summary.wait_for()
        assert summary.inner_text().startswith(f"{16 + 49} windows cover pixel x {x}, y {y}.")
        mean = f"{float(e.relevance.values[0, y, x]):+.3g}".replace("-", "−")
        assert summary.inner_text().endswith(f"its mean over the sizes is {mean}.")
        ranges = re.findall(r"x (\d+)–(\d+)", tab.locator("#covering-rows").inner_text())
        assert {int(last) - int(first) + 1 for first, last in ranges} == {4, 7}
        tab.locator("#covering-rows button").first.focus()
        starts, lengths = e.data["window_start"].values, e.window_sizes
        covering = ((starts <= (y, x)) & ((y, x) < starts + lengths)).all(axis=1)
        assert covering.sum() == 16 + 49
        strongest = np.abs(np.where(covering, e.evidence.values[0], 0)).argmax()
        outline = tab.locator("#outline")
        found = [int(outline.get_attribute(name)) for name in ("y", "x", "width")]
        assert found == [*starts[strongest], lengths[strongest, 0]]


def test_the_keyboard_is_enough(tab, several):
    tab.locator("#view").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.locator("#pixel").inner_text() == "x 9, y 8"
    tab.keyboard.press("Shift+ArrowUp")
    assert tab.locator("#pixel").inner_text() == "x 9, y 0"
    tab.keyboard.press("Enter")
    tab.locator("#covering").wait_for()
    tab.keyboard.press("Escape")
    assert tab.locator("#covering").is_hidden()
    assert tab.locator("#pixel").inner_text() == "–"
    tab.locator("#threshold").focus()
    for _ in range(5):
        tab.keyboard.press("ArrowRight")
    relevance = np.abs(several[0].relevance.values[0])
    seen(tab)
    assert number(tab.locator("#shown").inner_text()) == (relevance > 0.05 * relevance.max()).sum()


def test_another_palette_for_who_does_not_see_this_one(tab, several):
    tab.get_by_label("alone").check()
    tab.locator("#palette").select_option("orange and purple")
    share = (colours.as_float32(several[0].relevance.values[0]) / end_of(several) + 1) / 2
    steps = np.clip(256 * share, 0, 255).astype(int)
    np.testing.assert_array_equal(seen(tab), colours.table(colours.ALTERNATIVE)[steps])
    assert tab.locator("header .for").inner_text() == "orange"


def test_the_view_is_saved_as_it_is_seen(tab, tmp_path):
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save as PNG").click()
    saved = Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")
    scale = round(900 / SIDE)
    left, top = 24, 24 + 36
    inner = np.asarray(saved)[top : top + SIDE * scale, left : left + SIDE * scale]
    np.testing.assert_array_equal(inner[scale // 2 :: scale, scale // 2 :: scale], seen(tab))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_of_accessibility(browser, written, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for tab in opened(browser, written, color_scheme=scheme):
        point_at(tab, 7, 6)
        tab.mouse.down()
        tab.mouse.up()
        tab.locator("#covering").wait_for()
        for fold in tab.locator("summary").all():
            fold.click()
        found = axe.run(tab).response["violations"]
        serious = [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
        assert serious == []


def test_nothing_sticks_out_on_a_phone_and_a_tap_tells(browser, written):
    size = {"width": 360, "height": 740}
    for tab in opened(browser, written, viewport=size, has_touch=True, is_mobile=True):
        assert tab.evaluate("() => document.documentElement.scrollWidth") == 360
        tab.locator("#view").tap()
        tab.locator("#covering").wait_for()
        assert tab.locator("#pixel").inner_text() == "x 8, y 8"


def test_pictures_of_different_networks_may_differ_in_size(browser, tmp_path, small_network):
    e = explained(small_network)
    wide = e.data.isel(x=slice(0, 12)).assign_attrs(model="other")
    written = preddiff.page([e, preddiff.Explanation(wide)], tmp_path / "page.html")
    for tab in opened(browser, written):
        tab.get_by_role("radio", name="other").check()
        assert seen(tab).shape == (16, 12, 3)


def test_the_map_of_a_hidden_node_lies_over_the_whole_picture(browser, tmp_path, small_network):
    picture = np.random.default_rng(1).random((3, SIDE, SIDE))
    e = preddiff.explain(
        small_network, picture, source="2", sampler="constant:0", window=1, samples=1
    )
    assert e.relevance.shape[1:] == (SIDE / 2, SIDE / 2)
    for tab in opened(browser, preddiff.page(e, tmp_path / "page.html")):
        stretched = e.relevance.values[0].repeat(2, axis=0).repeat(2, axis=1)
        end = colours.limit(stretched)
        np.testing.assert_array_equal(seen(tab), overlay(e.picture.values, stretched, end))
        point_at(tab, 5, 9)
        assert tab.locator("#pixel").inner_text() == "x 4, y 2"
        assert number(tab.locator("#relevance").inner_text()) == float(
            f"{float(e.relevance[0, 2, 4]):.3g}"
        )
