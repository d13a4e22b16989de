"""The code reads as one hand wrote it: words, docstrings, reasons, types."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "preddiff"
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in FILES}

# Private words of the first version: identifiers that nobody else would understand.
PRIVATE_WORDS = (
    r"wish\w*|_?told|_?looks|_?words|_beside|_?place|_?places|_?tally|_?lattice|"
    r"Beyond|Seen|Alike|Tally|Lattice|Watch|Findings|Place"
)
MOST_ANYS = 119
FEWEST_COMMENTS = 3.0  # per hundred lines
# Docstrings start with a verb or a noun phrase.
QUESTION = re.compile(r"(What|Of|How|Whether|Where|Why|Which|As|By|With)\b")


def definitions(tree):
    """Functions and classes with the class that they stand in."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node, None
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield inner, node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_public_things_say_what_they_do(path):
    silent, asking = [], []
    for node, owner in definitions(TREES[path]):
        if node.name.startswith("_") or (owner and owner.name.startswith("_")):
            continue
        text = ast.get_docstring(node)
        name = f"{owner.name}.{node.name}" if owner else node.name
        commands = path.parent.name == "cli"  # their docstrings are the help texts, set below them
        if text is None and not commands:
            silent.append(name)
        if text is not None and QUESTION.match(text):
            asking.append(f"{name}: {text.splitlines()[0]}")
    assert not silent, f"no docstring: {silent}"
    assert not asking, f"start with a verb or a noun phrase: {asking}"


def identifiers(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def test_private_words_are_gone():
    found = {
        f"{path.relative_to(SOURCE)}: {name}"
        for path, tree in TREES.items()
        for name in identifiers(tree)
        if re.fullmatch(PRIVATE_WORDS, name)
    }
    assert not found


def test_no_two_classes_have_one_name():
    names = Counter(
        node.name for tree in TREES.values() for node in tree.body if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_rooms_have_constants_of_one_name():
    names = Counter()
    for path, tree in TREES.items():
        targets = [
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id.isupper()
        ]
        if path.parts[-2] not in {"cli"}:
            names.update(name for name in targets if not name.startswith("_"))
    assert [name for name, count in names.items() if count > 1] == []


def test_any_is_rare():
    count = sum(len(re.findall(r"\bAny\b", path.read_text())) for path in FILES)
    assert count <= MOST_ANYS


def test_comments_give_reasons():
    lines = [line for path in FILES for line in path.read_text().splitlines()]
    comments = [
        line
        for line in lines
        if re.search(r"(^|\s)#\s", line) and not re.search(r"#\s*(noqa|type:|fmt)", line)
    ]
    assert 100 * len(comments) / len(lines) >= FEWEST_COMMENTS


def test_the_root_holds_six_modules_at_most():
    modules = {path.name for path in SOURCE.glob("*.py")}
    assert modules == {"__init__.py", "__main__.py", "errors.py", "types.py"}
    assert (SOURCE / "py.typed").exists()


def test_every_room_is_in_the_architecture():
    text = (SOURCE.parents[1] / "ARCHITECTURE.md").read_text()
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert not [room for room in rooms if f"`{room}/`" not in text]
    for name in re.findall(r"`([\w/]+\.py)`", text):
        assert list(SOURCE.parents[1].rglob(name)), name
