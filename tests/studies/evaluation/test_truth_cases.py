"""How maps are judged where the truth is known."""

import numpy as np
import pytest

from preddiff.datasets.parts import PARTS, figures
from preddiff.models.function import Function
from preddiff.studies.evaluation.truth_cases import TRUTHS

WORTH = np.array([0.5, 2.0, -1.0, 3.0, 1.0])  # of the parts, in nats


def watches_parts(data, number):
    """Return a model whose log-odds are the sum of what the parts that it sees are worth."""
    without = [data.without(number, part) for part in range(PARTS)]

    def predict(batch):
        odds = []
        for picture in batch:
            gone = [np.array_equal(picture, each) for each in without]
            odds.append(WORTH[~np.array(gone)].sum())
        p = 1 / (1 + np.exp(-np.array(odds)))
        answers = np.zeros((len(batch), data.labels.max() + 1))
        answers[:, data.labels[number]] = p
        answers[:, data.labels[number] - 1] = 1 - p
        return answers

    return Function(predict)


@pytest.mark.parametrize(("sign", "expected"), [(1, 1.0), (-1, -1.0)])
def test_a_map_of_what_parts_are_worth_is_perfect(sign, expected):
    data, number = figures(80, complete=8), 77
    (case,) = TRUTHS["parts"]
    values = np.zeros(data.pictures.shape[2:])
    for part in range(PARTS):
        where = data.where(number, part)
        values[where] = sign * WORTH[part] / where.sum()
    judged = case.draw(80).judge(number, watches_parts(data, number), values)
    assert judged == {"deletion": pytest.approx(expected)}


def test_tested_figures_lack_no_part():
    (case,) = TRUTHS["parts"]
    pictures = case.draw(80).pictures
    assert np.array_equal(pictures[72:], figures(80, complete=80).pictures[72:])
    assert not np.array_equal(pictures[:72], figures(80, complete=80).pictures[:72])
