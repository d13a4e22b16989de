"""Boxes lie on pictures whose object GoogLeNet names."""

from conftest import DATA, needs_data
from preddiff.studies.paper.object_boxes import OBJECT_BOXES
from preddiff.studies.paper.workspace import Workspace


@needs_data
def test_every_box_is_of_a_picture_that_googlenet_knows():
    workspace = Workspace(DATA)
    for name, (left, top, right, bottom) in OBJECT_BOXES.items():
        values = workspace.network("GoogLeNet").predict(workspace.inputs("GoogLeNet", name)[None])
        assert values[0].argmax() == workspace.true_class(workspace.picture(name))
        assert 0 <= left < right <= 224
        assert 0 <= top < bottom <= 224
