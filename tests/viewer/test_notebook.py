"""Results in a notebook: a page in a frame that can do nothing to the notebook, and figures."""

import base64
import re

import numpy as np

import preddiff
from preddiff.results.comparison import Comparison
from viewer.made import LABELS, SIDE


def test_a_notebook_shows_the_page_in_a_frame(several):
    html = several[0]._repr_html_()
    assert html.startswith("<iframe")
    assert 'sandbox="allow-scripts allow-downloads"' in html
    assert html.count("<script") == 0  # all of it is within the attribute
    channels = preddiff.Explanation(several[0].data.isel(y=0))  # of a kind without a page
    assert channels._repr_html_() is None
    assert channels._repr_png_() is None


def test_a_figure_is_left_where_frames_are_taken_out(several):
    """As JupyterLab does in notebooks that are not trusted: the marks go, what is between stays."""
    html = several[0]._repr_html_()
    left = re.sub(r"</?iframe[^>]*>", "", html)
    (png,) = re.fullmatch(
        r'<img src="data:image/png;base64,([^"]+)" alt="Relevance">', left
    ).groups()
    assert base64.b64decode(png) == several[0]._repr_png_()


def test_what_has_no_page_shows_its_figure(small_network):
    picture = np.random.default_rng(1).random((3, SIDE, SIDE))
    regions = np.ones((SIDE, SIDE), dtype=int)
    regions[:4] = 2
    model = preddiff.load_model(small_network, labels=LABELS)
    found = preddiff.interactions(
        model, picture, regions, targets=[1], sampler="constant:0", window=4
    )
    assert not hasattr(found, "_repr_html_")
    assert found._repr_png_().startswith(b"\x89PNG")


def test_a_comparison_shows_its_page(several):
    html = Comparison(several)._repr_html_()
    assert html.startswith("<iframe")
    assert "window" in html


def test_a_figure_shows_itself_without_a_backend(several):
    assert preddiff.figure(several[0])._repr_png_().startswith(b"\x89PNG")
