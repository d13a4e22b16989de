"""Files to arrays and back, with the geometry of scans."""

from preddiff.media.input import Input
from preddiff.media.input import open_input as open  # noqa: A004 - media.open reads as it should
from preddiff.media.signals import Signal

__all__ = ["Input", "Signal", "open"]
