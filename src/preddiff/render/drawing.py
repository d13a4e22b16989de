"""Figures that notebooks show by themselves."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class Drawing(Figure):
    """A figure of matplotlib, with the method that notebooks ask for.

    They know matplotlib's own figures only after `%matplotlib inline` or an import of pyplot.
    """

    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        self.savefig(written, format="png")
        return written.getvalue()
