"""The interpreter."""

import numpy as np
import torch
from torch import fx, nn

from preddiff.engines.incremental.compile.alignment import AlignmentTables
from preddiff.engines.incremental.compile.trace import trace
from preddiff.engines.incremental.execute import run
from small_networks import Function, conv

STARTS = np.array([[2, 3], [9, 1]])


def setting(module):
    torch.manual_seed(0)
    inputs = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        program = trace(fx.symbolic_trace(module.eval()), inputs, (2, 3), torch.float32)
    placements = AlignmentTables(program.body, (16, 16), (4, 4)).placements(STARTS, 3)
    return program, placements, torch.rand(6, 3, 4, 4)


def test_results_are_let_go_of(monkeypatch):
    """As soon as the last step that takes them is done."""
    program, placements, draws = setting(
        Function(lambda m, x: m.b(torch.relu(y := m.a(x))) * torch.sigmoid(y), a=conv(3, 4),
                 b=conv(4, 4, padding=1))
    )  # fmt: skip
    seen = []
    result = run._result

    def watched(step, results, *others):
        seen.append(len(results))
        return result(step, results, *others)

    with torch.inference_mode():
        every = dict(run.watch_body(program, placements, draws))
        monkeypatch.setattr(run, "_result", watched)
        found = run.run_body(program, placements, draws)
    assert torch.equal(found.change, every[program.body[-1]].change)
    assert seen == [0, 1, 1, 2, 2, 2]


def test_the_tail_works_on_rows():
    torch.manual_seed(1)
    head = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 5))
    program, _, _ = setting(nn.Sequential(conv(3, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head))
    base = program.body[-1].tensor
    changes = torch.randn(7, 4)
    with torch.inference_mode():
        found = run.run_tail(program, changes)
        torch.testing.assert_close(found, head(base + changes) - head(base), atol=1e-6, rtol=0)


def test_sizes_follow_from_the_shapes_of_whole_outputs():
    module = Function(lambda m, x: m.a(x).reshape(x.size(0), -1, 14 * 14), a=conv(3, 4))
    program, placements, draws = setting(module)
    with torch.inference_mode():
        assert run.run_body(program, placements, draws).value.shape == (6, 4, 196)
