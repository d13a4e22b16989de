"""Names of classes, as callers have them: a list, a mapping or a file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from preddiff.errors import ModelError
from preddiff.media.reading import failures_as, read_text

LabelSource = Sequence[str] | Mapping[int | str, str] | Mapping[str, int] | str | Path
"""Names in the order of the classes; a mapping from numbers to names (id2label) or from names to
numbers (class_to_idx); or a file that `names` reads."""

_BYTES = 1 << 20
_EXPECTED = "a file with one name per line, or a JSON list or mapping of names"


def names(source: LabelSource) -> list[str]:
    """Return the name of each class, in the order of the classes.

    Parameters
    ----------
    source : as `LabelSource` says. A file is a text with one name per line, or JSON: a list, one of
        the mappings, or a mapping that holds one as `id2label`, such as HuggingFace's config.json.

    Raises
    ------
    ModelError
        If the file cannot be read, or numbers of classes are missing.
    """
    if isinstance(source, str | Path):
        return _read(Path(source))
    if isinstance(source, Mapping):
        return _in_order(source)
    return [str(each) for each in source]


def _read(path: Path) -> list[str]:
    text = read_text(path, ModelError, _EXPECTED, _BYTES)
    if path.suffix.lower() != ".json":
        return text.rstrip().splitlines()
    with failures_as(lambda why: ModelError(f"{path}: not {_EXPECTED} ({why})")):
        held = json.loads(text)
    if isinstance(held, dict) and isinstance(held.get("id2label"), dict):
        held = held["id2label"]
    if not isinstance(held, dict | list):
        raise ModelError(f"{path}: not {_EXPECTED}")
    return names(held)


def _in_order(mapping: Mapping[int | str, str] | Mapping[str, int]) -> list[str]:
    """Return the names of a mapping whose keys, or values, are the numbers of the classes."""
    pairs: list[tuple[object, object]] = list(mapping.items())
    if not all(str(key).isdecimal() for key, _ in pairs):
        pairs = [(value, key) for key, value in pairs]
    numbered = {int(str(key)): str(value) for key, value in pairs if str(key).isdecimal()}
    if sorted(numbered) != list(range(len(pairs))):
        raise ModelError(
            f"labels {dict(mapping)!r:.80}: expected a number from 0 to {len(pairs) - 1} for each "
            "name, none twice"
        )
    return [numbered[number] for number in range(len(pairs))]
