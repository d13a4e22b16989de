"""The page of volumes in a real browser, from file:// and offline, with and without WebGL2."""

import io

import numpy as np
import pytest
from PIL import Image

import preddiff
from preddiff.errors import SettingError
from preddiff.media.grid import Grid
from preddiff.method.windows import Windows
from preddiff.render import colours
from preddiff.results.assembly import assemble

SOFTWARE = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
BROWSERS = {"niivue": SOFTWARE, "canvas": ["--disable-3d-apis"]}

SHAPE = (8, 10, 12)  # z, y, x
RAS = np.array([[2.0, 0, 0, -9], [0, 2, 0, -11], [0, 0, 3, -5], [0, 0, 0, 1]])
LAS = np.array([[-2.0, 0, 0, 13], [0, 2, 0, -11], [0, 0, 3, -5], [0, 0, 0, 1]])
TURNED = np.array([[0.2, 0, 2.4, -9], [-2, 0.1, 0.2, 11], [0, 2, -0.2, -5], [0, 0, 0, 1]])


def explained(relevance, affine=RAS, window=3, scan=None, error=None):
    """An Explanation of a scan (z, y, x) with one or two maps (target, z, y, x)."""
    n, *shape = relevance.shape
    if scan is None:
        scan = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    return assemble(
        windows=Windows(tuple(shape), (window,) * 3, np.zeros((1, 3), dtype=np.int64)),
        picture=scan[None].astype(np.float32),
        axes=("z", "y", "x"),
        evidence=np.zeros((n, 1)),
        evidence_error=np.zeros((n, 1)),
        relevance=relevance,
        standard_error=0 * relevance if error is None else error,
        importance=np.abs(relevance),
        importance_error=0 * relevance if error is None else error,
        prediction=np.full(n, 0.8),
        targets=range(n),
        labels=("<i>ill</i>", "well")[:n],
        baselines={},
        provenance={
            "input": "<b>scan</b>.nii", "model": "m.skops", "sampler": "conditional",
            "window": window, "samples": 10, "unit": "bits", "measure": "weight_of_evidence",
        },
        grid=None if affine is None else Grid(tuple(shape), affine, {}),
    )  # fmt: skip


def test_scans_that_lie_elsewhere_are_refused(tmp_path, relevance):
    with pytest.raises(SettingError, match=r"12×10×8 voxels .* and of .* expected the same scan"):
        preddiff.page([explained(relevance), explained(relevance, LAS)], tmp_path / "page.html")


@pytest.fixture(scope="module")
def relevance():
    """Of two targets; the voxels of one face are in no window."""
    made = np.random.default_rng(20170224).normal(size=(2, *SHAPE))
    made[:, 0] = np.nan
    return made


def test_relevance_of_hidden_values_has_no_place_in_the_scan(tmp_path, relevance):
    made = explained(relevance)
    smaller = made.data.isel(z=slice(4)).assign(picture=made.data["picture"].rename(z="input_z"))
    data = smaller.assign_attrs(source="conv1")
    with pytest.raises(SettingError, match="values of conv1: .* leave source out"):
        preddiff.page(preddiff.Explanation(data), tmp_path / "page.html")


@pytest.fixture(scope="module")
def page(tmp_path_factory, relevance):
    """Two window sizes of a scan."""
    sizes = [explained(relevance), explained(relevance[::-1] / 3, window=5)]
    return preddiff.page(sizes, tmp_path_factory.mktemp("page") / "page.html")


def test_the_page_asks_for_nothing_and_escapes_what_comes_from_files(page):
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "unsafe" not in text[: text.index("</head>")]
    assert "<i>ill" not in text
    assert "<b>scan" not in text
    assert "Not for diagnosis" in text
    assert "3×3×3 window replaced by something else" in text
    assert "Redistribution and use in source and binary forms" in text  # NiiVue's licence


@pytest.fixture(scope="module", params=BROWSERS)
def browser(request, launch):
    opened = launch(*BROWSERS[request.param])
    opened.renderer = request.param
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def show(browser):
    """Open a page, which must ask for nothing and complain of nothing."""
    context = browser.new_context(offline=True, viewport={"width": 900, "height": 700})
    seen = []

    def opened(path):
        tab = context.new_page()
        tab.on("console", lambda message: seen.append(message.text))
        tab.on("pageerror", lambda error: seen.append(str(error)))
        tab.on("request", lambda request: seen.append(request.url))
        tab.goto(path.as_uri())
        ready(tab)
        asked = [each for each in seen if not each.startswith("data:")]
        assert asked == [path.as_uri()]
        seen.clear()
        assert tab.locator("body").get_attribute("data-renderer") == browser.renderer
        return tab

    yield opened
    assert seen == []
    context.close()


@pytest.fixture(scope="module")
def shown(show, page):
    return show(page)


@pytest.fixture
def tab(shown):
    """The page with every control as it was at first, but one plane and the first voxel."""
    shown.bring_to_front()  # browsers draw what is hidden once a second
    choose(shown, "layout", "axial")
    choose(shown, "explanation", "3")
    shown.locator("#target").select_option(index=0)
    shown.locator("[name=kind][value=relevance]").check()
    for name, checked in (("reversed", False), ("neurological", True)):
        shown.locator(f"#{name}").set_checked(checked)
    put(shown, threshold=15, opacity=100, sagittal=0, coronal=0, axial=0)
    return shown


def ready(tab):
    tab.wait_for_selector("body[data-ready=yes]")


def text(tab, name):
    ready(tab)
    return tab.locator(f"#{name}").inner_text().replace("−", "-")


def put(tab, **values):
    for name, value in values.items():
        tab.locator(f"#{name}").fill(str(value))
    ready(tab)


def choose(tab, name, option):
    tab.locator(f"#{name}").select_option(option)
    ready(tab)


def voxel(tab):
    """Where the crosshair is, as an index of arrays (z, y, x)."""
    return tuple(int(n) for n in text(tab, "voxel").strip("[]").split(","))


def millimetres(tab):
    return [float(n) for n in text(tab, "position").removesuffix(" mm").split(",")]


def seen(tab):
    """The view as a person sees it, (row, column, 3)."""
    ready(tab)
    return np.asarray(Image.open(io.BytesIO(tab.locator("#view").screenshot())).convert("RGB"))


def test_it_begins_at_the_strongest_voxel_and_tells_its_place_and_value(shown, relevance):
    tab = shown
    strongest = np.unravel_index(np.nanargmax(np.abs(relevance[0])), SHAPE)
    assert voxel(tab) == strongest
    np.testing.assert_allclose(millimetres(tab), Grid(SHAPE, RAS, {}).world([strongest])[0])
    assert text(tab, "value") == f"{float(f'{relevance[0][strongest]:.3g}'):+g} bits"
    assert text(tab, "error") == "none (exact)"
    assert tab.get_by_label("cannot be told from zero").is_hidden()
    put(tab, sagittal=3, coronal=9, axial=0)
    assert voxel(tab) == (0, 9, 3)
    assert text(tab, "value") == "not analysed"


@pytest.mark.parametrize("browser", ["niivue"], indirect=True)
def test_the_threshold_leaves_as_many_voxels_as_in_numpy(tab, relevance):
    for percent in (15, 0, 40, 99):
        put(tab, threshold=percent)
        share = np.abs(relevance[0]) / np.nanmax(np.abs(relevance[0]))
        known = np.isfinite(relevance[0]).sum()
        assert text(tab, "shown") == f"{np.sum(share > percent / 100)} of {known} voxels"
    end = colours.limit(relevance[0])
    assert (
        text(tab, "threshold-value") == f"99 % of the maximum ({float(f'{0.99 * end:.3g}'):g} bits)"
    )


@pytest.mark.parametrize("browser", ["niivue"], indirect=True)
def test_window_size_and_target_swap_maps(tab, relevance):
    put(tab, sagittal=4, coronal=5, axial=6)
    there = (6, 5, 4)

    def shown():
        return float(text(tab, "value").removesuffix(" bits"))

    assert tab.locator("label:has(#explanation)").inner_text().startswith("Window size")
    assert tab.locator("#explanation option").all_inner_texts() == ["3", "5"]
    np.testing.assert_allclose(shown(), relevance[0][there], rtol=5e-3)
    choose(tab, "target", "well (p = 0.8)")
    assert text(tab, "about") == "“well”"
    np.testing.assert_allclose(shown(), relevance[1][there], rtol=5e-3)
    choose(tab, "explanation", "5")
    assert text(tab, "about") == "“well”"
    np.testing.assert_allclose(shown(), relevance[0][there] / 3, rtol=5e-3)
    tab.get_by_text("Settings and provenance").click()
    assert "window\t5" in tab.locator("details:has-text('provenance')").inner_text()


def slice_as_seen(tab, slice_):
    """Colours in the middle of the voxels of a slice (up, across), drawn alone and whole."""
    picture = seen(tab)
    sizes = np.linalg.norm(RAS[:3, :3], axis=0)
    rows, columns = slice_.shape
    scale = min(picture.shape[0] / (rows * sizes[1]), picture.shape[1] / (columns * sizes[0]))
    middle = np.array(picture.shape[:2]) / 2
    row = middle[0] - (np.arange(rows) + 0.5 - rows / 2) * sizes[1] * scale
    column = middle[1] + (np.arange(columns) + 0.5 - columns / 2) * sizes[0] * scale
    return picture[np.ix_(row.astype(int), column.astype(int))].astype(int)


def test_a_slice_has_the_colours_that_a_figure_has(tab, relevance):
    put(tab, axial=4, threshold=30)
    slice_ = relevance[0][4]
    colour = slice_as_seen(tab, slice_)
    end = colours.limit(relevance[0])
    shown = np.abs(slice_) > 0.3 * end
    inner = np.zeros_like(shown)
    inner[1:-1, 1:-1] = True  # crosshair and letters are at the rim
    np.testing.assert_allclose(
        colour[shown & inner], colours.thresholded(colour, slice_, end, 0.3)[shown & inner], atol=4
    )
    assert np.ptp(colour[~shown & inner], axis=1).max() <= 4  # grey
    put(tab, opacity=0)
    faded = slice_as_seen(tab, slice_)
    assert np.ptp(faded[inner], axis=1).max() <= 4
    put(tab, opacity=50)
    half = slice_as_seen(tab, slice_)[shown & inner]
    np.testing.assert_allclose(half, (colour + faded)[shown & inner] / 2, atol=5)


def test_importance_is_one_switch_away(tab, relevance):
    put(tab, axial=4, coronal=5, sagittal=4, threshold=30)
    importance = np.abs(relevance[0])
    assert tab.locator("#palette").is_visible()
    tab.locator("[name=kind][value=importance]").check()
    end = float(f"{np.nanmax(importance):.3g}")
    assert text(tab, "value") == f"{float(f'{importance[4, 5, 4]:.3g}'):g} bits"
    assert [text(tab, name) for name in ("value-name", "against", "middle", "for")] == [
        "Importance", "0", "", f"{end:g} bits",
    ]  # fmt: skip
    assert tab.locator("#palette").is_hidden()
    assert tab.get_by_text("Hiding green voxels changes").is_visible()
    assert tab.get_by_text("strengthens it").is_hidden()
    put(tab, coronal=0, sagittal=0)
    colour = slice_as_seen(tab, importance[4])[1:-1, 1:-1]
    inner = importance[4, 1:-1, 1:-1]
    expected = colours.thresholded(colour, inner, np.nanmax(importance), 0.3, colours.SEQUENTIAL)
    shown = inner > 0.3 * np.nanmax(importance)
    np.testing.assert_allclose(colour[shown], expected[shown], atol=4)
    assert np.ptp(colour[~shown], axis=1).max() <= 4


@pytest.mark.parametrize("browser", ["niivue"], indirect=True)
def test_the_rendering_shows_the_scan_itself(show, tmp_path):
    scan = np.zeros((20, 20, 20))
    scan[4:16, 4:16, 4:16] = 1
    weak = np.full((1, *scan.shape), 1e-6)
    weak[0, 0, 0, 0] = 1  # all but a corner is below the threshold
    tab = show(preddiff.page(explained(weak, scan=scan), tmp_path / "page.html"))
    choose(tab, "layout", "rendering")
    picture = seen(tab).mean(axis=2)
    rows, columns = (n // 2 for n in picture.shape)
    assert picture[rows - 10 : rows + 10, columns - 10 : columns + 10].mean() > 40


def test_reversed_colours_turn_the_scan_and_leave_the_relevance(tab, relevance):
    put(tab, axial=7, threshold=30)
    before = slice_as_seen(tab, relevance[0][7])
    tab.get_by_label("reversed colours").check()
    after = slice_as_seen(tab, relevance[0][7])
    shown = np.abs(relevance[0][7]) > 0.3 * colours.limit(relevance[0])
    shown[[0, -1]], shown[:, [0, -1]] = False, False
    np.testing.assert_allclose(after[shown], before[shown], atol=4)
    assert before[5, 5].mean() > 180 or shown[5, 5]
    grey = ~shown
    grey[[0, -1]], grey[:, [0, -1]] = False, False
    assert before[grey].mean() > 200
    assert after[grey].mean() < 55


@pytest.mark.parametrize("browser", ["canvas"], indirect=True)
def test_the_error_of_a_voxel_is_told_and_what_is_within_it_hidden(show, tmp_path, relevance, rng):
    error = np.where(np.isnan(relevance), np.nan, rng.random(size=relevance.shape))
    written = preddiff.page(explained(relevance, error=error), tmp_path / "page.html")
    tab = show(written)
    put(tab, threshold=5)
    for there in (voxel(tab), (6, 5, 4)):
        put(tab, sagittal=there[2], coronal=there[1], axial=there[0])
        told = float(text(tab, "error").removesuffix(" bits"))
        np.testing.assert_allclose(told, error[0][there], rtol=5e-3)
    tab.get_by_label("cannot be told from zero").check()
    share = np.abs(relevance[0]) / np.nanmax(np.abs(relevance[0]))
    shown = (share > 0.05) & (np.abs(relevance[0]) >= 1.96 * error[0])
    assert 0.1 < shown.sum() / shown.size < 0.9
    assert text(tab, "shown").startswith(f"{shown.sum()} of ")
    choose(tab, "layout", "axial")
    put(tab, axial=4, coronal=0, sagittal=0)
    coloured = np.ptp(slice_as_seen(tab, relevance[0][4]), axis=-1) > 4
    np.testing.assert_array_equal(coloured[1:-1, 1:-1], shown[4, 1:-1, 1:-1])


@pytest.mark.parametrize("browser", ["canvas"], indirect=True)
def test_an_error_that_nobody_knows_hides_nothing(show, tmp_path, relevance):
    unknown = np.full_like(relevance, np.nan)
    tab = show(preddiff.page(explained(relevance, error=unknown), tmp_path / "page.html"))
    before = text(tab, "shown")
    assert text(tab, "error") == "unknown"
    tab.get_by_label("cannot be told from zero").check()
    assert text(tab, "shown") == before


def test_another_palette_for_who_does_not_see_this_one(tab, relevance):
    put(tab, axial=4, threshold=30)
    choose(tab, "palette", "orange and purple")
    slice_, end = relevance[0][4], colours.limit(relevance[0])
    colour = slice_as_seen(tab, slice_)
    shown = np.abs(slice_) > 0.3 * end
    shown[[0, -1]], shown[:, [0, -1]] = False, False
    steps = np.rint(255 * (slice_[shown] / end + 1) / 2).astype(int)
    expected = colours.gapped(0.3, colours.ALTERNATIVE)[steps].astype(int)
    np.testing.assert_allclose(colour[shown], expected, atol=4)
    assert tab.locator("header .for").inner_text() == "orange"
    choose(tab, "palette", "red and blue")
    assert tab.locator("header .for").inner_text() == "red"


@pytest.mark.parametrize("affine", [RAS, LAS], ids=["RAS", "LAS"])
def test_left_stays_left(show, tmp_path, affine):
    relevance = np.zeros((1, *SHAPE))
    left = np.array([-7.0, 3, 10])
    z, y, x = np.rint((np.linalg.inv(affine) @ [*left, 1])[:3]).astype(int)[::-1]
    relevance[0, z, y, x] = 1
    tab = show(preddiff.page(explained(relevance, affine), tmp_path / "page.html"))
    assert voxel(tab) == (z, y, x)
    assert millimetres(tab) == list(left)
    choose(tab, "layout", "axial")
    assert reddest(tab) < 0.45
    assert "left is on the left" in text(tab, "sides")
    tab.get_by_label("left is right").check()
    assert reddest(tab) > 0.55
    assert "left is on the right" in text(tab, "sides")
    assert millimetres(tab) == list(left)
    choose(tab, "layout", "sagittal")
    assert reddest(tab) > 0.55  # the front is to the right, in both conventions


def reddest(tab):
    """Where the strongest evidence is across the view, from 0 (left) to 1 (right)."""
    picture = seen(tab)
    red = np.abs(picture.astype(int) - colours.table(colours.SIGNED)[-1]).max(axis=-1) < 6
    assert red.sum() > 50
    return np.flatnonzero(red.any(axis=0)).mean() / picture.shape[1]


@pytest.mark.parametrize("browser", ["canvas"], indirect=True)
def test_turned_axes_follow_the_affine(show, tmp_path, rng):
    relevance = rng.normal(size=(1, *SHAPE))
    tab = show(preddiff.page(explained(relevance, TURNED), tmp_path / "page.html"))
    for sliders in ({"sagittal": 1, "coronal": 7, "axial": 4}, {"sagittal": 6, "coronal": 0}):
        put(tab, **sliders)
        there = voxel(tab)
        world = Grid(SHAPE, TURNED, {}).world(np.array([there]))[0]
        np.testing.assert_allclose(millimetres(tab), world, atol=0.05 + 1e-6)
        value = float(text(tab, "value").removesuffix(" bits"))
        np.testing.assert_allclose(value, relevance[0][there], rtol=5e-3)


def test_a_page_that_holds_fewer_voxels_says_so_and_tells_their_mean(
    show, tmp_path, rng, monkeypatch
):
    relevance = rng.normal(size=(1, *SHAPE))
    monkeypatch.setattr("preddiff.viewer.volume_encoding._CAP", 1.6 * 1.3 * relevance.size)
    tab = show(preddiff.page(explained(relevance, RAS), tmp_path / "page.html"))
    assert "holds maps as means of 2×2×2 voxels" in text(tab, "coarse")
    put(tab, sagittal=3, coronal=4, axial=7)
    assert voxel(tab) == (7, 4, 3)
    value = float(text(tab, "value").removesuffix(" bits"))
    np.testing.assert_allclose(value, relevance[0, 6:8, 4:6, 2:4].mean(), rtol=5e-3, atol=1e-4)


@pytest.mark.parametrize("browser", ["canvas"], indirect=True)
def test_a_scan_that_does_not_say_its_sides_gets_no_letters(show, tmp_path, relevance):
    tab = show(preddiff.page(explained(relevance, affine=None), tmp_path / "page.html"))
    assert text(tab, "position") == "unknown"
    assert "does not say which side is left" in text(tab, "sides")
    assert tab.get_by_label("left is right").is_disabled()
    put(tab, sagittal=3, coronal=2, axial=1)
    assert voxel(tab) == (1, 2, 3)


def test_a_click_moves_the_crosshair(tab):
    box = tab.locator("#view").bounding_box()
    there = {"x": 0.62 * box["width"], "y": 0.3 * box["height"]}
    tab.locator("#view").click(position=there)
    scale = min(box["height"] / 20, box["width"] / 24)
    across = 6 + 0.12 * box["width"] / scale / 2
    up = 5 + 0.2 * box["height"] / scale / 2
    assert voxel(tab)[1:] == (int(up), int(across))


def test_keys_move_the_crosshair_and_play(tab):
    put(tab, sagittal=5, coronal=5, axial=4)
    tab.locator("#view").focus()
    for key, expected in [
        ("ArrowRight", (4, 5, 6)), ("ArrowUp", (4, 6, 6)), ("PageDown", (3, 6, 6)),
        ("ArrowLeft", (3, 6, 5)), ("ArrowDown", (3, 5, 5)), ("PageUp", (4, 5, 5)),
    ]:  # fmt: skip
        tab.keyboard.press(key)
        assert voxel(tab) == expected
    tab.get_by_label("left is right").check()
    tab.locator("#view").focus()
    tab.keyboard.press("ArrowRight")
    assert voxel(tab) == (4, 5, 4)
    choose(tab, "layout", "sagittal")
    tab.locator("#view").focus()
    tab.keyboard.press("ArrowRight")
    assert voxel(tab) == (4, 6, 4)
    tab.keyboard.press(" ")
    assert tab.locator("#play").inner_text() == "Pause"
    tab.keyboard.press(" ")
    assert tab.locator("#play").inner_text() == "Play"


@pytest.mark.parametrize(
    ("along", "of"),
    [("axial slices", "axial"), ("sagittal slices", "sagittal"), ("window sizes", "explanation")],
)
def test_the_animation_moves_and_stops(tab, along, of):
    choose(tab, "along", along)
    put(tab, speed=20)

    def now():
        return tab.locator(f"#{of}").input_value()

    visited = {now()}
    tab.locator("#play").click()
    for _ in range(200):
        visited.add(now())
        if len(visited) == (2 if of == "explanation" else 4):
            break
        tab.wait_for_timeout(20)
    else:
        pytest.fail(f"it stayed at {visited}")
    tab.locator("#play").click()
    ready(tab)
    tab.wait_for_timeout(100)
    stopped = now()
    tab.wait_for_timeout(200)
    assert now() == stopped


def test_the_saved_picture_is_the_view_with_a_legend(tab):
    put(tab, axial=4, coronal=0, sagittal=0)
    view = seen(tab)
    with tab.expect_download() as download:
        tab.get_by_text("Save the view").click()
    saved = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert download.value.suggested_filename.endswith(".png")
    height, width, _ = view.shape
    assert saved.shape[0] > height + 60
    coarse = [
        np.asarray(Image.fromarray(each).resize((60, 60)), int)
        for each in (saved[:height, :width], view)
    ]
    assert np.abs(coarse[0] - coarse[1]).mean() < 4  # the screen may scale by parts of a pixel
    assert (saved[height + 50 :] < 100).any()  # what it says of itself
    assert (saved[height + 50 :, -8:] > 200).all()  # all of it


@pytest.mark.parametrize("browser", ["niivue"], indirect=True)
def test_everything_is_reached_by_keyboard_and_has_a_name(tab):
    from axe_playwright_python.sync_playwright import Axe

    reached = set()
    for _ in range(40):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("() => document.activeElement.id"))
    assert reached >= {
        "view", "explanation", "target", "threshold", "opacity", "palette", "layout", "sagittal",
        "coronal", "axial", "reversed", "neurological", "along", "speed", "play", "save",
    }  # fmt: skip
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        found = Axe().run(tab).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("browser", ["niivue"], indirect=True)
def test_a_brain_with_three_maps_is_below_six_megabytes_and_opens(show, tmp_path, rng):
    """Maps with values everywhere, which take more than those of a mask."""
    from nilearn.datasets import load_mni152_template
    from scipy.ndimage import gaussian_filter, uniform_filter

    whole = load_mni152_template(resolution=2)
    brain = whole.get_fdata()[4:95, 4:113, 2:93].T
    assert brain.shape == (91, 109, 91)
    affine = whole.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [4, 4, 2]
    scan = brain * (1 + 0.1 * gaussian_filter(rng.normal(size=brain.shape), 1))
    weights = gaussian_filter(rng.normal(size=brain.shape), 2)
    maps = [
        explained(uniform_filter(weights, k)[None], affine, window=k, scan=scan) for k in (3, 5, 10)
    ]
    without = [each.data.drop_vars(["importance", "importance_error"]) for each in maps]
    written = preddiff.page([*map(preddiff.Explanation, without)], tmp_path / "three.html")
    assert written.stat().st_size < 6e6
    written = preddiff.page(maps, tmp_path / "brain.html")  # which holds three more maps
    assert written.stat().st_size < 11e6
    tab = show(written)
    choose(tab, "layout", "coronal")
    choose(tab, "explanation", "10")
    relevance = maps[2].relevance.values[0]
    share = np.abs(relevance) / colours.limit(relevance)
    assert text(tab, "shown") == f"{np.sum(share > 0.15):,} of {relevance.size:,} voxels"
    put(tab, sagittal=20, coronal=60, axial=40)
    assert millimetres(tab) == (affine @ [20, 60, 40, 1])[:3].tolist()
    value = float(text(tab, "value").removesuffix(" bits"))
    np.testing.assert_allclose(value, relevance[40, 60, 20], rtol=5e-3, atol=1e-4 * share.max())


def test_paper_shows_what_the_screen_shows(show, page):
    """A canvas of WebGL prints empty, so that a picture of it stands in its place."""
    tab = show(page)
    before = tab.locator(".still img").get_attribute("src")
    assert before.startswith("data:image/png")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    assert tab.locator(".still img").get_attribute("src") != before
    assert tab.locator(".still img").is_visible()
    for hidden in (".frame", ".panel", "#readout"):
        assert tab.locator(hidden).first.is_hidden()
    assert tab.get_by_text("Settings and provenance").is_visible()
    assert tab.get_by_text("weight_of_evidence").first.is_visible()
