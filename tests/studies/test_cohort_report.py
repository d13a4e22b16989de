"""The report of many results: what stands out, groups, and a page that opens."""

import base64
import gzip
import io
import json
import time
import warnings

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

import preddiff
from conftest import Softmax
from preddiff import cli
from preddiff.media.grid import Grid
from preddiff.media.volumes import Volume
from preddiff.models.linear import Linear
from preddiff.results import summary
from preddiff.results.groups import group_difference, group_map, unlikeness
from preddiff.viewer.report import Listing, report

SHAPE = (5, 6, 7)
BOTH = "control.patient"
GRID = Grid(SHAPE, np.diag([2.0, 2, 2, 1]))


def invoke(*arguments):
    return CliRunner().invoke(cli.app, ["report", *map(str, arguments), "--no-browser"])


@pytest.fixture
def study(tmp_path, rng):
    """Twelve scans, of which the patients' have more in a corner, and a table of their groups."""
    weights = np.zeros((1, *SHAPE))
    weights[0, 1:3, 1:3, 1:3] = 1
    model = Linear(weights, labels=["healthy", "ill"])
    rows = ["path,id,diagnosis"]
    for n in range(12):
        values = rng.normal(size=(1, *SHAPE)).astype(np.float32) / 4
        group = "patient" if n % 2 else "control"
        values[0, 1:3, 1:3, 1:3] += 2 * (n % 2)
        (tmp_path / f"{n}.nii").touch()
        rows.append(f"{n}.nii,s{n:02d},{group}")
        with warnings.catch_warnings(action="ignore"):  # of sides that a bare grid does not say
            e = preddiff.explain(model, Volume(values, GRID), "ill", sampler="constant:0", window=2)
        preddiff.save(e, tmp_path / "out" / f"s{n:02d}.zarr")
    (tmp_path / "study.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_groups_are_compared_and_their_maps_written(study):
    done = invoke(study / "out", "--table", study / "study.csv", "--group", "diagnosis")
    assert done.exception is None, done.exception
    text = (study / "out" / "report.html").read_text()
    assert "control minus patient" in text
    assert "family-wise, 1,000 permutations" in text
    results = {n: preddiff.load(study / "out" / f"s{n:02d}.zarr") for n in range(12)}
    patients = np.stack([results[n].relevance.values[0] for n in range(1, 12, 2)])
    stored = {
        name: nib.load(study / "out" / f"report.{name}.nii.gz").get_fdata().T
        for name in (
            "mean.patient",
            "error.patient",
            f"difference.{BOTH}",
            f"p.{BOTH}",
        )
    }
    np.testing.assert_allclose(stored["mean.patient"], patients.mean(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(
        stored["error.patient"], patients.std(axis=0, ddof=1) / np.sqrt(6), rtol=1e-4, atol=1e-7
    )
    assert stored[f"p.{BOTH}"][1, 1, 1] < 0.05
    assert stored[f"difference.{BOTH}"][1, 1, 1] < 0
    assert np.isnan(stored[f"p.{BOTH}"][-1, -1, -1])  # no map says anything there
    again = invoke(study / "out", "--table", study / "study.csv", "--group", "diagnosis")
    assert again.exception is None, again.exception


def test_a_damaged_result_is_listed_and_a_result_without_a_group_refused(study):
    (study / "out" / "s03.zarr" / "relevance" / ".zarray").unlink()
    assert invoke(study / "out").exception is None
    (study / "out" / "s00.zarr").rename(study / "out" / "other.zarr")
    done = invoke(study / "out", "--table", study / "study.csv", "--group", "diagnosis")
    assert "other: a result that is in no row of the table" in str(done.exception)
    assert "no results in this folder" in str(invoke(study / "out" / "s01.zarr").exception)
    assert "expected both, or neither" in str(invoke(study / "out", "--group", "a").exception)


def test_pictures_have_no_maps_of_groups(tmp_path, rng):
    for n in range(2):
        picture = rng.random((3, 8, 8))
        e = preddiff.explain(Softmax(picture.shape), picture, sampler="constant:0", window=4)
        preddiff.save(e, tmp_path / f"{n}.zarr")
    assert invoke(tmp_path).exception is None
    assert "aps of groups" not in (tmp_path / "report.html").read_text()  # nobody asked
    (tmp_path / "study.csv").write_text("path,group\n0.png,a\n1.png,b\n")
    (tmp_path / "0.png").touch()
    (tmp_path / "1.png").touch()
    done = invoke(tmp_path, "--table", tmp_path / "study.csv", "--group", "group")
    assert done.exception is None
    text = (tmp_path / "report.html").read_text()
    assert "No maps of groups: these are of scans on one grid." in text


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_inputs_without_a_result_are_named_and_the_summary_linked(tmp_path, rng, browser, ending):
    picture = rng.random((3, 8, 8))
    e = preddiff.explain(Softmax(picture.shape), picture, sampler="constant:0", window=4)
    name = "a_rather_long_name-of_a-photograph_from_the_clinic"
    preddiff.save(e, tmp_path / "out" / f"{name}.zarr")
    rows = [
        *summary.rows_of_result("a.png", name, e, f"{name}.zarr"),
        summary.SummaryRow("b.png", "b", summary.FAILED, error="b.png: not a picture"),
        summary.SummaryRow("c.png", "c", summary.NOT_BEGUN),
    ]
    summary.write(rows, tmp_path / "out" / f"all inputs{ending}")
    assert invoke(tmp_path / "out").exception is None
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto((tmp_path / "out" / "report.html").as_uri())
    cards = page.locator("#results li")
    cards.first.wait_for()
    assert cards.count() == 3
    assert "b\nfailed: b.png: not a picture" in cards.nth(1).inner_text()
    assert cards.nth(2).inner_text().split() == ["c", "not", "begun"]
    assert cards.nth(0).inner_text().endswith("exact (every possible draw)")
    lines = cards.nth(0).locator("b").evaluate(LINES)
    assert len(lines) > 1
    assert all(line.endswith(("_", "-")) for line in lines[:-1])
    page.get_by_role("link", name="All inputs in a table").wait_for()
    assert page.get_by_role("link").get_attribute("href") == f"./all%20inputs{ending}"
    page.close()


def test_a_damaged_summary_is_refused(tmp_path):
    path = tmp_path / "summary.csv"
    summary.write([summary.SummaryRow("b.png", "b", summary.FAILED)], path)
    assert summary.find(tmp_path) == path
    path.write_text(path.read_text() + "b.png,b\n")
    with pytest.raises(preddiff.PreddiffError, match="rows of another length than the columns"):
        summary.read(path)


LINES = """element => {
  const lines = [];
  let top = null;
  for (const node of element.childNodes) {
    if (!node.textContent) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const rects = [...range.getClientRects()];
    if (rects[0].top !== top) lines.push("");
    top = rects[0].top;
    lines[lines.length - 1] += node.textContent;
    for (const rect of rects.slice(1)) if (rect.top !== top) lines.push("broken mid-word");
  }
  return lines;
}"""


def test_without_a_difference_few_voxels_are_significant(rng):
    """Family-wise: in one of twenty studies, any voxel is; here, 60 studies of 50 voxels."""
    found = 0
    for seed in range(60):
        maps = rng.normal(size=(12, 50))
        p = group_difference(("a", "b"), maps[:6], maps[6:], 199, seed).p
        found += bool((p < 0.05).any())
    assert found <= 9  # 3 are expected; more than 9 come once in 1,400 times


def test_an_error_over_subjects_is_that_of_their_mean(rng):
    maps = rng.normal(size=(400, 3))
    found = group_map("all", maps)
    np.testing.assert_allclose(found.error, 1 / 20, rtol=0.15)
    assert np.isnan(group_map("one", maps[:1]).error).all()


def test_a_map_unlike_the_others_is_found(rng):
    pattern = rng.normal(size=(6, 6))
    maps = np.stack([pattern + rng.normal(size=(6, 6)) / 3 for _ in range(9)] + [-pattern])
    found = unlikeness(maps)
    assert found.argmax() == 9
    assert found[9] > 1.5
    assert found[:9].max() < 0.5
    assert np.isnan(unlikeness(maps[:1])).all()


def noise(n):
    """As many letters as a thumbnail has, which compress as little."""
    return base64.b64encode(np.random.default_rng(n).bytes(900)).decode()


def listing(n):
    return Listing(
        name=f"subject {n}", input=f"{n}.png", label=f"class {n % 7}", value="0.5", group="",
        prediction=(n * 7919 % 10007) / 10007, error=None if n % 2 else 0.1,
        precision="relative error 10 %", unlike=None, note="",
        link=f"./{n}.html", thumbnail=f"data:image/webp;base64,{noise(n)}",
    )  # fmt: skip


def test_ten_thousand_results_open_in_three_seconds_and_are_filtered(tmp_path, browser):
    path = report([listing(n) for n in range(10_000)], [], tmp_path / "a.html", title="many")
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    begun = time.monotonic()
    page.goto(path.as_uri())
    page.wait_for_selector("#results li")
    seconds = time.monotonic() - begun
    print("seconds", seconds)  # noqa: T201
    assert page.locator("#results li").count() == 100
    assert page.inner_text("#count") == "1 to 100 of 10000"
    page.click("#on")
    assert page.inner_text("#count") == "101 to 200 of 10000"
    page.select_option("#order", "prediction-down")
    best = max(range(10_000), key=lambda n: listing(n).prediction)
    assert page.inner_text("#results li >> nth=0 >> a") == f"subject {best}"
    page.select_option("#label", "class 3")
    page.fill("#search", "subject 42")
    expected = [n for n in range(10_000) if n % 7 == 3 and f"subject {n}".startswith("subject 42")]
    assert page.inner_text("#count").endswith(f"of {len(expected)}")
    assert not errors
    assert seconds < 10  # 3 s on a machine that does nothing else
    page.close()


def test_what_strangers_call_a_result_cannot_leave_the_page(tmp_path, rng):
    picture = rng.random((3, 8, 8))
    e = preddiff.explain(Softmax(picture.shape), picture, sampler="constant:0", window=4)
    name = "javascript:alert(1)<b>"
    preddiff.save(e, tmp_path / f"{name}.zarr")
    preddiff.page(e, tmp_path / f"{name}.html")
    assert invoke(tmp_path).exception is None
    listings = unpacked((tmp_path / "report.html").read_text())
    assert listings[0]["link"] == "./javascript%3Aalert%281%29%3Cb%3E.html"
    assert listings[0]["name"] == name


def unpacked(text):
    packed = text.split('id="listings">')[1].split("<")[0]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_errors_are_shown_from_white_to_black(rng):
    """Red and blue mean evidence."""
    from PIL import Image

    from preddiff.render.colours import ERROR
    from preddiff.viewer.report import slices

    values = rng.random(SHAPE)
    uri = slices(values, values, GRID, end=1.0, scale=ERROR)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))
    assert np.ptp(shown.astype(int), axis=2).max() == 0
    assert np.ptp(shown) > 100


@pytest.mark.parametrize("share", [0.1, 2.0])
def test_a_map_that_is_no_larger_than_its_error_is_noted(tmp_path, rng, share):
    picture = rng.random((3, 12, 12)).astype(np.float32)
    e = preddiff.explain(Softmax((3, 12, 12)), picture, sampler="constant:0", window=4)
    largest = float(np.abs(e.relevance).max())
    noisy = e.data.assign(standard_error=e.relevance * 0 + share * largest)
    preddiff.save(preddiff.Explanation(noisy), tmp_path / "cat.zarr")
    assert invoke(tmp_path).exception is None
    (listing,) = unpacked((tmp_path / "report.html").read_text())
    if share > 1:  # one of two: an error that is known, and too large, is not unknown
        assert (listing["precision"], listing["note"]) == ("", "no larger than its error")
    else:
        assert listing["precision"].startswith("relative error")
        assert listing["note"] == ""
