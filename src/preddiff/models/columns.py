"""Columns of a table as its models were fitted on them: names, types, and categories by number."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from preddiff.errors import ModelError
from preddiff.types import AnyShape, Pixels

if TYPE_CHECKING:
    import pandas as pd


class Columns:
    """Columns of a table of pandas, whose rows become numbers and back.

    Numbers, truth values and dates of a table are what samplers draw; a category is the number that
    it has in the order of the column's categories, or of its sorted values.

    Parameters
    ----------
    table : of the training examples; names, types and categories are taken from it.

    Raises
    ------
    ModelError
        If a column holds something else than numbers and names, or values are missing.
    """

    def __init__(self, table: "pd.DataFrame") -> None:
        import pandas as pd

        if not isinstance(table, pd.DataFrame):
            raise ModelError(
                f"table= of type {type(table).__name__}: expected a DataFrame of pandas"
            )
        self._columns = list(table.columns)
        self._types = {name: table[name].dtype for name in self._columns}
        self.categories: dict[str, Sequence[object]] = {}
        for name in self._columns:
            column = table[name]
            if column.isna().any():
                raise ModelError(f"column {name!r}: has no value in some rows; fill them")
            if isinstance(column.dtype, pd.CategoricalDtype):
                self.categories[name] = list(column.cat.categories)
            elif not pd.api.types.is_numeric_dtype(column):
                self.categories[name] = sorted(column.unique(), key=str)

    @property
    def categorical(self) -> list[int]:
        """Positions of the columns that are categories or truth values."""
        return [
            position
            for position, name in enumerate(self._columns)
            if name in self.categories or getattr(self._types[name], "kind", "") == "b"
        ]

    def encode(self, rows: "pd.DataFrame | pd.Series") -> "pd.DataFrame | pd.Series":
        """Return rows, or one, in numbers.

        Raises
        ------
        ModelError
            If a column is not there, or a category is not one of the table's.
        """
        import pandas as pd

        if isinstance(rows, pd.Series):
            return self.encode(rows.to_frame().T).iloc[0].rename(rows.name)
        lacking = [name for name in self._columns if name not in rows.columns]
        if lacking:
            raise ModelError(f"column {lacking[0]!r}: is not in the rows; the table had it")
        found = {}
        for name in self._columns:
            values = rows[name].tolist()
            if name in self.categories:
                values = [self._number(name, value) for value in values]
            found[name] = np.asarray(values, dtype=np.float64)
            if not np.isfinite(found[name]).all():
                raise ModelError(f"column {name!r}: has no value in some rows; fill them")
        return pd.DataFrame(found, index=rows.index)

    def check(self, row: Pixels) -> None:
        """Raise a ModelError if a row of numbers, (1, feature), has a category that is none.

        `decode` takes the nearest category, as of draws from a normal.
        """
        for name, value in zip(self._columns, row[0], strict=False):
            known = self.categories.get(name, ())
            if known and float(value) not in range(len(known)):
                raise ModelError(
                    f"column {name!r}: category number {value:g}: the table has 0 to "
                    f"{len(known) - 1}; model.columns.encode(row) makes numbers of categories"
                )

    def decode(self, rows: AnyShape) -> "pd.DataFrame":
        """Return rows of numbers, (n, feature), as a table of the types that it was made of.

        Raises
        ------
        ModelError
            If there are more or fewer numbers than columns.
        """
        import pandas as pd

        if rows.shape[-1] != len(self._columns):
            raise ModelError(
                f"rows of {rows.shape[-1]} numbers: the table had {len(self._columns)} columns"
            )
        found = {}
        for number, name in enumerate(self._columns):
            values, kind = rows[:, number], self._types[name]
            if name in self.categories:
                known = self.categories[name]
                at = np.clip(np.rint(values).astype(int), 0, len(known) - 1)
                found[name] = pd.Series([known[each] for each in at]).astype(kind)
            elif np.dtype(float).kind == getattr(kind, "kind", "f"):
                found[name] = pd.Series(values).astype(kind)
            else:
                found[name] = pd.Series(np.rint(values)).astype(kind)
        return pd.DataFrame(found, columns=self._columns)

    def _number(self, name: str, value: object) -> int:
        known = self.categories[name]
        if value not in known:
            listed = ", ".join(map(repr, known[:5]))
            raise ModelError(f"column {name!r}: no category {value!r:.80} in the table ({listed})")
        return list(known).index(value)
