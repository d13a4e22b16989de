"""skops files: scikit-learn estimators, and the classifiers of scans that we fit. No pickle."""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np

from preddiff.errors import InputWarning, ModelError
from preddiff.media import ours
from preddiff.media.archives import check_archive
from preddiff.media.atomic import atomic_write
from preddiff.media.grid import Grid, affine_problem
from preddiff.media.orientation import ORIENTATION_FIELDS
from preddiff.media.reading import check_file, display_name, failures_as
from preddiff.models.base import Model
from preddiff.models.folding import SklearnObject, fold
from preddiff.models.masking import Masking
from preddiff.models.remembered import Remembered
from preddiff.models.request import Request
from preddiff.models.sources import sklearn
from preddiff.types import Mask

_FORMAT = 1

Content = dict[str, Any]
"""Content of a file that `save` wrote: arrays, plain numbers and texts, and an estimator."""


def save(
    path: str | Path,
    estimator: SklearnObject,
    mask: Mask,
    grid: Grid,
    facts: Mapping[str, object],
) -> None:
    """Write a classifier of scans.

    Parameters
    ----------
    estimator : fitted on the values of the voxels in the mask, in C order.
    mask : (z, y, x).
    grid : of the scans.
    facts : plain numbers and texts, among them `subjects`, how many it was fitted on; `sampler` is
        what `Remembered.facts` says of a sampler's file in the same folder.

    Raises
    ------
    ResultError
        If the file cannot be written, or would replace one that is no classifier of scans.
    """
    from skops import io

    ours.check_destination(Path(path), ours.is_classifier)

    content = {
        ours.CLASSIFIER_MARK: _FORMAT,
        "estimator": estimator,
        "mask": mask,
        "affine": grid.affine,
        "header": dict(grid.header),
        "facts": dict(facts),
    }
    with atomic_write(path) as written:
        io.dump(content, written, compression=zipfile.ZIP_DEFLATED)


def load(spec: str, request: Request) -> Model:
    """Return the model in a file: an estimator as it is, or a classifier of scans on its grid.

    Raises
    ------
    ModelError
        If there is no such file, it holds types that scikit-learn and numpy do not have, or no
        model.
    """
    request.refuse(spec)
    path = Path(spec)
    content = _read(path)
    if not (isinstance(content, dict) and ours.CLASSIFIER_MARK in content):
        classifies = hasattr(content, "predict_proba") or hasattr(content, "decision_function")
        if not classifies and not sklearn.is_regressor(content):
            raise ModelError(
                f"{path}: holds a {type(content).__name__}, expected a classifier of scikit-learn "
                "with predict_proba, or a regressor"
            )
        model = _of_features(path, content, request)
    else:
        if request.mask is not None:
            raise ModelError(f"{path}: a classifier of scans that knows its mask; leave mask out")
        model = _of_scans(path, content)
    model.spec = display_name(path)
    model.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return model


def facts(path: str | Path) -> dict[str, object]:
    """Return what is known of a classifier of scans that `save` wrote.

    Raises
    ------
    ModelError
        If the file holds no such classifier.
    """
    content = _read(Path(path))
    if not (isinstance(content, dict) and ours.CLASSIFIER_MARK in content):
        raise ModelError(f"{path}: not a classifier of scans; make one with preddiff classify fit")
    with failures_as(lambda why: ModelError(f"{path}: its facts are damaged ({why})")):
        return dict(content["facts"])


def _of_features(path: Path, content: SklearnObject, request: Request) -> Model:
    """An estimator as it is; a ModelError if it cannot be one."""

    def damaged(why: str) -> ModelError:
        return ModelError(f"{path}: its estimator is damaged ({why}); save it anew")

    with failures_as(damaged), np.errstate(all="ignore"):
        return sklearn.from_estimator(content, request.order, request.mask, request.columns)


def _of_scans(path: Path, content: Content) -> sklearn.Folded:
    """A classifier of scans, whose weights lie on its voxels; a ModelError if it is none."""

    def damaged(why: str) -> ModelError:
        return ModelError(f"{path}: a classifier of scans that is damaged ({why}); fit it anew")

    with failures_as(damaged), np.errstate(all="ignore"):
        if content[ours.CLASSIFIER_MARK] > _FORMAT:
            raise ModelError(f"{path}: of a newer version; upgrade preddiff")
        _check(content)
        return _on_voxels(path, content)


def _check(content: Content) -> None:
    """Raise a ValueError unless what is in a file are the types that `save` writes."""
    mask, affine, header = content["mask"], content["affine"], content["header"]
    if not (isinstance(mask, np.ndarray) and mask.dtype == bool and mask.ndim == 3 and mask.any()):
        raise ValueError("its mask is none of a scan")
    if not isinstance(affine, np.ndarray) or affine.dtype.kind != "f":
        raise ValueError("its affine is no array of numbers")
    if problem := affine_problem(affine):
        raise ValueError(problem)
    if not isinstance(header, dict) or not set(header) <= set(ORIENTATION_FIELDS):
        raise ValueError("its header has fields that say nothing of orientation")
    if not isinstance(content["facts"], dict) or not content["facts"]["subjects"] >= 1:
        raise ValueError("it does not say how many subjects it was fitted on")


def _on_voxels(path: Path, content: Content) -> sklearn.Folded:
    estimator, mask = content["estimator"], content["mask"]
    folded = fold(estimator)
    if folded is None:
        raise ModelError(f"{path}: its estimator is not linear; fit it anew")
    grid = Grid(mask.shape, content["affine"], content["header"])
    model = sklearn.of_voxels(estimator, *folded, Masking(mask, grid, order="zyx"))
    model.train_size = content["facts"]["subjects"]
    if "sampler" in content["facts"]:
        model.remembered = Remembered.of_facts(content["facts"]["sampler"], path.parent)
    return model


def _read(path: Path) -> Content | SklearnObject:
    """The content of a file, if it is of trusted types only."""
    try:
        from skops import io
    except ModuleNotFoundError:
        raise ModelError(f"{path}: .skops files need skops; install preddiff[volumes]") from None
    if not path.exists():
        raise ModelError(f"{path}: no such model file; check the path")
    check_file(path, ModelError, "a .skops file")

    def damaged(why: str) -> ModelError:
        return ModelError(f"{path}: not a complete .skops file ({why})")

    # skops does not unpickle, but it would construct any type that the caller trusts. None is
    # trusted beyond its own list of harmless ones, so that loading a file cannot run its code.
    with failures_as(damaged):
        with path.open("rb") as file:
            check_archive(path, file, ModelError)
        if unknown := io.get_untrusted_types(file=path):
            raise ModelError(
                f"{path}: holds {', '.join(unknown)}, which could run code: expected plain "
                "scikit-learn and numpy"
            )
        with _versions_in_one_line(path):
            return cast(Content | SklearnObject, io.load(path))


@contextmanager
def _versions_in_one_line(path: Path) -> Iterator[None]:
    """Let scikit-learn's warnings of other versions be one of ours: its text is of pickles."""
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    versions = set()
    for each in caught:
        if isinstance(each.message, InconsistentVersionWarning):
            versions.add(str(each.message.original_sklearn_version))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    if versions:
        text = (
            f"{path}: was saved by scikit-learn {', '.join(sorted(versions))}, and this is "
            f"{version('scikit-learn')}: check that it still predicts the same, or save it anew"
        )
        warnings.warn(InputWarning(text), stacklevel=5)
