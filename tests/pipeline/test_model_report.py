"""What a model is, and what explaining one picture costs."""

from conftest import Softmax
from preddiff.models import load_model
from preddiff.models.networks.network import Network
from preddiff.pipeline.model_report import inspect


def test_a_network_of_known_size(small_network):
    model = Network(small_network, output="logits", labels=list("abcd"))
    model.__dict__["shape"] = (3, 16, 16)
    facts, nodes = inspect(model)
    assert (facts["input"], facts["classes"]) == ("3×16×16", "4 (a, …)")
    assert facts["engine"].split(", ")[1] in {"float32", "bfloat16"}
    assert facts["one picture"].startswith("1,000 sets of windows: ")
    assert " ms by onnxruntime " in facts["one whole pass"]
    assert facts["one picture, --paper"].startswith("49 windows × 10 draws at stride 1: ")
    assert nodes["0"] == (6, 16, 16)


def test_a_function_takes_any_size():
    facts, nodes = inspect(load_model(Softmax((3, 8, 8))))
    assert facts["input"] == "any size"
    assert not nodes
