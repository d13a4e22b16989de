"""What a result says of where it was made."""

import getpass
import os
import platform

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
    assert "/" not in told["machine"] + told["libraries"]
