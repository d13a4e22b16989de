"""Scores as Markdown: means over pictures, and paired differences, with their standard errors."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from preddiff.studies.evaluation.contenders import CONTENDERS, Contender
from preddiff.studies.evaluation.scores import Score

Numbers = Mapping[str, Mapping[str, float]]
"""Of one contender: by the score's name, one number for each picture."""

Contenders = Mapping[str, Contender]
"""Contenders by name, in the order of a table's rows."""

_SECONDS = "seconds"


def tables(scores: Iterable[Score], against: str, budget: float | None = None) -> str:
    """Return Markdown with two tables for each model: means, and differences to one contender.

    Parameters
    ----------
    against : the contender whose scores are taken off the others', picture by picture.
    budget : seconds; contenders whose maps take longer on average are left out, and named.
    """
    by_model: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by_model[score.model].append(score)
    return "\n\n".join(
        "\n\n".join(_of_model(model, each, against, budget)) for model, each in by_model.items()
    )


def _of_model(
    model: str, scores: Sequence[Score], against: str, budget: float | None
) -> Iterator[str]:
    numbers = numbers_of(scores, CONTENDERS)
    pictures = len({score.picture for score in scores})
    halves = " and ".join(sorted({f"“{score.half}”" for score in scores}))
    yield f"### {model}"
    yield f"{pictures} pictures of the half {halves}; mean ± standard error over pictures."
    yield "\n".join(sorted({score.machine for score in scores}))
    if budget is not None:
        slow = [name for name in numbers if _seconds(numbers[name]) > budget]
        numbers = {name: each for name, each in numbers.items() if name not in slow}
        if slow:
            said = ", ".join(CONTENDERS[name].label for name in slow)
            yield f"Longer than {budget:g} seconds a map: {said}."
    if not numbers:
        return
    yield table_of(numbers, CONTENDERS)
    if any(CONTENDERS[name].hides_with for name in numbers):
        yield "\\* hides pixels as the map itself does, so it is no fair judge of it."
    if against in numbers and len(numbers) > 1:
        yield f"Differences to {CONTENDERS[against].label} on the same pictures:"
        yield table_of(differences(numbers, against), CONTENDERS)
    yield from failures(scores)


def numbers_of(scores: Iterable[Score], contenders: Contenders) -> dict[str, Numbers]:
    """Return the numbers of each contender, in the order of the contenders."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for score in scores:
        if score.error or not score.scores:
            continue  # where a metric does not apply, no map was made that took seconds
        of_contender = found.setdefault(score.contender, {})
        for name, value in {**score.scores, _SECONDS: score.seconds}.items():
            of_contender.setdefault(name, {})[score.picture] = value
    return {name: found[name] for name in contenders if name in found}


def differences(numbers: Mapping[str, Numbers], against: str) -> dict[str, Numbers]:
    """Return each contender's numbers minus those of one, on the pictures that both have."""
    reference = numbers[against]
    return {
        contender: {
            name: {
                picture: value - reference[name][picture]
                for picture, value in each.items()
                if picture in reference.get(name, {})
            }
            for name, each in of_contender.items()
        }
        for contender, of_contender in numbers.items()
        if contender != against
    }


def table_of(numbers: Mapping[str, Numbers], contenders: Contenders) -> str:
    """Return a table: a row for each contender, a column for each score.

    A row says of how many pictures it is, where others are of more: these may be harder.
    """
    names = dict.fromkeys(name for each in numbers.values() for name in each)
    names = dict.fromkeys([*(name for name in names if name != _SECONDS), _SECONDS])
    lines = [f"| map | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    counts = {name: len(of_contender[_SECONDS]) for name, of_contender in numbers.items()}
    most = max(counts.values(), default=0)
    for contender, of_contender in numbers.items():
        row, count = contenders[contender], counts[contender]
        cells = [_cell(row, name, of_contender.get(name, {})) for name in names]
        of_how_many = "" if count == most else f" ({count} of {most} pictures)"
        lines.append(f"| {row.label}{of_how_many} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(contender: Contender, name: str, of_pictures: Mapping[str, float]) -> str:
    values = np.array(list(of_pictures.values()))
    if len(values) == 0:
        return "–"
    hides_with = contender.hides_with
    mark = "\\*" if hides_with and name.endswith(f" {hides_with}") else ""
    mean = f"{values.mean():.3g}" if name == _SECONDS else f"{values.mean():.2f}"
    if len(values) < 2 or name == _SECONDS:
        return f"{mean}{mark}"
    return f"{mean} ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}{mark}"


def failures(scores: Iterable[Score]) -> Iterator[str]:
    """Yield what failed, each message once, with the metrics and the number of pictures."""
    failed: dict[tuple[str, str], list[Score]] = defaultdict(list)
    for score in scores:
        if score.error:
            failed[score.contender, score.error].append(score)
    if failed:
        yield "\n".join(
            f"- {contender} failed on {len({each.picture for each in those})} pictures "
            f"({', '.join(dict.fromkeys(each.metric for each in those))}): {error}"
            for (contender, error), those in failed.items()
        )


def _seconds(numbers: Numbers) -> float:
    return float(np.mean(list(numbers[_SECONDS].values())))
