"""timm's networks by name."""

import numpy as np
import torch

from preddiff import load_model


def test_timm_with_random_weights():
    model = load_model("timm:mobilenetv3_small_050@random")
    assert model.shape == (3, 224, 224)
    assert model.labels[9].startswith("ostrich")
    assert model.predict(np.zeros((1, 3, 224, 224), dtype=np.float32)).shape == (1, 1000)


def test_weights_of_a_file_say_how_many_classes_there_are(tmp_path):
    import timm

    own = timm.create_model("mobilenetv3_small_050", num_classes=3)
    torch.save(own.state_dict(), tmp_path / "mine.pt")
    model = load_model(f"timm:mobilenetv3_small_050@{tmp_path}/mine.pt", labels=["a", "b", "c"])
    assert torch.equal(model.module.state_dict()["classifier.bias"], own.classifier.bias)
    assert model.spec == "timm:mobilenetv3_small_050@mine.pt"
    assert model.labels == ["a", "b", "c"]
    assert model.train_size is None
