import numpy as np

from preddiff.samplers.streams import window_generator


def test_a_stream_follows_from_seed_and_number_and_is_no_others():
    keys = [(0, 0), (0, 1), (1, 0), (1, 1), (1 << 40, 0), (0, 0, 1), (0, 1, 1)]
    streams = [window_generator(*key).standard_normal(8) for key in keys]
    for key, stream in zip(keys, streams, strict=True):
        np.testing.assert_array_equal(window_generator(*key).standard_normal(8), stream)
    assert len({stream.tobytes() for stream in streams}) == len(keys)


def test_streams_are_what_they_were():
    """Draws of old results can be made again."""
    expected = [-0.3555859196531437, 0.4337061803972853, 0.3522131685487969]
    np.testing.assert_allclose(window_generator(3, 17).standard_normal(3), expected, rtol=1e-14)
