"""Rank correlation of two maps."""

import numpy as np
from scipy import stats

from preddiff.studies.evaluation.maps import PictureMap


def rank_correlation(first: PictureMap, second: PictureMap) -> float:
    """Return Spearman's correlation of two maps, pixel by pixel; NaN where one is flat."""
    ranks = [stats.rankdata(each) - (each.size + 1) / 2 for each in (first, second)]
    spread = np.sqrt(np.prod([(each**2).sum() for each in ranks]))
    return float(np.dot(*ranks) / spread) if spread > 0 else float("nan")
