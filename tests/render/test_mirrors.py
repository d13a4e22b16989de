"""Of two classes, the second one's map is a mirror image of the first's."""

import nibabel
import numpy as np
import pytest

import preddiff
from preddiff.models import Linear
from preddiff.render.maps import MAPS
from preddiff.render.mirrors import mirror_note, without_mirror
from preddiff.results.explanation import Explanation
from preddiff.samplers import Constant

SHAPE = (1, 4, 5, 6)


def explained(rng, classes, **settings):
    weights = rng.normal(size=(classes, *SHAPE)) / 10
    labels = ["<b>ill</b>", "well", "else"][:classes]
    scan = rng.normal(size=SHAPE).astype(np.float32)
    model = Linear(weights, labels=labels)
    return preddiff.explain(model, scan, sampler=Constant(0.0), window=2, **settings)


@pytest.mark.parametrize("train_size", [np.inf, 50])
@pytest.mark.parametrize("engine", ["linear", "dense"])
def test_the_mirror_image_of_a_second_class_is_left_out_and_named(rng, train_size, engine):
    e = explained(rng, 2, targets="all", train_size=train_size, engine=engine)
    shown = without_mirror(e)
    more, less = np.argsort(-e.prediction.values)
    assert shown.labels == (e.labels[more],)
    assert mirror_note(shown) == f"the map for “{e.labels[less]}” is minus this one"
    assert mirror_note(shown, MAPS["importance"]) == f"the map for “{e.labels[less]}” is the same"
    np.testing.assert_allclose(shown.importance.values[0], e.importance.values[less])


@pytest.mark.parametrize("targets", ["top1", [0, 1]])
def test_what_is_no_mirror_image_is_shown(rng, targets):
    e = explained(rng, 2 if targets == "top1" else 3, targets=targets)
    assert without_mirror(e) is e
    assert mirror_note(e) == ""


def test_differences_of_probability_are_mirrored_and_activations_are_not_asked(rng):
    e = explained(rng, 2, targets="all", measure="DP")
    assert len(without_mirror(e).labels) == 1
    logits = explained(rng, 2, node="logits", targets=[0, 1])
    assert without_mirror(logits) is logits


def test_pages_show_it_once_and_files_hold_it(rng, tmp_path):
    e = explained(rng, 2, targets="all")
    e = Explanation(e.data.assign(affine=(("world", "voxel"), np.eye(4), {})))
    page = preddiff.page(e, tmp_path / "page.html").read_text("utf-8")
    left_out = e.labels[int(e.prediction.values.argmin())]
    other = left_out.replace("<", "&lt;").replace(">", "&gt;")
    assert f"The map for “{other}” is minus this one." in page
    assert page.count('class="precision"') == 1
    # Files are for programs: they have every target that was asked for.
    stored = nibabel.load(preddiff.export(e, tmp_path / "map.nii"))
    assert stored.shape == (*SHAPE[:0:-1], 2)
    only = nibabel.load(preddiff.export(e, tmp_path / "one.nii", target=left_out))
    row = e.labels.index(left_out)
    np.testing.assert_array_equal(only.get_fdata(), stored.get_fdata()[..., row])
