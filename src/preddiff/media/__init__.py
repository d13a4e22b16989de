"""Files to arrays and back, with the geometry of scans."""

from preddiff.media.input import Input
from preddiff.media.input import open_input as open  # noqa: A004 - media.open reads as it should

__all__ = ["Input", "open"]
