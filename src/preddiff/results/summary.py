"""One table of what became of many inputs: a row for each target of each result."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from preddiff.errors import ResultError, SettingError, printable
from preddiff.media import ours
from preddiff.media.atomic import atomic_write, check_folder
from preddiff.media.reading import failures_as, read_text
from preddiff.results.explanation import Explanation

FINISHED, PARTIAL, FAILED, NOT_BEGUN = "finished", "partial", "failed", "not begun"
_PARQUET = ".parquet"
_ENDINGS = (".csv", _PARQUET)


@dataclass(frozen=True)
class SummaryRow:
    """One target of one input, or an input without a result.

    Attributes
    ----------
    input : its path, as it was given.
    name : of its results.
    state : finished, partial (stopped before the end), failed or not begun.
    target, label : number and name of the class or channel.
    prediction : its value on the unperturbed input.
    seconds, draws : that the result took.
    relative_error : of the target's map.
    result : path of the result, from the summary's folder.
    error : why there is none.
    """

    input: str
    name: str
    state: str
    target: int | None = None
    label: str = ""
    prediction: float | None = None
    seconds: float | None = None
    draws: int | None = None
    relative_error: float | None = None
    result: str = ""
    error: str = ""


def rows_of_result(
    source: str, name: str, explanation: Explanation, result: str
) -> list[SummaryRow]:
    """Return a row for each target of a result, which was saved as `result`."""
    facts, data = explanation.provenance, explanation.data
    errors = [error if math.isfinite(error) else None for error in explanation.relative_errors]
    return [
        SummaryRow(
            input=source,
            name=name,
            state=PARTIAL if explanation.is_partial else FINISHED,
            target=int(target),
            label=label,
            prediction=float(prediction),
            seconds=float(facts["seconds"]),
            draws=int(facts["evaluations"]) - 1,  # the other is the input's
            relative_error=None if error is None else float(error),
            result=result,
        )
        for target, label, prediction, error in zip(
            data["target"].values,
            explanation.labels,
            explanation.prediction.values,
            errors,
            strict=True,
        )
    ]


def check_destination(path: Path) -> None:
    """Raise if a summary cannot be written at a path.

    Raises
    ------
    SettingError
        If the ending is unknown, or what writes it is not installed.
    ResultError
        If another file is there, or the folder cannot be written.
    """
    if path.suffix not in _ENDINGS:
        raise SettingError(f"{path}: unknown ending; expected one of {', '.join(_ENDINGS)}")
    if path.suffix == _PARQUET:
        try:
            import pyarrow.parquet  # noqa: F401 - only whether it is there
        except ImportError:
            raise SettingError(
                f"{path}: Parquet needs pyarrow (pip install pyarrow); or choose a name that ends "
                "with .csv"
            ) from None
    ours.check_destination(path, ours.is_summary)
    check_folder(path.parent)


def write(rows: Sequence[SummaryRow], path: Path) -> None:
    """Write a summary as CSV, or as Parquet where the name ends so; it appears complete.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    plain = [_plain(row) for row in rows]
    with atomic_write(path) as written:
        if path.suffix == _PARQUET:
            _write_parquet(plain, written)
        else:
            text = io.StringIO(newline="")
            table = csv.DictWriter(text, ours.SUMMARY_COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(plain)
            written.write_text(text.getvalue(), encoding="utf-8", newline="")


def find(folder: Path) -> Path | None:
    """Return the first summary in a folder; None if there is none."""
    tables = sorted(each for each in folder.iterdir() if each.suffix in _ENDINGS)
    return next(filter(ours.is_summary, tables), None)


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a summary as texts by column.

    Raises
    ------
    ResultError
        If it cannot be read.
    """
    problem = f"{path}: a summary that cannot be read"
    if path.suffix == _PARQUET:
        check_destination(path)
        from pyarrow import parquet

        with failures_as(lambda why: ResultError(f"{problem} ({why}); remove it")):
            rows = parquet.read_table(path, columns=list(ours.SUMMARY_COLUMNS)).to_pylist()
        return [
            {key: "" if value is None else str(value) for key, value in r.items()} for r in rows
        ]
    text = read_text(path, ResultError, "a summary")
    with failures_as(lambda why: ResultError(f"{problem} ({why}); remove it")):
        rows = [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)]
    if any(set(row) != set(ours.SUMMARY_COLUMNS) or None in row.values() for row in rows):
        raise ResultError(f"{problem} (rows of another length than the columns); remove it")
    return rows


def _plain(row: SummaryRow) -> Mapping[str, object]:
    """Return a row's values by column; names of strangers on one line."""
    return {
        name: printable(value) if isinstance(value, str) else value
        for name, value in asdict(row).items()
    }


def _write_parquet(rows: Sequence[Mapping[str, object]], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {"target": pa.int64(), "draws": pa.int64()}
    types |= dict.fromkeys(("prediction", "seconds", "relative_error"), pa.float64())
    schema = pa.schema(
        [(each.name, types.get(each.name, pa.string())) for each in fields(SummaryRow)],
        metadata={ours.SIGN: "summary"},
    )
    parquet.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)
