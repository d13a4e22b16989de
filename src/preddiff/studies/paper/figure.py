"""A figure of the paper, made anew."""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class PaperFigure:
    """A figure and its caption.

    Attributes
    ----------
    figure : matplotlib's.
    caption : what it shows, and how it differs from the paper's.
    """

    figure: Figure
    caption: str
