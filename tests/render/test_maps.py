"""The maps that can be shown: what each is called, and which is the default."""

import numpy as np
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import SettingError
from preddiff.render import colours
from preddiff.render.maps import DEFAULT_MAP, MAPS
from preddiff.render.overlay import overlay


@pytest.fixture
def explanation(rng):
    picture = rng.random((3, 12, 10))
    return preddiff.explain(
        Softmax(picture.shape), picture, 0, window=4, stride=2, samples=2, sampler="constant:0"
    )


def panels_of(explanation, **wish):
    return {panel.get_title(): panel for panel in preddiff.figure(explanation, **wish).axes}


def test_the_default_is_relevance_with_its_sign(explanation):
    assert DEFAULT_MAP == "relevance"
    assert "relevance over input" in panels_of(explanation)
    assert "importance" not in panels_of(explanation)


def test_importance_has_its_own_colours_from_0_up(explanation):
    panels = panels_of(explanation, map="importance")
    values = explanation.importance.values[0]
    end = colours.limit(values)
    drawn = panels["importance"].images[0].get_array()
    np.testing.assert_array_equal(drawn, colours.unsigned(values, end, colours.SEQUENTIAL))
    expected = overlay(explanation.picture.values, values, end, colours.SEQUENTIAL)
    drawn = panels["importance over input"].images[0].get_array()
    np.testing.assert_array_equal(drawn, expected)
    bar = preddiff.figure(explanation, map="importance").axes[-1]
    assert bar.get_ylim() == (0, pytest.approx(end))
    assert bar.get_ylabel() == "importance (bits)"
    assert preddiff.figure(explanation, "importance").get_supxlabel() == (
        "importance: how much the answer depends on each place, either way"
    )


def test_the_captions_name_the_colours():
    assert MAPS["relevance"].caption == "evidence for (red) and against (blue)"
    assert not MAPS["importance"].signed


def test_the_sequential_scale_begins_white_and_gets_darker_evenly():
    table = colours.table(colours.SEQUENTIAL).astype(int)
    assert (table[0] > 240).all()
    assert (np.diff(table.sum(axis=1)) <= 0).all()
    above = colours.gapped(0.2, colours.SEQUENTIAL)
    assert len(np.unique(above[: int(0.2 * 255)], axis=0)) == 1  # grey up to the threshold
    np.testing.assert_array_equal(above[-1], table[-1])


def test_a_map_that_does_not_exist_is_refused(explanation):
    with pytest.raises(SettingError, match="map='worth': expected one of relevance, importance"):
        preddiff.figure(explanation, map="worth")


def test_an_older_result_says_that_it_has_none(explanation, tmp_path):
    old = preddiff.Explanation(explanation.data.drop_vars(["importance", "importance_error"]))
    with pytest.raises(SettingError, match="is older and does not have it; explain again"):
        preddiff.export(old, tmp_path / "a.png", map="importance")
    assert not (tmp_path / "a.png").exists()


def test_volumes_are_drawn_and_exported(rng, tmp_path):
    import nibabel

    affine = np.diag([2.0, 2, 2, 1])
    nibabel.save(nibabel.Nifti1Image(rng.random((8, 9, 7)), affine), tmp_path / "scan.nii.gz")
    e = preddiff.explain(
        Softmax((1, 7, 9, 8)), tmp_path / "scan.nii.gz", 0, window=3, stride=2, sampler="constant:0"
    )
    preddiff.export(e, tmp_path / "map.nii.gz", map="importance")
    written = nibabel.load(tmp_path / "map.nii.gz").get_fdata()
    np.testing.assert_allclose(written.T, e.importance.values[0], rtol=1e-6)
    figure = preddiff.figure(e, map="importance")
    assert figure.axes[-1].get_ylim()[0] == 0
    assert figure.axes[-1].get_ylabel() == "importance (bits)"
