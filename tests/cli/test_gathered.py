"""Warnings of many inputs are said once of each kind."""

import warnings

from preddiff.cli.gathered import said_once
from preddiff.errors import EngineWarning


def test_the_first_of_each_kind_is_said_and_the_others_are_counted(monkeypatch, capsys):
    shown = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda message, *_: shown.append(str(message)))
        with said_once():
            for percent, label in ((12, "cat"), (40.5, "dog"), (9, "a 'b")):
                text = f"the correction takes {percent} % of what speaks for {label!r}"
                warnings.warn(EngineWarning(text), stacklevel=1)
            warnings.warn(EngineWarning("something else"), stacklevel=1)
    assert shown == ["the correction takes 12 % of what speaks for 'cat'", "something else"]
    said = capsys.readouterr().err
    assert said == f"preddiff: 2 more like this: {shown[0]}\n"
