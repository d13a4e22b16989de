"""ONNX files whose weights lie in files of their own: beside the model, or nowhere else."""

import os
import warnings

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from preddiff import load_model
from preddiff.errors import EngineWarning, ModelError
from small_onnx import write_onnx

BESIDE = "expected a file beside the model"


@pytest.fixture
def beside(tmp_path):
    """A model in a folder of its own, with its weights in a file there."""
    folder = tmp_path / "model"
    folder.mkdir()
    proto = onnx.load(write_onnx(tmp_path / "one.onnx"))
    onnx.save(proto, folder / "net.onnx", save_as_external_data=True, location="weights.bin",
              size_threshold=0)  # fmt: skip
    return folder / "net.onnx"


def test_weights_beside_the_model_are_read(beside, tmp_path, rng):
    x = rng.random((2, 3, 8, 8)).astype(np.float32)
    assert (beside.parent / "weights.bin").stat().st_size > 0
    found = load_model(beside).predict(x)
    np.testing.assert_array_equal(found, load_model(tmp_path / "one.onnx").predict(x))


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_out_of_the_folder_is_refused(beside, tmp_path, link):
    (beside.parent / "weights.bin").rename(tmp_path / "elsewhere.bin")
    link(tmp_path / "elsewhere.bin", beside.parent / "weights.bin")
    with pytest.raises(ModelError, match=f"{BESIDE}|not a complete ONNX file .*hard"):
        load_model(beside)


def test_a_folder_that_is_a_link_is_refused(beside, tmp_path):
    proto = onnx.load(beside, load_external_data=False)
    proto.graph.initializer[0].external_data[0].value = "inner/weights.bin"
    onnx.save(proto, beside)
    (tmp_path / "outer").mkdir()
    (beside.parent / "weights.bin").rename(tmp_path / "outer/weights.bin")
    (beside.parent / "inner").symlink_to(tmp_path / "outer")
    with pytest.raises(ModelError, match=BESIDE):
        load_model(beside)


def external(location, **extra):
    """A tensor of three numbers that lie in another file."""
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "more")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **extra}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def constant(location):
    return helper.make_node("Constant", [], ["more"], value=external(location))


def in_attribute(proto, location):
    proto.graph.node.append(constant(location))


def in_subgraph(proto, location):
    out = helper.make_tensor_value_info("more", 1, [3])
    branches = {
        "then_branch": helper.make_graph([], "a", [], [out], [external(location)]),
        "else_branch": helper.make_graph([constant(location)], "b", [], [out]),
    }
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    proto.graph.initializer.append(yes)
    proto.graph.node.append(helper.make_node("If", ["yes"], ["unused"], **branches))


def in_function(proto, location):
    opsets = [helper.make_opsetid("", 13)]
    proto.functions.append(
        helper.make_function("own", "F", [], ["more"], [constant(location)], opsets)
    )


@pytest.mark.parametrize("put", [in_attribute, in_subgraph, in_function])
@pytest.mark.parametrize("location", ["../secret", "/etc/passwd"])
def test_no_tensor_anywhere_leads_out_of_the_folder(tmp_path, put, location):
    (tmp_path / "secret").write_bytes(bytes(12))
    folder = tmp_path / "model"
    folder.mkdir()
    proto = onnx.load(write_onnx(folder / "net.onnx"))
    put(proto, location)
    onnx.save(proto, folder / "net.onnx")
    with pytest.raises(ModelError, match=BESIDE):
        load_model(folder / "net.onnx")


@pytest.mark.parametrize("put", [in_attribute, in_subgraph])
def test_tensors_of_attributes_and_subgraphs_beside_the_model_are_read(tmp_path, put):
    proto = onnx.load(write_onnx(tmp_path / "net.onnx"))
    put(proto, "more.bin")
    onnx.save(proto, tmp_path / "net.onnx")
    (tmp_path / "more.bin").write_bytes(bytes(12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EngineWarning)  # what has subgraphs is not converted
        model = load_model(tmp_path / "net.onnx")
    assert model.predict(np.zeros((1, 3, 8, 8), np.float32)).shape == (1, 3)


def test_a_file_that_many_tensors_name_counts_for_each(tmp_path, monkeypatch):
    proto = onnx.load(write_onnx(tmp_path / "net.onnx"))
    (tmp_path / "more.bin").write_bytes(bytes(1 << 20))
    proto.graph.initializer.extend(external("more.bin") for _ in range(30))
    for number, tensor in enumerate(proto.graph.initializer):
        tensor.name = tensor.name if number == 0 else f"more{number}"
    onnx.save(proto, tmp_path / "net.onnx")
    monkeypatch.setenv("PREDDIFF_MAX_READ_GIB", "0.02")
    with pytest.raises(ModelError, match="would take 0.0 GiB of memory, more than the 0.02"):
        load_model(tmp_path / "net.onnx")
