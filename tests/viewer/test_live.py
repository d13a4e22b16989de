"""A page that is served while the analysis runs."""

import http.client
import re
import threading
import time

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import preddiff
from conftest import Softmax
from preddiff import cli
from preddiff.errors import SettingError
from preddiff.method import monitor
from preddiff.render import colours
from preddiff.render.overlay import overlay
from preddiff.viewer.live import Live
from viewer.test_picture import seen

SHAPE = (3, 20, 20)


class Slow(Softmax):
    """As networks are."""

    def __call__(self, inputs):
        time.sleep(0.05)
        return super().__call__(inputs)


class Run(threading.Thread):
    """An analysis in a thread, as the command line makes it in the main one.

    It pauses at its first map, so that tests see that one, however slow the machine.
    """

    def __init__(self, folder, shape=SHAPE, **settings):
        super().__init__(daemon=True)
        self.folder, self.shape, self.settings = folder, shape, settings
        self.address, self.announced = "", threading.Event()

    def announce(self, address):
        self.address = address
        self.live.control("pause")
        self.announced.set()

    def run(self):
        inputs = np.random.default_rng(3).random(self.shape)
        model = Slow(self.shape, scale=4)
        with Live(self.announce) as self.live:
            e = preddiff.explain(model, inputs, callback=self.live, **self.settings)
            preddiff.save(e, self.folder / "saved.zarr")
            self.live.finish("Saved as saved.zarr.", e)


def opened(browser, run):
    run.start()
    assert run.announced.wait(20)
    page = browser.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(run.address)
    page.wait_for_selector("body[data-ready=yes]")
    page.get_by_role("button", name="Resume").wait_for()
    return page


def resume(page):
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause").wait_for()


def relative_error(page):
    page.locator("#progress-text", has_text="%").wait_for()
    return float(
        re.search(r"relative error ([\d.]+) %", page.locator("#progress-text").inner_text())[1]
    )


def test_the_map_sharpens_pauses_and_is_kept_when_stopped(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(monitor, "_SECONDS_BETWEEN_MAPS", 0.1)
    run = Run(tmp_path, window=4, samples=4, sampler="conditional")
    page = opened(browser, run)
    page.wait_for_selector("body[data-complete=yes]")
    before = seen(page)
    resume(page)
    error = relative_error(page)
    page.locator("#progress-text", has_text=re.compile(r"^[12]\d\d of 289 windows")).wait_for()
    assert (seen(page) != before).any()
    assert relative_error(page) < error
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").wait_for()
    time.sleep(0.5)  # what was under way when it was pressed
    before = seen(page)
    told = page.locator("#progress-text").inner_text()
    time.sleep(0.5)
    np.testing.assert_array_equal(seen(page), before)
    assert page.locator("#progress-text").inner_text().split(",")[0] == told.split(",")[0]
    resume(page)
    page.get_by_role("button", name="Stop and save").click()
    page.locator("#state", has_text="Finished").wait_for()
    assert page.locator("#progress-text").inner_text() == "Saved as saved.zarr."
    run.join(20)
    e = preddiff.load(tmp_path / "saved.zarr")
    assert 100 <= e.data.sizes["window"] < e.provenance["windows"] == 289
    relevance = e.relevance.values[0]
    expected = overlay(e.picture.values, relevance, colours.limit(relevance))
    np.testing.assert_array_equal(seen(page), expected)  # and the page outlives its server
    page.locator("#view").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#covering").wait_for()
    assert page.get_by_role("button", name="Stop and save").is_disabled()
    assert page.complaints == []
    page.close()


def test_it_ends_by_itself_and_says_so(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(monitor, "_SECONDS_BETWEEN_MAPS", 0.1)
    run = Run(tmp_path, window=4, stride=2, samples=4, tolerance=0.05)
    page = opened(browser, run)
    resume(page)
    page.locator("#state", has_text="Finished").wait_for()
    run.join(20)
    assert 0 < page.evaluate("() => document.getElementById('share').value") <= 1
    assert (tmp_path / "saved.zarr").exists()
    page.close()


def test_an_analysis_that_fails_says_that_nothing_was_saved(small_network):
    live = Live(lambda _address: None)
    with pytest.raises(RuntimeError, match="power cut"), live:
        raise RuntimeError("power cut")
    assert live.wait_for_update(0, 0)[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_live_page_has_no_serious_fault_of_accessibility(browser, tmp_path, scheme):
    run = Run(tmp_path, window=4, samples=4, sampler="constant:0")
    assert faults_on_the_way(browser, run, scheme) == []


def test_nor_has_that_of_a_volume(slices, tmp_path):
    run = Run(tmp_path, (1, 8, 10, 12), window=3, samples=4, sampler="constant:0")
    assert faults_on_the_way(slices, run, "light") == []


def faults_on_the_way(browser, run, scheme):
    """Of accessibility, at the first map and in the end."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(browser, run)
    page.emulate_media(color_scheme=scheme)
    found = serious(axe, page)
    resume(page)
    page.locator("#state", has_text="Finished").wait_for()
    found += serious(axe, page)
    page.close()
    return found


def serious(axe, page):
    found = axe.run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in {"serious", "critical"}]


@pytest.fixture(scope="module")
def slices(launch):
    """A browser without WebGL2, in which a page of volumes draws quickly."""
    opened = launch("--disable-3d-apis")
    yield opened
    opened.close()


def test_the_map_of_a_volume_sharpens_and_is_kept_when_stopped(slices, tmp_path, monkeypatch, rng):
    monkeypatch.setattr(monitor, "_SECONDS_BETWEEN_MAPS", 0.1)
    shape = (1, 8, 10, 12)
    sampler = preddiff.samplers.Marginal(rng.random((9, *shape)))
    run = Run(tmp_path, shape, window=3, samples=4, sampler=sampler)
    page = opened(slices, run)
    before = page.locator("#view").screenshot()
    resume(page)
    error = relative_error(page)
    page.locator("#progress-text", has_text=re.compile(r"^[23]\d\d of 480 windows")).wait_for()
    assert page.locator("#view").screenshot() != before
    assert relative_error(page) < error
    page.get_by_role("button", name="Stop and save").click()
    page.locator("#progress-text", has_text="Saved as saved.zarr.").wait_for()
    run.join(20)
    e = preddiff.load(tmp_path / "saved.zarr")
    assert e.data.sizes["window"] < e.provenance["windows"] == 480
    for field, array in (("#value", e.relevance), ("#error", e.standard_error)):
        there = tuple(int(n) for n in page.locator("#voxel").inner_text().strip("[]").split(","))
        told = page.locator(field).inner_text().removesuffix(" bits").replace("−", "-")
        assert float(told) == pytest.approx(float(array.values[0][there]), rel=5e-3)
    assert page.complaints == []
    page.close()


def test_what_has_no_page_is_refused(rng):
    told = pytest.raises(SettingError, match=r"\(z, y, x\); leave --live out")
    row = preddiff.Explanation(_finished(rng).data.isel(y=0))
    with Live(lambda _address: None) as live, told:
        live(row)


def test_what_is_over_with_its_first_map_is_not_announced(rng):
    model = preddiff.models.Linear(rng.normal(size=SHAPE), 0.1)
    announced = []
    with Live(announced.append) as live:
        e = preddiff.explain(
            model, rng.random(SHAPE), window=4, sampler="constant:0", callback=live
        )
    assert e.provenance["engine"] == "closed form"
    assert announced == []


def _finished(rng):
    return preddiff.explain(
        Softmax(SHAPE), rng.random(SHAPE), window=4, stride=4, sampler="constant:0"
    )


def test_a_callback_that_returns_true_stops_the_analysis():
    picture = np.random.default_rng(3).random(SHAPE)
    e = preddiff.explain(
        Softmax(SHAPE), picture, window=4, sampler="constant:0", callback=lambda _map: True
    )
    assert e.data.sizes["window"] < e.provenance["windows"] == 17 * 17
    assert np.isfinite(e.relevance).any()


def test_the_command_line_serves_stops_and_writes_everything(tmp_path, monkeypatch):
    from preddiff.models import load

    def stop(address):
        origin, token = address.rsplit("/", 2)[:2]
        connection = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=5)
        connection.request("POST", f"/{token}/stop", headers={"Origin": origin})
        assert connection.getresponse().status == 204

    Image.new("RGB", SHAPE[:0:-1], "teal").save(tmp_path / "cat.jpg")
    small = preddiff.load_model(Softmax(SHAPE))
    monkeypatch.setattr(load, "_from_spec", lambda _spec, _wishes: small)
    monkeypatch.setattr("preddiff.cli.one_input._announce", stop)
    words = ["explain", str(tmp_path / "cat.jpg"), "--window", "4", "--live"]
    done = CliRunner().invoke(cli.app, [*words, "-o", str(tmp_path / "out")])
    assert done.exception is None, done.output
    e = preddiff.load(tmp_path / "out" / "cat.zarr")
    assert e.data.sizes["window"] < e.provenance["windows"]
    assert (tmp_path / "out" / "cat.html").exists()
