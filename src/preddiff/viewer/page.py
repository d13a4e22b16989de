"""One self-contained HTML page per explanation: no server, no request to anywhere."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image

from preddiff.errors import SettingError
from preddiff.media.whole import whole
from preddiff.render import colours
from preddiff.render.overlay import greyed, opacity, rgb
from preddiff.viewer.html import html

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from preddiff.explanation import Explanation


def page(explanation: Explanation, path: str | Path) -> Path:
    """Write the page of a picture's explanation.

    It shows the picture under the relevance of each target, with a slider for its opacity, the
    standard error, the prediction and the settings.

    Raises
    ------
    SettingError
        If the explanation is not of a picture.
    ResultError
        If the file cannot be written.
    """
    path = Path(path)
    if explanation.coverage.ndim != 2:
        raise SettingError(
            f"an explanation of shape {explanation.coverage.shape}: pages are of pictures (y, x)"
        )
    with whole(path) as written:
        written.write_text(_render(explanation), encoding="utf-8")
    return path


def _render(explanation: Explanation) -> str:
    picture = explanation.picture.values
    relevance_end = colours.limit(explanation.relevance.values)
    error_end = colours.limit(explanation.standard_error.values)
    height, width = explanation.coverage.shape
    return html(
        "page.html.j2",
        styles=("page.css",),
        scripts=("page.js",),
        title=explanation.provenance["input"],
        width=width,
        height=height,
        colour=_png(rgb(picture)),
        grey=_png(greyed(picture)),
        targets=[
            _target(explanation, row, relevance_end, error_end)
            for row in range(len(explanation.labels))
        ],
        unit=explanation.unit,
        is_evidence=explanation.of_probabilities,
        signed_table=_gradient(colours.SIGNED),
        error_table=_gradient(colours.ERROR),
        relevance_end=f"{relevance_end:.3g}",
        error_end=f"{error_end:.3g}",
        hidden_behind=_hidden_behind(str(explanation.provenance["sampler"])),
        is_exact=bool(np.nanmax(explanation.standard_error.values, initial=0) == 0)
        and bool(np.isfinite(explanation.standard_error.values).any()),
        has_gaps=bool((explanation.coverage.values == 0).any()),
        provenance=explanation.provenance,
    )


def _hidden_behind(sampler: str) -> str:
    """What stood in a hidden window, for people."""
    if sampler.casefold().startswith("constant"):
        return "a patch of one colour"
    if sampler.casefold().startswith("marginal"):
        return "what other pictures have at the same place"
    return "something else that could plausibly have stood there, given the pixels around it"


def _target(
    explanation: Explanation, row: int, relevance_end: float, error_end: float
) -> dict[str, Any]:
    """What the page shows of one target."""
    relevance = explanation.relevance.values[row]
    error = explanation.standard_error.values[row]
    cover = np.rint(255 * opacity(relevance, relevance_end)[..., None]).astype(np.uint8)
    painted = np.concatenate([colours.signed(relevance, relevance_end), cover], axis=-1)
    return {
        "label": explanation.labels[row],
        "value": explanation.values[row],
        "overlay": _png(painted),
        "error": _png(colours.unsigned(error, error_end, colours.ERROR)),
        "largest": f"{colours.limit(relevance):.3g}",
        "spread": f"{float(np.sqrt(np.nanmean(relevance**2))):.3g}",
        "mean_error": _mean(error),
    }


def _mean(error: NDArray[np.float64]) -> str:
    known = error[np.isfinite(error)]
    return f"{known.mean():.2g}" if known.size else "unknown (one draw per window)"


def _png(colours_: colours.Bytes) -> str:
    """Colours (y, x, 3 or 4) as a data URI."""
    buffer = io.BytesIO()
    Image.fromarray(colours_).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _gradient(table: str) -> list[str]:
    """Seventeen colours of a table, for a colour bar."""
    return [to_hex(colormaps[table](i / 16)) for i in range(17)]
