"""Requests of a caller about a model, apart from where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from preddiff.errors import ModelError
from preddiff.models.columns import Columns
from preddiff.models.masking import MaskSource
from preddiff.models.order import ORDERS, Order

Output = Literal["auto", "logits", "probabilities", "multilabel", "values"]
"""Kinds of values that a model may return: of "multilabel", each is the logit of a class of its
own; "values" are plain numbers, as of a regression."""

VALUE_UNIT = "units of the output"
"""Unit of plain numbers of which the caller said none."""

PreprocessingSettings = Mapping[str, object] | str | Path | object
"""Settings of preprocessing: a mapping, a JSON file that holds one (docs/models.md), a Compose or
`weights.transforms()` of torchvision, timm's `resolve_data_config(...)`, or an image processor of
HuggingFace."""


@dataclass(frozen=True)
class Request:
    """Settings that a model's source may lack, or have wrong.

    Attributes
    ----------
    output : what the network returns; "auto" finds out.
    preprocess : how pictures are prepared; None leaves that to the source.
    output_key : of what the network returns, which is taken; None leaves that to what is usual.
    order : in which volumes were flattened to features; None leaves that open.
    mask : whose voxels are the features; None leaves that open.
    columns : of the table that an estimator was fitted on; None gives it numbers.
    has_labels : whether names of the classes are given, so that none need be found.
    """

    output: Output = "auto"
    preprocess: PreprocessingSettings | None = None
    output_key: str | int | None = None
    order: Order | None = None
    mask: MaskSource | None = None
    has_labels: bool = False
    columns: Columns | None = None

    def __post_init__(self) -> None:
        if self.order is not None and self.order not in ORDERS:
            raise ModelError(f"order={self.order!r}: expected one of {', '.join(ORDERS)}")

    def refuse(self, name: str) -> None:
        """Raise a ModelError if anything is requested of a model that knows it all itself.

        Every source that does not use the request calls this, so that nothing is ignored silently.
        """
        self.refuse_key(name)
        if self.output != "auto" or self.preprocess is not None:
            raise ModelError(
                f"{name} knows its own output and preprocessing: output= and preprocess= are for "
                "torch modules and ONNX files"
            )

    def refuse_key(self, name: str) -> None:
        """Raise a ModelError if one of several outputs is asked for where there is only one."""
        if self.output_key is not None:
            raise ModelError(
                f"output_key={self.output_key!r}: {name} returns one thing; leave it out"
            )
