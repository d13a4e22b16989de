"""Maps of scans as images, and in the plots of nilearn (extra `volumes`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from preddiff.errors import SettingError
from preddiff.media.maps import nifti_image
from preddiff.render.maps import DEFAULT_MAP, map_named
from preddiff.render.strips import DEFAULT_THRESHOLD
from preddiff.types import Setting

if TYPE_CHECKING:
    from nibabel import Nifti1Image

    from preddiff.results.explanation import Explanation


def relevance_image(
    explanation: Explanation,
    target: str | None = None,
    map: str = DEFAULT_MAP,  # noqa: A002 - the word for it everywhere
) -> Nifti1Image:
    """Return the map of a target on the scan's grid, 0 where no window lies, as nilearn has it.

    Parameters
    ----------
    explanation : of a scan.
    target : its label; None is the first.
    map : "relevance" or "importance".

    Raises
    ------
    SettingError
        If the explanation is of no scan, or has no such target or map.
    """
    if explanation.grid is None:
        raise SettingError(
            f"{explanation.provenance['input']} is no scan: expected the explanation of a file or "
            "an image of nibabel, which says where voxels lie"
        )
    if target is not None and target not in explanation.labels:
        raise SettingError(
            f"target={target!r}: expected one of the result's, {', '.join(explanation.labels)}"
        )
    row = 0 if target is None else explanation.labels.index(target)
    values = map_named(map).of(explanation).values[row]
    return nifti_image(np.nan_to_num(values), explanation.grid)


def plot_relevance(
    explanation: Explanation,
    target: str | None = None,
    map: str = DEFAULT_MAP,  # noqa: A002 - the word for it everywhere
    **how: Setting,
) -> Setting:
    """Draw the map of a target over its scan by `nilearn.plotting.plot_stat_map`.

    Parameters
    ----------
    explanation, target, map : as of `relevance_image`.
    how : as of `plot_stat_map`, such as cut_coords or display_mode; the threshold is 15 % of
        the map's largest value, as in our own figures.

    Returns
    -------
    What `plot_stat_map` does: the display of nilearn.

    Raises
    ------
    SettingError
        If the explanation is of no scan, or has no such target or map.
    """
    from nilearn.plotting import plot_stat_map

    shown = relevance_image(explanation, target, map)
    if explanation.grid is not None and "bg_img" not in how:
        how["bg_img"] = nifti_image(explanation.picture.values[0], explanation.grid)
    largest = float(np.abs(shown.get_fdata()).max())
    how.setdefault("threshold", DEFAULT_THRESHOLD * largest or None)
    how.setdefault("title", explanation.labels[0] if target is None else target)
    return plot_stat_map(shown, **how)
