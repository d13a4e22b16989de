"""Cohort: what a group's scans would have in a window, given all of the scan but its surroundings.

A patch around a window is conditioned on what is near, and a lesion that is larger than the patch
foretells itself. Here nothing near is conditioned on: a guard zone is left out, and the rest of the
brain says by few factors what this brain is like.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from preddiff.errors import SamplerError
from preddiff.media.grid import Grid
from preddiff.method.windows import Windows
from preddiff.samplers.base import Normals, ValidRange, Weights
from preddiff.samplers.brain import number, reading, stored
from preddiff.samplers.brain.factors import Factors
from preddiff.samplers.brain.normal import BrainNormal
from preddiff.samplers.files import Contents, Fact, Stored, grid_of
from preddiff.samplers.fingerprint import fingerprint
from preddiff.samplers.gaussian.threads import for_each_in_threads
from preddiff.samplers.streams import window_generator
from preddiff.types import Batch, Draws, Integers, Mask, Pixels

GUARD = 12.0
"""Millimetres around a window that are not conditioned on, unless told otherwise."""

_PARTS = 4  # that an input's windows are shared out in, planes by planes


class Cohort(Stored):
    """Draws the window from a normal over the whole brain, given all beyond a guard zone.

    Made by `Cohort.fit` or `Cohort.load`, of volumes on one grid. Voxels outside the mask are left
    as they are.

    Parameters
    ----------
    normal : over the voxels of a mask.
    covariates : names of the first factors, with their mean and standard deviation in the cohort.
    pairs : True for draws in antithetic pairs.
    facts : what is worth keeping about its making.
    """

    kind = "cohort"

    def __init__(
        self,
        normal: BrainNormal,
        *,
        covariates: Mapping[str, tuple[float, float]] | None = None,
        pairs: bool = False,
        **facts: Fact,
    ) -> None:
        self.normal, self.pairs, self.facts = normal, pairs, facts
        self.covariates = dict(covariates or {})

    @classmethod
    def fit(
        cls,
        volumes: Iterable[ArrayLike],
        mask: ArrayLike | None = None,
        *,
        factors: int | None = None,
        guard: float = GUARD,
        reach: float | None = None,
        grid: Grid | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
        reference: str = "",
        seed: int = 0,
    ) -> Self:
        """Estimate the normal from a cohort.

        Parameters
        ----------
        volumes : arrays (1, *spatial) of one shape. Of a `VolumeFolder`, the grid is known.
        mask : (*spatial), the voxels that are modelled; by default, those that are the same in all
            volumes are left out.
        factors : how many; by default, as many as foretell windows of held-out scans best.
        guard : mm around a window that are not conditioned on.
        reach : mm around a window beyond which nothing is conditioned on: factors are then what
            they are nearby. By default all of the brain is conditioned on or, where the number of
            factors is not given either, what foretells windows of held-out scans best.
        grid : where voxels lie; without one, a voxel counts as 1 mm.
        covariates : for each name a number for each volume, such as the age.
        reference : the group of the scans in words, such as "group=control".
        seed : decides which scans are held out to choose the number of factors.

        Raises
        ------
        SamplerError
            If the volumes differ in shape, are too few, or a covariate is not one number for each.
        """
        grid = grid or grid_of(volumes)
        if not (math.isfinite(guard) and guard >= 0):
            raise SamplerError(f"guard={guard}: expected mm of at least 0")
        if reach is not None and not reach > guard:
            raise SamplerError(f"reach={reach}: expected more mm than the guard zone's {guard:g}")
        scans, inside = reading.scans_of(volumes, mask)
        spacing = grid.voxel_size[::-1] if grid else (1.0,) * inside.ndim
        regressors, known = reading.standardised(covariates or {}, len(scans))
        if factors is None:
            factors, reach = number.best(scans, regressors, inside, spacing, guard, reach, seed)
        far = math.inf if reach is None else float(reach)
        normal = number.fitted(scans, regressors, inside, spacing, float(guard), far, factors)
        sampler = cls(normal, covariates=known, scans=len(scans))
        sampler.scan_grid, sampler.reference = grid, reference
        return sampler

    @property
    def stands_in(self) -> str:
        """Phrase for what a window is hidden behind."""
        guard, reach = self.normal.guard, self.normal.reach
        known = f"from {guard:g} to {reach:g}" if math.isfinite(reach) else f"beyond {guard:g}"
        return f"what could have stood there, given the brain {known} mm around it"

    @property
    def of_volumes(self) -> bool:
        """True if the mask is of volumes."""
        return self.normal.mask.ndim == 3

    @property
    def group(self) -> int:
        """Draws that depend on each other: 2 for antithetic pairs."""
        return 2 if self.pairs else 1

    def paired(self) -> Self:
        """Return this sampler with antithetic pairs of draws."""
        return self._like(self.normal.factors, self.covariates, pairs=True)

    def at(self, **covariates: float) -> Self:
        """Return the sampler of scans whose covariates are these, such as age=70.

        Raises
        ------
        SamplerError
            If the cohort was fitted without one of them.
        """
        fitted, names = self.normal.factors, list(self.covariates)
        mean = fitted.mean
        for name, value in covariates.items():
            if name not in names:
                raise SamplerError(
                    f"covariate {name!r}: expected one of {', '.join(names) or 'none'}, as the "
                    "sampler was fitted with"
                )
            centre, scale = self.covariates[name]
            mean = mean + (value - centre) / scale * fitted.loadings[names.index(name)]
        known = [names.index(name) for name in covariates]
        others = {name: self.covariates[name] for name in names if name not in covariates}
        loadings = np.delete(fitted.loadings, known, axis=0)
        factors = Factors(mean, loadings, fitted.variance)
        return self._like(factors, others, pairs=self.pairs)

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the normal and the guard zone."""
        return fingerprint(**stored.arrays(self.normal), **stored.numbers(self.normal))

    def summary(self) -> dict[str, str]:
        """Return what there is to know of the sampler, in words and numbers."""
        names = list(self.covariates)
        noise = self.normal.noise
        length = noise.lengths[-1] * self.normal.spacing[-1]
        return {
            "kind": "normal over the whole brain, of few factors",
            **({"reference group": self.reference} if self.reference else {}),
            "volumes": "×".join(map(str, self.normal.mask.shape)),
            "voxels in the mask": f"{int(self.normal.mask.sum()):,}",
            "factors": str(len(self.normal.factors.loadings) - len(names)),
            **({"covariates": ", ".join(names)} if names else {}),
            "guard zone": f"{self.normal.guard:g} mm",
            **({"reach": f"{self.normal.reach:g} mm"} if math.isfinite(self.normal.reach) else {}),
            "correlated noise": f"{noise.share:.0%} over {2 * length:.3g} mm",
            **{name: str(value) for name, value in self.facts.items()},
            "sha256": self.sha256,
        }

    def check(self, inputs: Pixels, windows: Windows, valid: ValidRange | None) -> None:  # noqa: ARG002
        """Raise a SamplerError if the input does not lie on the grid."""
        if inputs.shape != (1, *self.normal.mask.shape):
            raise SamplerError(
                f"the sampler was fitted on volumes of {_times(self.normal.mask.shape)}, the "
                f"input has shape {inputs.shape}: expected one channel on the same grid; resample "
                "the input, or fit anew"
            )

    def draw(
        self,
        inputs: Pixels,
        windows: Windows,
        samples: int,
        seed: int,
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Draws:
        """Return draws of each window given all of the scan beyond its guard zone."""
        values, roots = self.normal.scaled(inputs[0]), self.normal.noise.roots(windows.size)
        draws = np.empty((len(windows), samples, 1, *windows.size), dtype=np.float32)
        laws = self.normal.laws(values, windows)
        for draw, stream, (law, within) in zip(draws, windows.numbers, laws, strict=True):
            random = window_generator(seed, int(stream))
            draw[:, 0] = self.normal.drawn(
                inputs[0], within, law, roots, samples, random, pairs=self.pairs
            )
        return draws

    def fill(
        self, inputs: Pixels, windows: Windows, samples: int, seed: int, valid: ValidRange | None
    ) -> Batch:
        """Return the input with all windows drawn together, given what none of them guards."""
        return self.hide(inputs, windows.covered, samples, seed, valid)

    def hide(
        self,
        inputs: Pixels,
        hidden: Mask,
        samples: int,
        seed: int,
        valid: ValidRange | None,  # noqa: ARG002
    ) -> Batch:
        """Return the input with places drawn together, given what lies beyond their guard zones."""
        scan, whole = inputs[0], tuple(slice(0, n) for n in hidden.shape)
        law = self.normal.law(self.normal.scaled(scan), hidden)
        random = np.random.default_rng(seed)
        roots = self.normal.roots_of_all
        drawn = self.normal.drawn(scan, whole, law, roots, samples, random, pairs=self.pairs)
        return np.where(hidden, drawn[:, None], inputs).astype(np.float32)

    def project(self, weights: Weights, inputs: Pixels, windows: Windows) -> Iterator[Normals]:
        """Yield one normal for each window, some planes of windows in each thread."""
        projection = self.normal.projection(weights[:, 0], self.normal.scaled(inputs[0]))
        mean = np.empty((len(weights), len(windows)))
        covariance = np.empty((len(weights), *mean.shape))

        def put(part: Integers) -> None:
            mean[:, part], covariance[:, :, part] = projection.normals(windows.subset(part))

        by_plane = np.argsort(windows.starts[:, 0], kind="stable")
        for_each_in_threads(put, np.array_split(by_plane, min(_PARTS, len(windows))))
        yield mean, covariance

    def contents(self) -> Contents:
        """Return the normal, where its voxels lie, and the facts of its making."""
        known = {"covariates": json.dumps(self.covariates)}
        numbers = stored.numbers(self.normal)
        return Contents(self.kind, stored.arrays(self.normal), {**numbers, **known, **self.facts})

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler of a file."""
        facts = {name: v for name, v in contents.facts.items() if name not in stored.NUMBERS}
        named = json.loads(str(facts.pop("covariates")))
        covariates = {name: (float(mean), float(scale)) for name, (mean, scale) in named.items()}
        normal = stored.restored(contents, len(covariates))
        return cls(normal, covariates=covariates, pairs=False, **facts)

    def _like(
        self, factors: Factors, covariates: Mapping[str, tuple[float, float]], *, pairs: bool
    ) -> Self:
        """The same sampler of other factors."""
        normal = replace(self.normal, factors=factors)
        other = type(self)(normal, covariates=covariates, pairs=pairs, **self.facts)
        return self.passed_on(other)


def _times(lengths: Sequence[int]) -> str:
    return "×".join(map(str, lengths))
