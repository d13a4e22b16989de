"""A folder to run commands in: a picture, a pool of pictures, and small models to name."""

import numpy as np
import pytest
from PIL import Image

from command_line import FACTORY
from samplers.cohort import cohort, scans

__all__ = ["cohort", "folder", "scans"]


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
