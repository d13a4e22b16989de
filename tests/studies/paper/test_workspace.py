"""Networks, pictures and explanations that figures share."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from preddiff.studies.paper.workspace import Workspace


@pytest.fixture
def folder(tmp_path):
    """Three pictures in one colour each, and a place where a network would be."""
    (tmp_path / "images" / "imagenet").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "bvlc_googlenet.onnx").touch()
    rows = ["file,class_index"]
    for number, name in enumerate(["a_cat", "a_dog", "an_owl"]):
        colour = (50 * number,) * 3
        Image.new("RGB", (4, 4), colour).save(tmp_path / "images" / "imagenet" / f"{name}.png")
        rows.append(f"{name}.png,{number}")
    (tmp_path / "images" / "imagenet" / "images.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_picture_is_not_in_its_own_pool(folder):
    stub = SimpleNamespace(prepare=lambda image: np.asarray(image, np.float32).transpose(2, 0, 1))
    workspace = Workspace(folder, _networks={"GoogLeNet": stub})
    pool = workspace.marginal_of_others("GoogLeNet", "dog").pool
    assert [values.max() for values in pool] == [0, 100]


def test_what_figures_share_is_made_once(tmp_path):
    made = []
    workspace = Workspace(tmp_path)
    for _ in range(2):
        assert workspace.once(("a", 1), lambda: made.append(1) or "made") == "made"
    assert workspace.once(("a", 2), lambda: "other") == "other"
    assert len(made) == 1
