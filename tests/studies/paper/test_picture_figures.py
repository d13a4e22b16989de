"""The settings of the figures of pictures."""

from pathlib import Path

import pytest

from preddiff.studies.paper import picture_figures
from preddiff.studies.paper.workspace import Workspace


class Noting(Workspace):
    """A workspace that notes what it is asked to explain."""

    def picture(self, name):
        return Path(f"{name}.jpg")

    def true_class(self, picture):
        return 7

    def explain(self, network, name, **options):
        self.__dict__.setdefault("asked", []).append(options)
        return object()


def test_maps_stop_at_a_tolerance_that_hurry_multiplies():
    workspace = Noting(None, hurry=2)
    picture_figures._explain(workspace, "GoogLeNet", "sax")
    expected = {"targets": 7, "window": 10, "stride": 2, "tolerance": 0.4}
    assert workspace.asked == [expected]
    hurried = Noting(None, hurry=9)
    picture_figures._explain(hurried, "GoogLeNet", "sax", tolerance=0.3)
    assert hurried.asked[0]["tolerance"] == 0.8
    assert hurried.asked[0]["stride"] == 9


def test_options_with_a_stride_have_no_tolerance():
    workspace = Noting(None)
    options = picture_figures._many_maps_options(workspace, "conv", (3, 1))
    picture_figures._explain(workspace, "GoogLeNet", "sax", **options)
    assert workspace.asked == [
        {"targets": (3, 1), "window": 10, "node": "conv", "stride": 4, "samples": 4}
    ]


def test_figures_share_explanations_of_the_same_settings():
    workspace = Noting(None)
    first = picture_figures._explain(workspace, "GoogLeNet", "sax")
    assert picture_figures._explain(workspace, "GoogLeNet", "sax") is first
    assert picture_figures._explain(workspace, "GoogLeNet", "sax", window=5) is not first
    assert picture_figures._explain(workspace, "SqueezeNet", "sax") is not first


@pytest.mark.parametrize(
    ("k", "options"),
    [
        (1, {"window": 1, "stride": 3, "samples": 2}),
        (2, {"window": 2, "stride": 6, "samples": 2}),
        (5, {"window": 5}),
    ],
)
def test_small_windows_lie_side_by_side(k, options):
    assert picture_figures._window_options(Workspace(None, hurry=3), k) == options
