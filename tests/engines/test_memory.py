"""The memory of a machine."""

import os

import pytest

from preddiff.engines.memory import machine_memory


def test_it_is_a_number_of_bytes():
    assert 1 << 20 < machine_memory() < 1 << 50


@pytest.mark.parametrize("error", [ValueError, OSError, AttributeError])
def test_where_the_system_does_not_say_it_is_guessed(monkeypatch, error):
    def unknown(name):
        raise error(name)

    monkeypatch.setattr(os, "sysconf", unknown)
    assert machine_memory() == 4 << 30
