"""Preprocessing as a mapping or a JSON file describes it."""

import json

import numpy as np
import pytest
from PIL import Image

from preddiff import load_model
from preddiff.errors import ModelError
from preddiff.models.networks import metadata


def test_a_module_gets_the_preprocessing_that_is_named(rng, small_network, tmp_path):
    how = {"input_size": 16, "resize": "short side 20 (bicubic), centre crop", "mean": [0.5] * 3,
           "std": [0.25] * 3}  # fmt: skip
    model = load_model(small_network, preprocess=how, labels=["a", "b", "c", "d"])
    assert model.prepare(Image.new("RGB", (60, 40))).shape == (3, 16, 16)
    x = rng.random((2, 3, 16, 16)).astype(np.float32)
    expected = load_model(small_network).predict((x - 0.5) / 0.25)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    (tmp_path / "how.json").write_text(json.dumps(how))
    same = load_model(small_network, preprocess=tmp_path / "how.json")
    np.testing.assert_array_equal(same.predict(x), model.predict(x))
    with pytest.raises(
        ModelError, match=r"preprocessing \['size'\] not understood; expected input"
    ):
        load_model(small_network, preprocess={"size": 16})
    with pytest.raises(ModelError, match="a function knows its own output and preprocessing"):
        load_model(lambda x: x, preprocess=how)


def test_a_byte_order_mark_is_no_part_of_a_label(tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n", encoding="utf-8-sig")
    (tmp_path / "p.json").write_text('{"labels_file": "labels.txt"}', encoding="utf-8-sig")
    settings, folder = metadata.read(tmp_path / "p.json")
    assert metadata.labels(settings, folder) == ["cat", "dog"]
