"""What a result says of where it was made."""

import getpass
import os
import platform

import numpy as np
import PIL

from preddiff.results.provenance import environment


def test_versions_machine_and_date_but_no_person_host_or_folder():
    told = environment()
    assert set(told) == {"preddiff_version", "libraries", "machine", "date"}
    assert told["libraries"].startswith("torch ")
    assert told["machine"].endswith(f"{os.cpu_count()} cores")
    assert told["date"].endswith("+00:00")
    words = " ".join(told.values()).replace(",", "").split()
    assert platform.node() not in words
    assert getpass.getuser() not in words
    assert f"numpy {np.__version__}" in told["libraries"]
    assert told["libraries"].endswith(f"Python {platform.python_version()}")
    assert "/" not in told["machine"] + told["libraries"]


def test_what_was_imported_is_named():
    """As numbers may depend on it."""
    assert f"Pillow {PIL.__version__}" in environment()["libraries"]
