"""The list of operations that are known."""

import inspect
import operator

import torch
from torch import nn

from preddiff.engines.incremental.compile.recognise.table import RECOGNISED


def test_every_name_is_one_of_torchs():
    """Or of Python's operators, of tensors' methods, of its modules: a slip would go unnoticed."""
    places = (nn.functional, torch, torch.Tensor, nn, operator)
    others = {"stochastic_depth", "concatenate", "truediv"}  # of torchvision, numpy's, Python's
    for name in RECOGNISED:
        assert name in others or any(hasattr(place, name) for place in places), name


def test_every_recogniser_takes_a_call_and_an_input():
    for recogniser in RECOGNISED.values():
        assert next(iter(inspect.signature(recogniser).parameters)) == "call"
