"""What libtiff prints by itself becomes one warning, which names the file."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from preddiff.errors import InputWarning
from preddiff.media import complaints, images


def test_what_c_prints_is_caught_and_nothing_after(capfd):
    with complaints.caught() as lines:
        os.write(2, b"one\ntwo\n")
    os.write(2, b"three")
    assert lines == ["one", "two"]
    assert capfd.readouterr().err == "three"


def test_it_is_put_back_after_a_failure(capfd):
    with pytest.raises(KeyError), complaints.caught():
        raise KeyError
    os.write(2, b"here")
    assert capfd.readouterr().err == "here"


def test_a_fax_with_broken_lines_is_told(tmp_path, rng, capfd):
    written = io.BytesIO()
    values = rng.random((40, 60)) < 0.5
    Image.fromarray(values).save(written, "TIFF", compression="group4")
    content = bytearray(written.getvalue())
    (tmp_path / "sound.tif").write_bytes(content)
    assert (np.asarray(images.read(tmp_path / "sound.tif")) == values).all()
    content[60:64] = b"\xff\x00\xff\x00"
    (tmp_path / "broken.tif").write_bytes(content)
    with pytest.warns(InputWarning, match=r"broken.tif: the picture seems damaged \(.*line"):
        images.read(tmp_path / "broken.tif")
    assert capfd.readouterr().err == ""
