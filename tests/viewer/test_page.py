"""One file per explanation or comparison."""

import base64
import io
import re
import webbrowser

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import preddiff
from conftest import Softmax
from preddiff.cli.destinations import write_results
from preddiff.errors import SettingError
from preddiff.results.comparison import Comparison
from preddiff.viewer import still
from preddiff.viewer.page import html


def test_a_comparison_is_of_one_input(tmp_path, several):
    other = preddiff.Explanation(several[0].data.assign_attrs(input="other.png", input_sha256=""))
    with pytest.raises(SettingError, match="expected the same input"):
        preddiff.page([several[0], other], tmp_path / "page.html")
    with pytest.raises(SettingError, match="expected at least one"):
        preddiff.page([], tmp_path / "page.html")


def test_view_writes_one_page_of_several_results_and_opens_it(tmp_path, several, monkeypatch):
    from preddiff import cli

    asked = []
    monkeypatch.setattr(webbrowser, "open", asked.append)
    places = [tmp_path / f"{n}.zarr" for n in range(2)]
    for e, place in zip(several, places, strict=False):
        preddiff.save(e, place)
    done = CliRunner().invoke(cli.app, ["view", *map(str, places)])
    assert done.exception is None, done.output
    written = tmp_path / "comparison.html"
    assert done.stdout.splitlines()[-1] == str(written)
    assert asked == [written.as_uri()]
    assert "<legend>Window</legend>" in written.read_text(encoding="utf-8")
    other = tmp_path / "other.html"
    words = ["view", str(places[0]), "--no-browser", "--output", str(other)]
    assert CliRunner().invoke(cli.app, words).exception is None
    assert other.exists()
    assert len(asked) == 1


def test_the_same_result_gives_the_same_page(several):
    assert html(several) == html(several)


def test_pictures_and_volumes_share_no_page_and_rows_have_none(several):
    row = preddiff.Explanation(several[0].data.isel(y=0))
    with pytest.raises(SettingError, match=r"shape \(16,\): expected a picture's \(y, x\)"):
        html(row)
    with pytest.raises(SettingError, match="expected a picture's"):
        html([several[0], row])


def test_a_figure_that_was_drawn_is_only_made_smaller(tmp_path, rng, monkeypatch):
    """Drawing takes longer than all else of the page."""
    picture = rng.random((3, 24, 24)).astype(np.float32)
    e = preddiff.explain(Softmax(picture.shape), picture, window=6, stride=6, samples=2)
    anew = picture_of(html(e))
    monkeypatch.setattr(still, "figure", None)
    _, shown = write_results(Comparison([e]), tmp_path / "cat", only=False)
    smaller = picture_of(shown.read_text())
    assert smaller.size == anew.size
    # By eye: edges are smoothed in another way.
    one, other = (np.asarray(each.resize((60, 20)), dtype=float) for each in (smaller, anew))
    assert np.abs(one - other).mean() < 8  # of 255


def picture_of(page):
    found = re.search(r'<img src="data:image/png;base64,([^"]+)"', page)
    return Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGB")
