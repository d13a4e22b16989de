"""Scores where the truth is known, as Markdown: a table for each score, a column for each case."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from preddiff.studies.evaluation.scores import Score
from preddiff.studies.evaluation.table import Numbers, differences, failures, numbers_of, table_of
from preddiff.studies.evaluation.truth_cases import TRUTHS
from preddiff.studies.evaluation.truth_contenders import TRUTH_CONTENDERS
from preddiff.studies.evaluation.truth_networks import TRUTH_NETWORKS
from preddiff.studies.evaluation.truth_protocol import TRUTH

_KINDS = {
    "precision": "Precision: the share of the truth among as many pixels of largest magnitude",
    "EMD": "EMD score: 1 minus the earth mover's distance to the truth over the diagonal",
    "deletion": "Deletion: rank correlation of a map's sums over parts with what parts are worth",
}


def truth_tables(scores: Iterable[Score], against: str) -> str:
    """Return Markdown with tables of every set of pictures whose truth is known.

    Means are over pictures and over the networks that they are shown to.

    Parameters
    ----------
    against : the contender whose scores are taken off the others', picture by picture.
    """
    by_set: dict[str, list[Score]] = {}
    for score in scores:
        if score.metric == TRUTH:
            by_set.setdefault(score.model, []).append(score)
    return "\n\n".join("\n\n".join(_of_set(name, each, against)) for name, each in by_set.items())


def _of_set(name: str, scores: Sequence[Score], against: str) -> Iterator[str]:
    halves = " and ".join(sorted({f"“{score.half}”" for score in scores}))
    yield f"### {name}"
    yield (
        f"Test pictures of the half {halves} that every network is right about; mean ± standard "
        "error over pictures and networks."
    )
    yield "\n".join(sorted({score.machine for score in scores}))
    yield "Share of the test pictures that each network is right about:"
    yield _accuracies(scores, name)
    numbers = numbers_of(scores, TRUTH_CONTENDERS)
    for kind, explained in _KINDS.items():
        chosen = {each: _of_kind(scored, kind, name) for each, scored in numbers.items()}
        if not any(set(each) - {"seconds"} for each in chosen.values()):
            continue
        yield f"{explained}:"
        yield table_of(chosen, TRUTH_CONTENDERS)
        if against in chosen and len(chosen) > 1:
            yield f"Differences to {TRUTH_CONTENDERS[against].label} on the same pictures:"
            yield table_of(differences(chosen, against), TRUTH_CONTENDERS)
    yield from failures(scores)


def _of_kind(numbers: Numbers, kind: str, of_set: str) -> Numbers:
    """Return one kind of scores by case, and the seconds."""
    names = {**{f"{kind} {case}": case for case in _cases(of_set)}, "seconds": "seconds"}
    return {short: numbers[name] for name, short in names.items() if name in numbers}


def _cases(name: str) -> list[str]:
    """Return the names of the cases of a set of pictures."""
    return [case.name for case in TRUTHS[name]]


def _accuracies(scores: Iterable[Score], of_set: str) -> str:
    found: dict[tuple[str, str], float] = {}
    for score in scores:
        for name, value in score.scores.items():
            if score.contender in TRUTH_NETWORKS:
                found[score.contender, name.removeprefix("accuracy ")] = value
    cases = [case for case in _cases(of_set) if any(case == known for _, known in found)]
    lines = [f"| network | {' | '.join(cases)} |", f"|---|{'---|' * len(cases)}"]
    for name, label in TRUTH_NETWORKS.items():
        cells = [_accuracy(found, name, case) for case in cases]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _accuracy(found: Mapping[tuple[str, str], float], network: str, case: str) -> str:
    value = found.get((network, case))
    return "–" if value is None else f"{value:.2f}"
