"""Preprocessing as a mapping or a JSON file describes it."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from preddiff import load_model
from preddiff.errors import InputWarning, ModelError
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


@pytest.mark.parametrize("where", ["a folder above", "a link", "a pipe", "large"])
def test_a_model_cannot_read_files_of_the_machine_as_its_labels(tmp_path, where):
    """They stand in pages that are mailed."""
    folder = tmp_path / "here" / "models"
    folder.mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("secret:x:0:0")
    if where == "a link":
        (folder / "etc").symlink_to(tmp_path / "etc")
    elif where == "a pipe":
        (folder / "etc").mkdir()
        os.mkfifo(folder / "etc" / "passwd")
    elif where == "large":
        (folder / "etc").mkdir()
        (folder / "etc" / "passwd").write_text("a" * (1 << 21))
    with pytest.raises(ModelError, match="labels") as told:
        metadata.labels({"labels_file": "etc/passwd"}, folder)
    assert "secret" not in str(told.value)


def test_labels_below_the_models_folder_are_read(tmp_path):
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "a.txt").write_text("cat\ndog\n")
    assert metadata.labels({"labels_file": "names/a.txt"}, tmp_path) == ["cat", "dog"]


def test_a_network_of_imagenet_without_its_list_gets_the_usual_names(tmp_path):
    with pytest.warns(
        InputWarning, match="'gone.txt', that is not in its folder .*: ImageNet's usual .* --labels"
    ):
        found = metadata.labels({"labels_file": "gone.txt", "dataset": "ILSVRC2012"}, tmp_path)
    assert (len(found), found[9]) == (1000, "ostrich")


@pytest.mark.parametrize(
    "settings",
    ["[" * 100_000, '{"scale": 1e999}', '{"mean": NaN}', '{"input_size": 1e300}', "\x00", "{", "3",
     '{"input_size": ' + "9" * 5000 + "}", '{"resize": "short side ' + "9" * 5000 + '"}'],
)  # fmt: skip
def test_settings_that_are_damaged_are_told_in_one_line(tmp_path, small_network, settings):
    (tmp_path / "how.json").write_text(settings)
    with pytest.raises(ModelError) as told:
        load_model(small_network, preprocess=tmp_path / "how.json")
    assert len(str(told.value)) < 500
