"""The line that says what a number was measured on."""

import torch

from preddiff.studies import machine


def test_it_names_the_features_that_the_processor_has(monkeypatch):
    for test in machine._CPU_FEATURES.values():
        monkeypatch.setattr(torch.cpu, test, lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    text = machine.describe()
    assert "cores (AMX); torch" in text
    assert "AVX" not in text


def test_a_torch_without_such_a_function_counts_as_a_machine_without_the_feature(monkeypatch):
    monkeypatch.setattr(machine, "_CPU_FEATURES", {"NEW": "_is_new_supported"})
    assert "cores ();" in machine.describe()
