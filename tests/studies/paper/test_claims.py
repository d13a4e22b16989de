"""The claims: their verdicts, and the pictures that they are checked on."""

import numpy as np
import pytest

from conftest import DATA, needs_data
from preddiff.studies.paper import claims
from preddiff.studies.paper.workspace import Workspace


@pytest.mark.parametrize(
    ("mean", "verdict"), [(3, "*It holds.*"), (-3, "the opposite"), (1, "It is not shown")]
)
def test_a_verdict_is_that_of_the_difference_in_standard_errors(mean, verdict):
    spread = np.array([-1.0, 0, 1])
    difference = spread + mean * spread.std(ddof=1) / np.sqrt(3)
    assert verdict in claims._verdict(difference)
    assert verdict in claims._verdict(difference, spread + 10 * np.sign(mean) + 10 * (mean == 1))


@needs_data
def test_the_classes_that_are_called_alike_are():
    workspace = Workspace(DATA)
    dogs, elephants = set(range(151, 269)), {101, 385, 386}
    for name in claims.PICTURES_OF_SIMILAR_CLASSES:
        values = workspace.network("GoogLeNet").predict(workspace.inputs("GoogLeNet", name)[None])
        top = {int(n) for n in values[0].argsort()[-3:]}
        assert top <= dogs or top <= elephants
