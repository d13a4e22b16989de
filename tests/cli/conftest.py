"""A folder to run commands in: a picture, a pool of pictures, and small models to name."""

import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from command_line import FACTORY
from preddiff import cli
from samplers.cohort import cohort, scans

__all__ = ["cohort", "folder", "here", "scans"]


@pytest.fixture
def here(folder, monkeypatch, capsys):
    """Runs the command line in the folder and in this process: a new one takes seconds to begin."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which commands replace
    monkeypatch.delitem(sys.modules, "tiny_model", raising=False)  # of another folder

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["preddiff", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        said = capsys.readouterr()
        return SimpleNamespace(returncode=leaving.value.code, stdout=said.out, stderr=said.err)

    return run


@pytest.fixture
def folder(tmp_path, rng):
    """A folder with a picture, a pool of pictures and a model to name."""
    (tmp_path / "tiny_model.py").write_text(FACTORY)
    (tmp_path / "pool").mkdir()
    for n in range(4):
        pixels = rng.integers(0, 256, size=(40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pool" / f"{n}.png")
    Image.fromarray(pixels).save(tmp_path / "cat.jpg")
    return tmp_path
