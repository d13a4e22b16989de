"""From a SPEC or a file to a sampler.

A new sampler gets its name on the command line by one line in `LOADERS`.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from preddiff.errors import SamplerError, nearest
from preddiff.media.additions import additions, loaded
from preddiff.media.grid import Grid
from preddiff.media.reading import display_name
from preddiff.samplers import files
from preddiff.samplers.base import Sampler
from preddiff.samplers.spec import Loader, PrepareImage, SpecContext
from preddiff.samplers.turned import placed
from preddiff.types import PerChannel


@dataclass(frozen=True)
class SpecLoader:
    """The loader of one SPEC name.

    Attributes
    ----------
    syntax : the name with its arguments, as a message says what is expected.
    location : module:function of the loader, as an entry point is written. It is imported when it
        is asked for, so that a sampler that needs much costs nothing where it is not used.
    """

    syntax: str
    location: str

    def load(self, argument: str, context: SpecContext) -> Sampler:
        """Return the sampler of an argument; raise a SamplerError if there is none."""
        module, _, function = self.location.partition(":")
        loader: Loader = getattr(import_module(module), function)
        return loader(argument, context)


LOADERS = {
    "conditional": SpecLoader(
        "conditional, conditional:FILE", "preddiff.samplers.gaussian.load:from_spec"
    ),
    "student": SpecLoader(
        "student, student:FILE", "preddiff.samplers.gaussian.load:student_from_spec"
    ),
    "mixture": SpecLoader("mixture:FILE", "preddiff.samplers.gaussian.load:mixture_from_spec"),
    "exemplar": SpecLoader("exemplar:FOLDER", "preddiff.samplers.exemplar:from_spec"),
    "marginal": SpecLoader("marginal:FOLDER", "preddiff.samplers.marginal:from_spec"),
    "blurred": SpecLoader("blurred, blurred:SIGMA", "preddiff.samplers.blurred:from_spec"),
    "inpaint": SpecLoader("inpaint:telea, inpaint:ns", "preddiff.samplers.inpaint:from_spec"),
    "cohort": SpecLoader(
        "cohort:FILE, cohort:FILE@NAME=NUMBER", "preddiff.samplers.brain.load:from_spec"
    ),
    "channel": SpecLoader("channel:NUMBER:SPEC", "preddiff.samplers.one_channel:from_spec"),
    "constant": SpecLoader("constant:VALUE, constant:mean", "preddiff.samplers.constant:from_spec"),
}

_MOST_KNOWN = 4
_NEEDED = ("population", "group", "paired", "sha256", "check", "draw")


def load_sampler(
    spec: str | Sampler,
    *,
    shape: tuple[int, ...],
    window: int | tuple[int, ...],
    margin: int,
    prepare: PrepareImage,
    mean: PerChannel | None,
    hidden: bool = False,
    grid: Grid | None = None,
    resample: bool = False,
    channels: tuple[str, ...] = (),
) -> Sampler:
    """Return the sampler that is meant, for inputs of `shape` and windows of one size.

    Parameters
    ----------
    spec : NAME or NAME:ARGUMENT with a name of `LOADERS`, e.g. conditional, marginal:FOLDER; or a
        sampler, which is taken as it is.
    shape : (channel, *spatial) of the input.
    window, margin : the patch of a conditional sampler is window + 2 · margin; of one that was
        fitted on larger patches the central part is taken.
    prepare : makes an array like the input of a picture, for samplers that need a folder of them.
    mean : the training inputs' mean colour, for constant:mean.
    hidden : True if windows hide a node's values.
    grid : where the voxels of a scan lie: a sampler of scans that are stored along other axes is
        turned; one of scans that lie elsewhere is refused.
    resample : whether scans of a pool that lie elsewhere are interpolated to it instead.
    channels : names of the input's channels, where they are known.

    Raises
    ------
    SamplerError
        If there is no such sampler, or it does not serve such inputs.
    """
    if not isinstance(spec, str):
        return placed(_checked(spec), grid)
    context = SpecContext(shape, window, margin, prepare, mean, hidden, grid, resample, channels)
    known = _known.get()
    if known is None:
        return load_by_name(spec, context)
    of_mean = None if mean is None else mean.tobytes()
    key = (spec, shape, window, margin, prepare, of_mean, hidden, resample, channels)
    return known.get(key, grid, lambda: load_by_name(spec, context))


def load_by_name(spec: str, context: SpecContext) -> Sampler:
    """Return the sampler of a SPEC for a context.

    Raises
    ------
    SamplerError
        As `load_sampler` does.
    """
    name, _, argument = spec.partition(":")
    return placed(_loader(name, spec).load(argument, context), context.grid)


def _loader(name: str, spec: str) -> SpecLoader:
    """Return the loader of a name, ours or another package's."""
    if name in LOADERS:
        return LOADERS[name]
    others = additions("preddiff.samplers")
    if name not in others:
        known = {**LOADERS, **others}
        raise SamplerError(f"unknown sampler {spec!r}: expected {_specs()}{nearest(name, known)}")
    loaded(others[name], SamplerError)  # which says what is wrong if it cannot be imported
    return SpecLoader(name, others[name].value)


class KnownSamplers:
    """Samplers that were loaded for one input, and serve others like it."""

    def __init__(self) -> None:
        self._known: list[tuple[Hashable, Grid | None, Sampler]] = []
        self._loading = threading.Lock()  # inputs may be explained in threads

    def get(self, key: Hashable, grid: Grid | None, load: Callable[[], Sampler]) -> Sampler:
        """Return the sampler of such inputs, on such a grid; it is loaded the first time."""
        with self._loading:
            return self._found(key, grid, load)

    def _found(self, key: Hashable, grid: Grid | None, load: Callable[[], Sampler]) -> Sampler:
        for known, its, sampler in self._known:
            if known == key and (its is grid or (its and grid and its.is_like(grid))):
                return sampler
        sampler = load()
        # Each may be large, and inputs of one run are of few kinds.
        self._known = [*self._known[1 - _MOST_KNOWN :], (key, grid, sampler)]
        return sampler


_known: ContextVar[KnownSamplers | None] = ContextVar("known", default=None)


@contextmanager
def loaded_once(known: KnownSamplers) -> Iterator[None]:
    """Within, take samplers that are known, and let others be known from then on."""
    token = _known.set(known)
    try:
        yield
    finally:
        _known.reset(token)


def sampler_name(spec: str | Sampler) -> str:
    """Return a sampler's name for a result's provenance, without the folders of a file's path."""
    if not isinstance(spec, str):
        return str(getattr(spec, "spec_text", type(spec).__name__))
    name, _, argument = spec.partition(":")
    if name == "channel":
        channel, _, inner = argument.partition(":")
        return f"channel:{channel}:{sampler_name(inner)}"
    return f"{name}:{display_name(argument)}" if argument else name


def read_sampler(path: str | Path) -> Sampler:
    """Read a sampler file of any kind.

    Raises
    ------
    SamplerError
        If there is no such file, or it is no sampler.
    """
    return files.restore(path, files.read(path))


def _checked(sampler: Sampler) -> Sampler:
    """The sampler itself, or a SamplerError if it is none."""
    # Names are looked up, not values: a sampler's sha256 may take seconds.
    missing = [name for name in _NEEDED if name not in dir(sampler)]
    if "draw" in missing:
        given = repr(sampler) if sampler is None else f"a {type(sampler).__name__}"
        raise SamplerError(
            f"sampler={given}: expected {_specs()}, or an object of samplers.Sampler"
        )
    if isinstance(sampler, type):
        raise SamplerError(
            f"sampler={sampler.__name__} is a class: expected an object, {sampler.__name__}(...)"
        )
    if missing:
        raise SamplerError(
            f"sampler={type(sampler).__name__} has no {', '.join(missing)}: derive it from "
            "samplers.Sampler, which has defaults"
        )
    return sampler


def _specs() -> str:
    ours = [each.syntax for each in LOADERS.values()]
    *others, last = ", ".join([*ours, *additions("preddiff.samplers")]).split(", ")
    return f"{', '.join(others)} or {last}"
