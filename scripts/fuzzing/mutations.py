"""Damage to files: to their bytes, and to what is packed or structured in them.

What a checksum or a compression shields is unpacked, damaged and packed again, so that the damage
reaches the reader behind it. All of it follows from one random number generator.
"""

import gzip
import io
import json
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

_EXTREMES = (0, 1, -1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1,
             2**63 - 1, 2**63, 2**40)  # fmt: skip
_TEXTS = ("", "nan", "-1", "1e999", "../../etc/passwd", "/dev/zero", "a\0b", "\x1b[2J", "\ud800",
          "é" * 50, "x" * 5000, "1" * 5000, "builtins.eval", "pickle", "<b>", "\r\n")  # fmt: skip
_VALUES = (None, True, -1, 0, 2**31, 2**63, 2**70, 1e308, float("nan"), float("inf"), [], {},
           [[]], [2**40] * 3, [-1, 0], {"id": "pickle"}, *_TEXTS)  # fmt: skip
_PNG = b"\x89PNG\r\n\x1a\n"
_DICOM_AT = 128  # where the magic number of a DICOM file stands

Mutation = Callable[[bytes, random.Random], bytes]


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return a damaged copy of a file, damaged in a way that its kind allows."""
    ways = [_bytes, *(way for is_kind, way in _INSIDE if is_kind(content))]
    way = rng.choice(ways[1:]) if len(ways) > 1 and rng.random() < 0.75 else _bytes
    try:
        return way(content, rng)
    except (
        ValueError,
        OverflowError,
        TypeError,
        AttributeError,
        KeyError,
        OSError,
        RecursionError,
    ):
        return _bytes(content, rng)  # what cannot be written so is damaged otherwise


def _bytes(content: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 3))):
        content = rng.choice(_OPERATIONS)(content, rng)
    return content


def _flip(content: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 2, 8, 32)) if damaged else 0):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _repeat(content: bytes, rng: random.Random) -> bytes:
    start, end = _span(content, rng)
    return content[:end] + content[start:end] * rng.choice((1, 2, 50)) + content[end:]


def _delete(content: bytes, rng: random.Random) -> bytes:
    start, end = _span(content, rng)
    return content[:start] + content[end:]


def _blank(content: bytes, rng: random.Random) -> bytes:
    start, end = _span(content, rng)
    return content[:start] + rng.choice((b"\0", b"\xff", b"0")) * (end - start) + content[end:]


def _extreme(content: bytes, rng: random.Random) -> bytes:
    """Put an extreme number into a field, most often of the header."""
    length = rng.choice((1, 2, 4, 8))
    last = max(len(content) - length, 0)
    at = rng.randint(0, min(last, 600) if rng.random() < 0.8 else last)
    number = rng.choice(_EXTREMES) % (1 << 8 * length)
    value = number.to_bytes(length, rng.choice(("little", "big")))
    if rng.random() < 0.15:
        value = struct.pack(rng.choice("<>") + "f", rng.choice((float("nan"), float("inf"), 1e30)))
    return content[:at] + value + content[at + len(value) :]


def _insert(content: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(content))
    text = rng.choice(_TEXTS).encode(errors="surrogatepass")
    return content[:at] + rng.choice((rng.randbytes(rng.randint(1, 40)), text)) + content[at:]


def _span(content: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randint(0, len(content))
    return start, min(len(content), start + rng.choice((1, 4, 16, 100, 1000)))


_OPERATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _cut, _repeat, _delete, _blank, _extreme, _extreme, _extreme, _insert,
)  # fmt: skip


def _png(content: bytes, rng: random.Random) -> bytes:
    """Damage a chunk of a PNG file, or its pixels, under a right checksum."""
    chunks, at = [], len(_PNG)
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += length + 12
    chosen = rng.randrange(len(chunks))
    name, body = chunks[chosen]
    if name == b"IDAT" and rng.random() < 0.5:
        body = zlib.compress(_bytes(zlib.decompress(body), rng))
    else:
        body = _bytes(body, rng)
    chunks[chosen] = (name, body)
    if rng.random() < 0.2:
        chunks.insert(rng.randrange(len(chunks)), rng.choice(chunks))
    parts = (n + b for n, b in chunks)
    return _PNG + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in parts
    )


def _gzip(content: bytes, rng: random.Random) -> bytes:
    return gzip.compress(mutated(gzip.decompress(content), rng), mtime=0)


def _zip(content: bytes, rng: random.Random) -> bytes:
    """Damage, drop, rename or repeat a member of an archive, under a right checksum."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(one.filename, archive.read(one)) for one in archive.infolist()]
    chosen = rng.randrange(len(members))
    if rng.random() < 0.4:  # what describes the others is larger than they are
        chosen = max(range(len(members)), key=lambda number: len(members[number][1]))
    name, body = members[chosen]
    way = rng.random()
    if way < 0.8:
        members[chosen] = (name, mutated(body, rng))
    elif way < 0.9:
        del members[chosen]
    else:
        members[chosen] = (rng.choice((*_TEXTS[3:], name + ".npy")).replace("\ud800", ""), body)
    written = io.BytesIO()
    packing = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED,
                          zipfile.ZIP_BZIP2))  # fmt: skip
    with zipfile.ZipFile(written, "w", packing) as archive:
        for name, body in members:
            archive.writestr(zipfile.ZipInfo(name), body, packing)
    return written.getvalue()


def _npy(content: bytes, rng: random.Random) -> bytes:
    """Put extremes into the header of an array, of which the length stays right."""
    end = 10 + int.from_bytes(content[8:10], "little")
    header = content[10:end].decode("latin-1")
    numbers = list(re.finditer(r"\d+|'[^']*'", header))
    chosen = rng.choice(numbers)
    new = str(rng.choice((*_EXTREMES, "'|O'", "'<U9'", "'<f8'", "'<i2'", "()", "'M8[s]'", "'V8'")))
    header = header[: chosen.start()] + new + header[chosen.end() :]
    return content[:8] + len(header).to_bytes(2, "little") + header.encode() + content[end:]


def _json(content: bytes, rng: random.Random) -> bytes:
    """Replace, insert or remove a value anywhere in a JSON document."""
    document = [json.loads(content)]
    for _ in range(rng.choice((1, 1, 2))):
        places = list(_places(document))
        owner, key = rng.choice(places[1:] or places)
        way = rng.random()
        if way < 0.6:
            owner[key] = rng.choice((rng.choice(_VALUES), *_elsewhere(places, rng)))
        elif way < 0.8 or owner is document:
            _put(owner, rng.choice(_TEXTS), rng.choice(_VALUES))
        else:
            del owner[key]
    if rng.random() < 0.05:
        return b"[" * 100_000
    return json.dumps(document[0]).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every owner and key of a value below a document."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    return [(value, key) for key in keys] + [p for key in keys for p in _places(value[key])]


def _elsewhere(places: list[tuple[Any, Any]], rng: random.Random) -> list[Any]:
    """Return a value of another place, as a copy: of a right type, in a wrong place."""
    owner, key = rng.choice(places)
    return [json.loads(json.dumps(owner[key]))]


def _put(owner: Any, key: str, value: Any) -> None:
    if isinstance(owner, dict):
        owner[key] = value
    else:
        owner.append(value)


def _text(content: bytes, rng: random.Random) -> bytes:
    """Replace, repeat or empty a word of a text."""
    words = re.split(rb"([,;\s]+)", content)
    at = rng.randrange(len(words))
    words[at] = rng.choice((
        b"", b'"', b"\0", b"\xff", b"n/a", words[rng.randrange(len(words))], b"9" * 400,
        rng.choice(_TEXTS).encode(errors="replace"), words[at] * 3, b"=1+1", b"\r", b"x" * 200_000,
    ))  # fmt: skip
    return b"".join(words)


def _dicom(content: bytes, rng: random.Random) -> bytes:
    """Put an extreme value into an element of a DICOM file, as a program writes it."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(io.BytesIO(content), force=True)
        owner = rng.choice((data, data, data, data.file_meta))
        element = rng.choice(list(owner))
        if element.tag == 0x7FE00010 or rng.random() < 0.1:
            data.PixelData = _bytes(data.PixelData, rng)
        elif rng.random() < 0.15:
            del owner[element.tag]
        else:
            numbers = isinstance(element.value, int)
            element.value = rng.choice(_EXTREMES if numbers else (*_TEXTS, *map(str, _EXTREMES)))
        written = io.BytesIO()
        pydicom.dcmwrite(written, data, enforce_file_format=False)
    return written.getvalue()


def _onnx(content: bytes, rng: random.Random) -> bytes:
    """Put an extreme value into a field of an ONNX file, anywhere in its tree."""
    import onnx
    from google.protobuf.message import DecodeError, EncodeError

    try:
        proto = onnx.load_from_string(content)
        fields = list(_fields(proto))
        for _ in range(rng.choice((1, 1, 2))):
            rng.choice(fields)(rng)
        return proto.SerializeToString()
    except (DecodeError, EncodeError):
        return _bytes(content, rng)


def _fields(message: Any) -> list[Callable[[random.Random], None]]:
    """Return for every field below a message what puts another value there."""
    found: list[Callable[[random.Random], None]] = []
    for field, value in message.ListFields():
        several = field.is_repeated
        if field.type == field.TYPE_MESSAGE:
            for one in value if several else [value]:
                found += _fields(one)
            if several:
                found.append(lambda rng, v=value: v.pop(rng.randrange(len(v))))
                found.append(lambda rng, v=value: v.append(rng.choice(list(v))))
        elif several:
            found.append(lambda rng, v=value: v.__setitem__(-1, _another(v[-1], rng)))
            found.append(lambda rng, v=value: v.append(_another(v[-1], rng)))
        else:
            found.append(
                lambda rng, m=message, f=field, v=value: setattr(m, f.name, _another(v, rng))
            )
    return found


def _another(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bytes):
        return _bytes(value, rng)
    if isinstance(value, str):
        return rng.choice((*_TEXTS, "Loop", "Resize", "ConstantOfShape", "data", "prob")).replace(
            "\ud800", ""
        )
    if isinstance(value, float):
        return rng.choice((float("nan"), float("inf"), -1.0, 0.0, 1e30))
    return rng.choice((rng.randint(0, 30), rng.choice(_EXTREMES)))


def _is_json(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_text(content: bytes) -> bool:
    return b"\0" not in content and content[:1].isalnum()


def _is_onnx(content: bytes) -> bool:
    return content[:1] == b"\x08"  # field 1 of the message, the version


_INSIDE: tuple[tuple[Callable[[bytes], bool], Mutation], ...] = (
    (lambda c: c.startswith(_PNG), _png),
    (lambda c: c.startswith(b"\x1f\x8b"), _gzip),
    (lambda c: c.startswith(b"PK"), _zip),
    (lambda c: c.startswith(b"\x93NUMPY"), _npy),
    (lambda c: c[_DICOM_AT : _DICOM_AT + 4] == b"DICM", _dicom),
    (_is_json, _json),
    (_is_text, _text),
    (_is_onnx, _onnx),
)
