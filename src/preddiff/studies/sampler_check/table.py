"""Table: the scores of samplers as Markdown."""

from collections.abc import Iterator, Mapping

from preddiff.samplers.load import sampler_name
from preddiff.studies.sampler_check.scores import INTERVALS, Mean, Scores


def lines(scores: Mapping[str, Scores], window: int, margin: int, unit: str) -> Iterator[str]:
    """Yield a table of samplers by name: mean ± standard error over inputs.

    Parameters
    ----------
    unit : word for an input, such as pictures.
    """
    first = next(iter(scores.values()))
    most = max(each.samples for each in scores.values())
    yield (
        f"{first.windows:,} windows of {window} with a margin of {margin} in {first.inputs} "
        f"{unit}; up to {most} draws of each; mean ± standard error over {unit}."
    )
    yield ""
    levels = " | ".join(f"in {100 * p:.0f} % intervals" for p in INTERVALS)
    yield (
        f"| sampler | bits per value | error of the mean | {levels} | told apart | draws a second |"
    )
    yield f"|---|{'---|' * (4 + len(INTERVALS))}"
    for name, each in scores.items():
        covered = each.coverage or (None,) * len(INTERVALS)
        cells = [
            f"`{sampler_name(name)}`",
            _cell(each.bits, 3),
            _cell(each.deviation, 4),
            *(_cell(one, 1, 100) for one in covered),
            _cell(each.area, 3),
            f"{each.rate:,.0f}",
        ]
        yield f"| {' | '.join(cells)} |"


def _cell(mean: Mean | None, digits: int, times: float = 1) -> str:
    if mean is None:
        return "–"
    return f"{times * mean.value:.{digits}f} ± {times * mean.error:.{digits}f}"
