"""Torch, kept from printing what goes wrong: we say it ourselves, in one line."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

import torch
from torch import fx, nn


@contextmanager
def quiet() -> Iterator[None]:
    """Let the block neither log, warn nor write to standard error.

    For tracing: where torch.export gives up, it lists the operations that it has seen so far.
    Blocks are short, as all threads' writing to standard error goes with it.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # torch's loggers have handlers of their own, one each
    try:
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of graphs that are half made
            yield
    finally:
        logging.disable(before)


def call(module: nn.Module, inputs: torch.Tensor) -> Any:
    """Return what a module gives.

    A traced module is called without its own wrapper, which prints the generated code around
    whatever raises.
    """
    if isinstance(module, fx.GraphModule):
        return nn.Module.__call__(module, inputs)
    return module(inputs)
