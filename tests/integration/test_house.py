"""What holds for the house as a whole."""

import subprocess
import sys
from pathlib import Path

import preddiff

ROOT = Path(__file__).parents[2]
HEAVY = {
    "torch", "torchvision", "matplotlib", "nibabel", "nilearn", "pydicom", "sklearn", "skops",
    "xarray", "zarr", "scipy", "PIL",
}  # fmt: skip


def modules_after(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_importing_the_package_imports_nothing_heavy():
    assert not HEAVY & modules_after("import preddiff")


def test_help_imports_nothing_heavy():
    """So that it answers at once: importing torch alone takes a second or more."""
    assert not (HEAVY | {"numpy"}) & modules_after("import preddiff.cli")


def test_samplers_and_models_are_there_without_torch():
    loaded = modules_after("import preddiff; preddiff.samplers.Marginal; preddiff.models.Linear")
    assert "torch" not in loaded


def test_the_public_names_are_these():
    assert preddiff.__all__ == [
        "PAPER", "Explanation", "PreddiffError", "channel_table", "compare", "datasets", "explain",
        "explain_many", "export", "figure", "interactions", "load", "load_model", "models", "page",
        "region_table", "rerun",
        "samplers", "save", "targets", "verify",
    ]  # fmt: skip
    for name in preddiff.__all__:
        assert getattr(preddiff, name) is not None
    assert callable(preddiff.explain)
    assert dir(preddiff)


def test_unknown_names_are_attribute_errors():
    assert not hasattr(preddiff, "utils")


def test_there_are_no_utils():
    for path in (ROOT / "src").rglob("*.py"):
        assert path.stem not in {"utils", "util", "helpers", "common"}


def test_nothing_of_this_machine_is_in_the_repository():
    for path in ROOT.rglob("*.md"):
        if ".venv" not in path.parts:
            assert str(ROOT.parent) not in path.read_text()
