"""timm's networks by name."""

import numpy as np

from preddiff import load_model


def test_timm_with_random_weights():
    model = load_model("timm:mobilenetv3_small_050@random")
    assert model.shape == (3, 224, 224)
    assert model.labels[9].startswith("ostrich")
    assert model.predict(np.zeros((1, 3, 224, 224), dtype=np.float32)).shape == (1, 1000)
