import numpy as np
import pytest
from PIL import Image

from preddiff.errors import InputError
from preddiff.media.images import to_array
from preddiff.samplers import ChannelwiseGaussian
from preddiff.samplers.gaussian.load import from_spec
from preddiff.samplers.spec import SpecContext


def context(**further):
    return SpecContext(shape=(3, 20, 20), window=4, margin=1, mean=None, **further)


def test_of_a_hidden_node_a_folder_is_what_the_sampler_is_fitted_on(tmp_path, rng):
    for n in range(4):
        pixels = rng.integers(0, 256, size=(20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{n}.png")
    sampler = from_spec(str(tmp_path), context(prepare=to_array, hidden=True))
    assert isinstance(sampler, ChannelwiseGaussian)
    assert [each.shape for each in sampler.channels] == [(1, 6, 6)] * 3


def test_a_folder_where_a_file_is_expected_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a folder, expected a sampler file"):
        from_spec(str(tmp_path), context(prepare=to_array))


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pictures in this folder"):
        from_spec(str(tmp_path), context(prepare=to_array, hidden=True))
