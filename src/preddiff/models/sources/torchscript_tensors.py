"""Tensors of TorchScript archives: held against the bytes that there are, before torch reads them.

torch takes their lengths on trust, and reads beyond the end of the file's bytes where they are not
true. So the pickles that describe them are walked, without making anything of them.
"""

import pickletools
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

_ITEM = {
    "Half": 2, "BFloat16": 2, "Float": 4, "Double": 8, "Char": 1, "Short": 2, "Int": 4, "Long": 8,
    "Byte": 1, "Bool": 1, "ComplexFloat": 8, "ComplexDouble": 16,
    "QInt8": 1, "QUInt8": 1, "QInt32": 4,
}  # fmt: skip
"""Bytes of a number, by the name of its storage's class."""


@dataclass(frozen=True)
class _Storage:
    numbers: int


_MARK = object()
_MEMOIZED = {"BINPUT", "LONG_BINPUT", "PUT"}
_RECALLED = {"BINGET", "LONG_BINGET", "GET"}
_TUPLES = {"EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "TUPLE"}


def check(archive: zipfile.ZipFile) -> None:
    """Raise a ValueError if a tensor claims more numbers than the archive has of it.

    Whatever else it raises says that a pickle is damaged.
    """
    for name in archive.namelist():
        if name.endswith(("/data.pkl", "/constants.pkl")):  # all that torch unpickles of it
            _Walk(archive, name.removesuffix(".pkl")).walk(archive.read(name))


class _Walk:
    """A pickle's stack of literals, tuples and storages; everything else on it is None.

    Parameters
    ----------
    folder : of the archive that has the bytes of storages, by key.
    """

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self.archive = archive
        self.folder = folder
        self.stack: list[object] = []
        self.memo: dict[object, object] = {}

    def walk(self, pickled: bytes) -> None:
        """Follow all operations; raise at a tensor that cannot be."""
        for code, given, _ in pickletools.genops(pickled):
            if code.name in _MEMOIZED:
                self.memo[given] = self.stack[-1]
            elif code.name in _RECALLED:
                self.stack.append(self.memo[given])
            elif code.name == "MARK":
                self.stack.append(_MARK)
            else:
                self._step(code, given)

    def _step(self, code: pickletools.OpcodeInfo, given: object) -> None:
        taken = self._taken(code)
        if code.name in _TUPLES:
            self.stack.append(tuple(taken))
        elif code.name == "BINPERSID":
            self.stack.append(self._storage(taken[0]))
        elif code.name == "REDUCE":
            _check_tensor(taken[-1])
            self.stack.append(None)
        else:
            known = given if code.name == "GLOBAL" or not taken else None
            self.stack += [known] * len(code.stack_after)

    def _taken(self, code: pickletools.OpcodeInfo) -> list[object]:
        """Remove what an operation takes from the stack, and return it."""
        before = code.stack_before
        at = len(self.stack) - len(before)
        if pickletools.stackslice in before:
            mark = max(n for n, each in enumerate(self.stack) if each is _MARK)
            at = mark - before.index(pickletools.markobject)
        taken = self.stack[at:] if before else []
        if before:
            del self.stack[at:]
        return [each for each in taken if each is not _MARK]

    def _storage(self, description: object) -> _Storage:
        if not isinstance(description, Sequence) or len(description) != 5:
            raise ValueError(f"a storage described by {description!r:.80}")
        _, kind, key, _, numbers = description
        item = _ITEM[str(kind).split()[-1].removesuffix("Storage")]
        held = self.archive.getinfo(f"{self.folder}/{key}").file_size // item
        if not isinstance(numbers, int) or not 0 <= numbers <= held:
            raise ValueError(f"storage {key!r:.20} of {numbers!r:.20} numbers has {held}")
        return _Storage(numbers)


def _check_tensor(arguments: object) -> None:
    """Raise if these are the arguments of a tensor that reaches beyond its storage."""
    if not isinstance(arguments, tuple) or not arguments or not isinstance(arguments[0], _Storage):
        return
    storage, offset, sizes, strides = arguments[:4]
    steps = [(n - 1) * step for n, step in zip(sizes, strides, strict=True)]
    if min([offset, *sizes, *strides]) < 0 or (
        0 not in sizes and offset + sum(steps) >= storage.numbers
    ):
        raise ValueError(
            f"a tensor of sizes {sizes!r:.40} with strides {strides!r:.40} from {offset} on has "
            f"{storage.numbers} numbers"
        )
