"""Tensors as rows of memory."""

import itertools

import pytest
import torch

from preddiff.engines.incremental.execute.kernels.memory import FlatTensor, supports


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 2, 4, 5), (2, 1, 4, 5)])
@pytest.mark.parametrize("last", [True, False])
def test_a_number_is_where_the_steps_lead(shape, last):
    tensor = torch.rand(shape)
    if last:
        order = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
        tensor = tensor.contiguous(memory_format=order)
    flat = FlatTensor.of(tensor)
    volumes = tensor if len(shape) == 5 else tensor[:, :, None]
    assert flat.sizes == tuple(volumes.shape[2:])
    for n, c, z, y, x in itertools.product(*map(range, volumes.shape)):
        at = sum(i * step for i, step in zip((n, z, y, x), flat.steps, strict=True)) + c
        assert flat.values[at] == volumes[n, c, z, y, x]


def test_some_channels_are_a_view():
    tensor = torch.rand(2, 6, 4, 5).contiguous(memory_format=torch.channels_last)
    part = FlatTensor.of(tensor.narrow(1, 2, 3))
    part.values[0] = -1
    assert tensor[0, 2, 0, 0] == -1
    assert part.steps == (6 * 20, 0, 6 * 5, 6)


def test_bfloat16_is_its_bits():
    tensor = torch.full((1, 2, 1, 1), 1.0, dtype=torch.bfloat16)
    assert FlatTensor.of(tensor).values.tolist() == [0x3F80, 0x3F80]


def test_what_the_loops_work_on():
    maps = torch.rand(1, 2, 3, 3)
    assert supports(maps, maps.bfloat16(), maps[:, :, None])
    assert not supports(maps, maps.double())
    assert not supports(maps.half())
    assert not supports(maps[0])
    assert not supports(maps.to("meta"))
