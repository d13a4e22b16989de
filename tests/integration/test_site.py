"""The site is complete; `make docs` builds it, and runs its examples."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import preddiff

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = (DOCS / "api.md").read_text()
EXAMPLES = sorted((DOCS / "examples").glob("plot_*.py"))


def test_the_reference_is_of_every_public_module():
    modules = set(re.findall(r"^\.\. automodule:: (\S+)$", REFERENCE, flags=re.MULTILINE))
    parts = {f"preddiff.{name}" for name in ("datasets", "models", "samplers", "targets")}
    assert modules == {"preddiff", *parts}
    assert {name.removeprefix("preddiff.") for name in parts} <= set(preddiff.__all__)


def test_the_adapters_of_the_reference_are_all_there_are():
    found = set()
    for full in re.findall(r"^\.\. auto(?:class|function):: (\S+)$", REFERENCE, flags=re.MULTILINE):
        module, _, name = full.rpartition(".")
        assert hasattr(importlib.import_module(module), name), full
        found.add(module.rpartition(".")[2])
    files = {path.stem for path in Path(preddiff.__file__).parent.glob("adapters/*.py")}
    assert found == files - {"__init__", "tensors"}


def test_first_pages_lead_to_examples():
    first = "".join((DOCS / name).read_text() for name in ("index.md", "tour.md"))
    named = set(re.findall(r"<gallery/(\w+)>", first))
    assert named
    assert named <= {path.stem for path in EXAMPLES}
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_use_public_names(path):
    tree = ast.parse(path.read_text())
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "preddiff"
    }
    assert used <= set(preddiff.__all__)
    assert ast.get_docstring(tree).splitlines()[1].startswith("===")
