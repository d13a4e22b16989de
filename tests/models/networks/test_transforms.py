"""Preprocessing as torchvision, timm and HuggingFace describe it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms as T
from torchvision.models import ConvNeXt_Tiny_Weights
from torchvision.transforms import v2

from preddiff import load_model
from preddiff.errors import ModelError

NORMAL = T.Normalize([0.5, 0.4, 0.3], [0.2, 0.25, 0.3])
VIT = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": 12, "width": 16},
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.25, 0.3],
}


@pytest.fixture
def picture(rng):
    coarse = Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8))
    return coarse.resize((90, 70), Image.Resampling.BICUBIC)


def seen(network, preprocess, picture):
    """What a network gets of a picture."""
    model = load_model(network, preprocess=preprocess)
    return model.normalised(torch.from_numpy(model.prepare(picture))[None])[0]


@pytest.mark.parametrize(
    "transform",
    [
        T.Compose([T.Resize(20), T.CenterCrop(16), T.ToTensor(), NORMAL]),
        T.Compose([T.Resize((16, 18), T.InterpolationMode.BICUBIC), T.ToTensor(), NORMAL]),
        T.Compose([T.ToTensor(), NORMAL]),
        T.Compose([T.Grayscale(), T.Resize(20), T.CenterCrop(16), T.ToTensor()]),
        v2.Compose(
            [
                v2.Resize([20]),
                v2.CenterCrop([16]),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
            ]
        ),
        ConvNeXt_Tiny_Weights.DEFAULT.transforms(),
    ],
    ids=["usual", "stretched", "normalised", "grey", "v2", "weights"],
)
def test_a_transform_of_torchvision_is_what_the_network_gets(small_network, transform, picture):
    torch.testing.assert_close(
        seen(small_network, transform, picture),
        torch.as_tensor(transform(picture)),
        atol=5e-3,  # grey before or after the resize is rounded to one of 255
        rtol=0,
    )


def test_a_configuration_of_timm_is_what_its_own_transform_does(small_network, picture):
    timm = pytest.importorskip("timm")
    config = timm.data.resolve_data_config({"input_size": (3, 24, 24), "crop_pct": 0.9})
    transform = timm.data.create_transform(**config)
    for how in (config, transform):
        torch.testing.assert_close(
            seen(small_network, how, picture), transform(picture), atol=1e-5, rtol=0
        )


class Processor:
    """An image processor as HuggingFace's are called."""

    def __init__(self, **config):
        self.__dict__.update(config)
        self.config = config

    def to_dict(self):
        return self.config

    def __call__(self, images, return_tensors):
        assert return_tensors == "np"
        size = self.size["width"], self.size["height"]
        x = np.asarray(images.resize(size, Image.Resampling.BICUBIC)) * self.rescale_factor
        x = (x - self.image_mean) / self.image_std
        return {"pixel_values": x.transpose(2, 0, 1)[None]}


def test_a_processor_of_huggingface_is_what_the_network_gets(small_network, picture, tmp_path):
    processor = Processor(**VIT)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(VIT))
    expected = torch.tensor(processor(picture, "np")["pixel_values"][0], dtype=torch.float32)
    both = SimpleNamespace(image_processor=processor)
    for how in (processor, both, VIT, tmp_path / "preprocessor_config.json"):
        torch.testing.assert_close(seen(small_network, how, picture), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("changes", "size", "short_side", "scale"),
    [
        ({"size": {"shortest_edge": 20}, "do_center_crop": True, "crop_size": 16}, (16, 16), 20, 1),
        ({"size": {"shortest_edge": 28}, "crop_pct": 0.875}, (28, 28), 32, 1),
        ({"size": {"shortest_edge": 384}, "crop_pct": 0.875}, (384, 384), None, 1),
        ({"size": 16}, None, None, None),
        ({"size": [12, 16], "rescale_factor": 1 / 127.5}, (12, 16), None, 2),
        ({"do_resize": False, "do_rescale": False}, None, None, 255),
    ],
)
def test_processors_of_other_networks(small_network, changes, size, short_side, scale):
    if scale is None:
        with pytest.raises(ModelError, match="without a centre crop gives pictures of many shapes"):
            load_model(small_network, preprocess={**VIT, **changes})
        return
    found = load_model(small_network, preprocess={**VIT, **changes}).preprocessing
    assert (found.size, found.short_side) == (size, short_side)
    assert found.scale == pytest.approx(scale)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (T.Compose([T.RandomHorizontalFlip(), T.ToTensor()]), "RandomHorizontalFlip is no step of"),
        (T.Compose([T.Resize(20), T.ToTensor()]), "Resize to a short side and CenterCrop go"),
        (T.Compose([T.Resize((20, 20)), T.CenterCrop(16)]), r"a resize to \(20, 20\) and then a"),
        (T.Compose([T.PILToTensor()]), r"Compose: gives \(3, 250, 320\), and other values than"),
        (T.Compose([NORMAL]), "Compose: failed on a picture"),
        (len, "preprocess=builtin_function_or_method: not understood; expected a mapping or a"),
    ],
)
def test_what_no_setting_can_say_is_refused(small_network, how, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_model(small_network, preprocess=how)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [{"image_mean": [[0.5], 0.4, 0.3]}, {"image_std": 0.2}, {"size": {"height": {"a": 1}}}],
)
def test_values_of_another_type_are_one_line(small_network, changes):
    with pytest.raises(ModelError, match=r"preprocess: not understood \(\w+: [^\n]+\); expected"):
        load_model(small_network, preprocess=VIT | changes)
