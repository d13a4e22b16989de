"""Precisions, and which of them a device is faster in."""

import pytest
import torch

from preddiff.engines import precision
from preddiff.engines.base import PRECISIONS


def test_every_name_has_a_type():
    assert tuple(precision.DTYPES) == PRECISIONS
    for name, dtype in precision.DTYPES.items():
        assert str(dtype) == f"torch.{name}"


@pytest.mark.parametrize(("gains", "names"), [(True, ["bfloat16"]), (False, [])])
def test_a_processor_takes_bfloat16_only_where_that_is_faster(monkeypatch, gains, names):
    monkeypatch.setattr(precision, "_processor_gains", lambda: gains)
    assert precision.shorter(torch.device("cpu")) == names


def test_other_devices_are_known_to_gain():
    assert precision.shorter(torch.device("cuda")) == ["bfloat16", "float16"]
    assert precision.shorter(torch.device("mps")) == ["float16"]
    assert precision.shorter(torch.device("meta")) == []


def test_products_are_timed(monkeypatch):
    monkeypatch.setattr(precision, "_ROUNDS", 2)
    assert 0 < precision._seconds(torch.float32) < 10


@pytest.mark.parametrize("faster", [torch.float32, torch.bfloat16])
def test_the_faster_product_decides(monkeypatch, faster):
    monkeypatch.setattr(precision, "_seconds", lambda dtype: 1.0 if dtype == faster else 2.0)
    assert precision._processor_gains.__wrapped__() == (faster == torch.bfloat16)


def test_a_small_gain_is_left_as_it_might_be_chance(monkeypatch):
    monkeypatch.setattr(precision, "_seconds", lambda dtype: 1.0 + 0.4 * (dtype == torch.float32))
    assert not precision._processor_gains.__wrapped__()
