"""A program that is killed at random moments, again and again, and goes on each time.

It imports what the commands need once, and forks them, as imports take seconds:

    python tests/killed.py FOLDER SEED KILLS ARGUMENT...

FOLDER is where the commands run; ARGUMENTs are those of `preddiff explain`. Prints a line of JSON
for each run: how long it went, and whether it was killed or ended.
"""

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from contextlib import suppress

import numpy as np

from preddiff import cli

IMPORTED = (
    "preddiff.cli.many_inputs",
    "preddiff.models.load",
    "preddiff.models.function",
    "preddiff.pipeline.comparison",
    "preddiff.pipeline.finished",
    "preddiff.samplers.blurred",
    "preddiff.viewer.live",
    "matplotlib.figure",
    "xarray",
    "zarr.api.asynchronous",
)


class Slow:
    """A quick classifier, which takes a moment so that a kill comes somewhere in the middle."""

    def __init__(self):
        self.weights = np.random.default_rng(1).normal(size=(3 * 12 * 12, 3)) / 20

    def __call__(self, inputs):
        time.sleep(0.002)
        logits = inputs.reshape(len(inputs), -1).astype(np.float64) @ self.weights
        exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponent / exponent.sum(axis=1, keepdims=True)


def make():
    """Return the model, for `--model killed:make`."""
    return Slow()


def explain(arguments):
    """Run the command in a child; return its process id."""
    child = os.fork()
    if child:
        return child
    out = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ["preddiff", "explain", *arguments]
    try:
        cli.main()
    except SystemExit as leaving:
        os._exit(leaving.code or 0)
    finally:
        os._exit(70)


def main(folder, seed, kills, *arguments):
    """Run the command undisturbed, and then killed so many times; it goes on each time."""
    os.chdir(folder)
    chance = random.Random(seed)  # noqa: S311 - no secret
    for each in IMPORTED:
        importlib.import_module(each)
    begun = time.monotonic()
    os.waitpid(explain([*arguments, "-o", "undisturbed"]), 0)
    whole = time.monotonic() - begun
    number, left, code = 0, int(kills), 0
    while left or code:
        child = explain([*arguments, "-o", f"killed{number}", "--resume"])
        after = chance.uniform(0, whole)
        if left:
            time.sleep(after)
            copy(f"killed{number}", f"copies/{left}")
            os.kill(child, signal.SIGKILL)
            left -= 1
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        run = {"output": f"killed{number}", "after": after, "code": code}
        print(json.dumps(run), flush=True)  # noqa: T201 - for who started this
        number += not code


def copy(folder, to):
    """Copy a folder that is being written, as far as it is there."""
    with suppress(OSError):
        shutil.copytree(folder, to)


if __name__ == "__main__":
    main(*sys.argv[1:])
