"""preddiff evaluate"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo
from preddiff.errors import SettingError, nearest

_HELP = """
Hold the maps of many methods against what happens when the places that they mark are hidden.

Each map of each picture gets a score from each metric. Scores are added to a file as soon as they
are known, and a run with the same file goes on from there. The table has means with standard errors
over pictures, and differences to one method on the same pictures (docs/evaluation.md).

Example: preddiff evaluate --pictures photos --contender importance-20 --contender grad_cam
"""


class Half(StrEnum):
    """Every other picture, in the order of their names."""

    CHOOSE = "choose"
    REPORT = "report"


def evaluate(
    pictures: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Pictures to ask about; answers need no labels.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="Model, as for `preddiff explain`; may be repeated."),
    ] = None,
    contender: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Method to score; may be repeated; else all."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Score to give; may be repeated; else all."),
    ] = None,
    count: Annotated[
        int, typer.Option(metavar="N", help="Number of pictures, at most.", min=1)
    ] = 12,
    half: Annotated[
        Half, typer.Option(help="Half of the pictures, to choose settings on or to report.")
    ] = Half.CHOOSE,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="File of scores to go on with.")
    ] = Path("scores.jsonl"),
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also put the tables between their marks in this Markdown page."
        ),
    ] = None,
    against: Annotated[
        str, typer.Option(metavar="NAME", help="Method that the others are compared with.")
    ] = "grad_cam",
    budget: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Leave out methods whose maps take longer.", min=0),
    ] = None,
) -> None:
    from preddiff.cli import marks
    from preddiff.pipeline.progress import say
    from preddiff.studies.evaluation.contenders import CONTENDERS
    from preddiff.studies.evaluation.metrics import METRICS
    from preddiff.studies.evaluation.protocol import Evaluation
    from preddiff.studies.evaluation.protocol import evaluate as run
    from preddiff.studies.evaluation.scores import Score, ScoreFile
    from preddiff.studies.evaluation.table import tables

    def report(score: Score) -> None:
        said = score.error or ", ".join(f"{name} {v:.2f}" for name, v in score.scores.items())
        say(f"{score.model} {score.picture} {score.contender} {score.metric}: {said or 'none'}")

    contenders = _known("--contender", contender, CONTENDERS)
    _known("--against", [against], CONTENDERS)
    metrics = _known("--metric", metric, METRICS)
    # A page without marks is refused now, not after hours of work.
    if table is not None:
        marks.check(table, "evaluation")
    file = ScoreFile(output)
    run(
        Evaluation(model or ["embedded"], pictures, half.value, count, contenders, metrics),
        file,
        report,
    )
    text = tables(file.scores.values(), against, budget)
    for line in text.splitlines():
        echo(line)
    if table is not None:
        marks.fill(table, "evaluation", text)


def _known(option: str, names: list[str] | None, table: Mapping[str, object]) -> list[str]:
    """Return the names that were given, each once, or all of a table."""
    for name in names or []:
        if name not in table:
            close = nearest(name, table) or f"; known: {', '.join(table)}"
            raise SettingError(f"{option} {name!r}: there is no such name{close}")
    return list(dict.fromkeys(names or table))


evaluate.__doc__ = _HELP
