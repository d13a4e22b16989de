"""DICOM: a folder of slices, or one file of many frames, to one image of nibabel."""

from preddiff.media.dicom.series import is_series, read

__all__ = ["is_series", "read"]
