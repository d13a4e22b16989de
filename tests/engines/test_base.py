"""Names and protocols of engines, and what it takes to import them."""

import subprocess
import sys

import pytest

from preddiff.engines import ClosedForm, Dense
from preddiff.engines.base import ENGINES, NAME_IN_PROVENANCE, PRECISIONS


def test_the_names_are_these():
    """Callers write them, and result files hold them: both are promises."""
    assert ENGINES == ("incremental", "dense", "linear")
    assert PRECISIONS == ("float32", "bfloat16", "float16")
    assert NAME_IN_PROVENANCE == {
        "incremental": "incremental", "dense": "dense", "linear": "closed form",
    }  # fmt: skip


def test_engines_have_the_names_of_the_table():
    from preddiff.engines.incremental import Incremental

    named = {"incremental": Incremental.name, "dense": Dense.name, "linear": ClosedForm.name}
    assert named == NAME_IN_PROVENANCE


@pytest.mark.parametrize("module", ["preddiff.engines.base", "preddiff.engines"])
def test_names_are_known_without_torch(module):
    """Settings are validated before a network is loaded."""
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code]).returncode == 0
