"""Hold arrays against the axis names that signatures give them.

`preddiff.types` and the rooms define aliases such as `Annotated[NDArray[np.float64], "target
window"]`. `watched` wraps every function of some modules that has such an alias in its signature,
so that each call checks data types, numbers of axes, and that a name means one length: in all
arguments and the result of a call, in the items of containers, and in the fields of dataclasses
(where names have their own lengths).
"""

import functools
import importlib
import inspect
import pkgutil
import sys
import types
import typing
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass

import numpy as np
import pytest

Lengths = dict[str, typing.Any]
"""Axis name → length; "*name" → tuple of lengths."""


class AxisError(AssertionError):
    """An array is not what a signature says."""


# Reading annotations.


class _OfUnknown(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __getitem__(cls, parameters):
        return cls


class Unknown(metaclass=_OfUnknown):
    """Stands for a type, or a module of types, that only type checkers import."""


class _Names(dict):
    """Names of a module; those that it does not have are unknown types."""

    def __init__(self, module_names):
        super().__init__()
        self._module_names = module_names

    def __missing__(self, name):
        if name.startswith("__"):  # pytest looks for __tracebackhide__
            raise KeyError(name)
        builtins = vars(sys.modules["builtins"])
        return self._module_names.get(name, builtins.get(name, Unknown))


def hints(something):
    """Annotations of a function or class, with the texts of aliases."""
    module = sys.modules[something.__module__]
    return typing.get_type_hints(something, localns=_Names(vars(module)), include_extras=True)


def _is_array(hint):
    return (typing.get_origin(hint) or hint) is np.ndarray


def _is_named_array(hint):
    return typing.get_origin(hint) is typing.Annotated and _is_array(typing.get_args(hint)[0])


def _parts(hint):
    """The annotation and everything that it consists of; arrays with names are one part."""
    yield hint
    if not _is_named_array(hint) and not _is_array(hint):
        for part in typing.get_args(hint):
            yield from _parts(part)


def has_named_arrays(function):
    """Return whether a signature has aliases with axis names, or dataclasses that have some."""
    return any(
        _is_named_array(part) or _is_record(part)
        for hint in hints(function).values()
        for part in _parts(hint)
    )


def _is_record(hint):
    is_record = inspect.isclass(hint) and (is_dataclass(hint) or hasattr(hint, "_fields"))
    return is_record and any(
        _is_named_array(part) for each in hints(hint).values() for part in _parts(each)
    )


def unnamed_arrays(something):
    """Return the parameters (or fields, or "return") that hold arrays without axis names."""
    return [
        name
        for name, hint in hints(something).items()
        if any(_is_array(part) for part in _parts(hint))
    ]


# Holding values against annotations.


def check(value, hint, lengths, where):
    """Raise an AxisError unless a value is as annotated; learn the lengths that names have.

    Returns
    -------
    number of arrays that were checked.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if _is_named_array(hint):
        _check_array(value, arguments[0], arguments[1].split(), lengths, where)
        return 1
    if origin in {typing.Union, types.UnionType}:
        return _check_any(value, arguments, lengths, where)
    if origin is tuple and isinstance(value, tuple):
        if arguments[1:] == (...,):
            arguments = (arguments[0],) * len(value)
        pairs = zip(value, arguments, strict=True)
        return sum(check(each, hint, lengths, where) for each, hint in pairs)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return sum(check(each, arguments[1], lengths, where) for each in value.values())
    if origin in {list, typing.get_origin(typing.Sequence[int])} and isinstance(value, list):
        return sum(check(each, arguments[0], lengths, where) for each in value)
    if is_dataclass(type(value)):
        return _check_fields(value, [each.name for each in fields(value)], where)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _check_fields(value, value._fields, where)
    return 0


def _check_any(value, hints, lengths, where):
    """Accept what one of several annotations accepts."""
    if not isinstance(value, np.ndarray):
        others = [hint for hint in hints if not _is_named_array(hint)]
        if others:
            return max(check(value, hint, lengths, where) for hint in others)
    failures = []
    for hint in hints:
        learned = dict(lengths)
        try:
            count = check(value, hint, learned, where)
        except AxisError as failure:
            failures.append(failure)
        else:
            lengths.update(learned)
            if count:
                return count
    if failures:
        raise failures[0]
    return 0


def _check_fields(value, names, where):
    """Hold the arrays of a dataclass or named tuple against its own annotations."""
    lengths: Lengths = {}
    known = hints(type(value))
    return sum(
        check(getattr(value, name), known[name], lengths, f"{where}.{name}")
        for name in names
        if name in known
    )


def _check_array(value, array_type, names, lengths, where):
    if not isinstance(value, np.ndarray | np.generic):
        # Python's numbers are arrays without axes to functions that work element by element.
        if isinstance(value, int | float) and names == ["..."]:
            return
        raise AxisError(f"{where}: expected an array ({' '.join(names)}), not {type(value)}")
    arguments = typing.get_args(array_type)
    (scalar,) = typing.get_args(arguments[1]) if len(arguments) > 1 else (typing.Any,)
    if scalar is not typing.Any and not np.issubdtype(value.dtype, scalar):
        raise AxisError(f"{where}: expected {scalar.__name__}, not {value.dtype}")
    said = f"{where}: shape {value.shape} is no ({' '.join(names)})"
    shape = list(value.shape)
    variadic = [name for name in names if name.startswith(("*", "..."))]
    if len(shape) < len(names) - len(variadic) or (not variadic and len(shape) > len(names)):
        raise AxisError(said)
    for name in names:
        if name in variadic:
            several = len(shape) - (len(names) - 1 - names.index(name))
            length, shape = tuple(shape[:several]), shape[several:]
        else:
            length, *shape = shape
        if name == "..." or name.startswith("_"):
            continue
        if lengths.setdefault(name, length) != length:
            raise AxisError(f"{said}, where {name} is {lengths[name]}")


# Wrapping functions.


@dataclass
class Findings:
    """What calls of wrapped functions came to.

    Attributes
    ----------
    arrays : number of arrays that were checked, by function.
    failures : the first message of each parameter that was not as its signature says.
    """

    arrays: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def check(self, value, hint, lengths, name, what):
        """Check one argument or result, and write down what was found."""
        try:
            self.arrays[name] += check(value, hint, lengths, f"{name}, {what}")
        except AxisError as failure:
            self.failures.setdefault(f"{name}, {what}", str(failure))


def checked(function, findings):
    """Return a function that does the same, and checks arguments and result."""
    signature, known = inspect.signature(function), hints(function)
    name = f"{function.__module__}.{function.__qualname__}".removeprefix("preddiff.")

    def items(iterator, hint, lengths):
        for item in iterator:
            findings.check(item, hint, dict(lengths), name, "item")
            yield item

    @functools.wraps(function)
    def wrapper(*arguments, **settings):
        lengths: Lengths = {}
        for key, value in signature.bind(*arguments, **settings).arguments.items():
            if key in known:
                hint = known[key]
                if signature.parameters[key].kind is inspect.Parameter.VAR_POSITIONAL:
                    hint = tuple[hint, ...]
                elif signature.parameters[key].kind is inspect.Parameter.VAR_KEYWORD:
                    hint = dict[str, hint]
                findings.check(value, hint, lengths, name, key)
        result = function(*arguments, **settings)
        hint = known.get("return")
        if inspect.isgenerator(result) and typing.get_args(hint):
            return items(result, typing.get_args(hint)[0], lengths)
        findings.check(result, hint, lengths, name, "result")
        return result

    return wrapper


def modules(*rooms):
    """Import and return all modules of some rooms of the package."""
    found = []
    for room in rooms:
        package = importlib.import_module(f"preddiff.{room}")
        found.append(package)
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            found.append(importlib.import_module(info.name))
    return found


def functions(module):
    """Yield (owner, name, function, kind) of all functions and methods defined in a module.

    `kind` makes of a function what stands in the owner: a classmethod, a property, ...
    """
    for owner in [module, *(each for each in vars(module).values() if inspect.isclass(each))]:
        if inspect.isclass(owner) and owner.__module__ != module.__name__:
            continue
        for name, value in list(vars(owner).items()):
            if isinstance(value, classmethod | staticmethod):
                function, kind = value.__func__, type(value)
            elif isinstance(value, property):
                function, kind = value.fget, property
            elif isinstance(value, functools.cached_property):
                function, kind = value.func, functools.cached_property
            else:
                function, kind = value, lambda function: function
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                yield owner, name, function, kind


@contextmanager
def watched(*rooms) -> Iterator[Findings]:
    """Check every call into some rooms; yield what was found so far."""
    findings = Findings()
    with pytest.MonkeyPatch.context() as patch:
        for module in modules(*rooms):
            for owner, name, function, kind in list(functions(module)):
                if not has_named_arrays(function):
                    continue
                wrapped = kind(checked(function, findings))
                if kind is functools.cached_property:
                    wrapped.__set_name__(owner, name)
                patch.setattr(owner, name, wrapped)
                if owner is module:
                    _replace_imported(patch, name, function, wrapped)
        yield findings


def _replace_imported(patch, name, function, wrapped):
    """Other modules have imported the function: put the wrapped one there, too."""
    for module in list(sys.modules.values()):
        is_ours = module is not None and module.__name__.startswith("preddiff.")
        if is_ours and vars(module).get(name) is function:
            patch.setattr(module, name, wrapped)
