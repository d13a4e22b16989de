"""The value of every node, as it was when the node had been run."""

import torch
from torch import fx, nn

from preddiff.models.networks.recorder import Recorder


class Overwriting(nn.Module):
    def forward(self, x):
        y = x - 1
        y.relu_()
        return y * 2


def test_values_are_kept_before_they_are_changed_in_place():
    module = fx.symbolic_trace(Overwriting())
    recorder = Recorder(module)
    x = torch.tensor([0.0, 3.0])
    result = recorder.run(x)
    values = {node.name: value for node, value in recorder.values.items()}
    assert values["sub"].tolist() == [-1, 2]
    assert values["relu_"].tolist() == [0, 2]
    assert values["mul"].tolist() == result.tolist() == [0, 4]
    assert x.tolist() == [0, 3]
