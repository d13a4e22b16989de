"""Results in a notebook: a page in a frame that can do nothing to the notebook, and figures."""

import preddiff
from preddiff.results.comparison import Comparison


def test_a_notebook_shows_the_page_in_a_frame(several):
    html = several[0]._repr_html_()
    assert html.startswith("<iframe")
    assert 'sandbox="allow-scripts allow-downloads"' in html
    assert html.count("<script") == 0  # all of it is within the attribute
    channels = preddiff.Explanation(several[0].data.isel(y=0))  # of a kind without a page
    assert channels._repr_html_() is None


def test_a_comparison_shows_its_page(several):
    html = Comparison(several)._repr_html_()
    assert html.startswith("<iframe")
    assert "window" in html


def test_a_figure_shows_itself_without_a_backend(several):
    assert preddiff.figure(several[0])._repr_png_().startswith(b"\x89PNG")
