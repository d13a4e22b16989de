"""Windows of tokens: the patches that a transformer embeds."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import SwinTransformer, VisionTransformer
from torchvision.models.convnext import CNBlockConfig, ConvNeXt

import preddiff
from conftest import Softmax
from preddiff.errors import SettingError
from preddiff.models.networks.tokens import token_size


@pytest.fixture(scope="module")
def transformer():
    torch.manual_seed(0)
    return VisionTransformer(32, 8, 1, 2, 16, 16, num_classes=3).eval()


@pytest.fixture
def picture(rng):
    return rng.random((3, 32, 32)).astype(np.float32)


def test_a_window_is_a_token_that_the_embedding_sees(transformer, picture):
    """Hiding one changes this token's embedding and no other's."""
    torch.manual_seed(1)
    nn.init.normal_(transformer.heads.head.weight)
    named = {"sampler": "constant:0.5", "targets": [1], "measure": "DP"}
    e = preddiff.explain(transformer, picture, window="token", **named)
    assert (e.provenance["window"], e.provenance["stride"]) == (8, 8)
    assert (e.provenance["window_said"], e.provenance["stride_said"]) == ("token", "token")
    starts = e.data["window_start"].values
    assert len(starts) == 16
    with torch.no_grad():
        before = transformer.conv_proj(torch.from_numpy(picture[None])).flatten(2)
        whole = transformer(torch.from_numpy(picture[None])).softmax(1)[0, 1]
        for number, (y, x) in enumerate(starts):
            hidden = torch.from_numpy(picture[None].copy())
            hidden[..., y : y + 8, x : x + 8] = 0.5
            changed = (transformer.conv_proj(hidden).flatten(2) != before).any(dim=1)[0]
            assert changed.nonzero().tolist() == [[y // 8 * 4 + x // 8]]
            evidence = float(whole - transformer(hidden).softmax(1)[0, 1])
            assert e.evidence.values[0, number] == pytest.approx(evidence, abs=1e-4)


def test_several_tokens_are_a_token_apart_and_sets_are_side_by_side(transformer, picture):
    named = {"sampler": "constant:0.5", "targets": [1], "window": "token:2"}
    e = preddiff.explain(transformer, picture, **named)
    assert (e.provenance["window"], e.provenance["stride"]) == (16, 8)
    assert e.data.sizes["window"] == 9
    wide = preddiff.explain(transformer, picture, stride="token:2", **named)
    assert wide.data.sizes["window"] == 4
    sets = preddiff.explain(transformer, picture, sets=90, **named)
    assert (sets.provenance["window"], sets.provenance["stride"]) == (16, 16)
    both = preddiff.explain(transformer, picture, **named | {"window": (4, "token")})
    assert both.provenance["window"] == "4, 8"


def test_the_patches_of_a_swin_transformer_are_known():
    network = SwinTransformer([4, 2], 8, [1, 1], [1, 1], [2, 2], num_classes=3).eval()
    assert token_size(network, "swin") == (4, 2)


def test_networks_without_tokens_say_so(small_network, picture):
    patches = ConvNeXt([CNBlockConfig(8, None, 2)], num_classes=3).eval()
    with pytest.raises(SettingError, match=r"no tokens .*\(it has no attention\): give pixels"):
        preddiff.explain(patches, picture, window="token")

    class Attention(nn.Module):
        def forward(self, x):
            return x

    stem = nn.Sequential(nn.Conv2d(3, 4, 7, stride=4), Attention())
    with pytest.raises(SettingError, match="its first convolution is no cut into patches"):
        token_size(stem, "hybrid")
    with pytest.raises(SettingError, match="is no torch network, of which patches are known"):
        preddiff.explain(Softmax(picture.shape), picture, window="token")
    with pytest.raises(SettingError, match="window='token:0': expected a whole number, one for"):
        preddiff.explain(Softmax(picture.shape), picture, window="token:0")
    with pytest.raises(SettingError, match="window='token': is of the input, not of a hidden node"):
        preddiff.explain(
            small_network, picture[:, :16, :16], source="1", window="token", sampler="constant:0"
        )
