"""From conditional[:FILE|:FOLDER], student[:FILE] or mixture:FILE to a sampler."""

from pathlib import Path

from preddiff.errors import SamplerError
from preddiff.samplers import files
from preddiff.samplers.gaussian import natural
from preddiff.samplers.gaussian.channelwise import ChannelwiseGaussian
from preddiff.samplers.gaussian.conditional import ConditionalGaussian
from preddiff.samplers.gaussian.stationary import StationaryGaussian
from preddiff.samplers.gaussian.student import StudentT
from preddiff.samplers.gaussian.surrounded import Surrounded
from preddiff.samplers.pool import read_pool
from preddiff.samplers.spec import SpecContext

Conditional = Surrounded | ChannelwiseGaussian


def from_spec(argument: str, context: SpecContext) -> Conditional:
    """Return the embedded sampler, one from a file, or one that is fitted on a hidden node."""
    if context.hidden and argument and Path(argument).is_dir():
        pool = read_pool(argument, context)
        fitted = ChannelwiseGaussian.fit(pool.values, context.cube, pool.origin)
        return _cut(fitted, context)
    if argument:
        return _from_file(argument, context.patch)
    if context.hidden:
        raise SamplerError(
            "sampler 'conditional': of a hidden node, expected conditional:FOLDER (its pictures "
            "show what values the node has) or conditional:FILE, a saved sampler of such values"
        )
    dimensions = len(context.shape) - 1
    if dimensions != 2:
        raise SamplerError(
            f"the embedded sampler is of pictures, the input has {dimensions} spatial dimensions: "
            "name a folder of inputs like it (--sampler marginal:FOLDER), or fit a sampler on a "
            "reference group (preddiff sampler fit TABLE -o reference.npz --family cohort --where "
            "COLUMN=VALUE) and name it (--sampler cohort:reference.npz); a classifier that was "
            "fitted with preddiff classify fit --reference COLUMN=VALUE has one of its own"
        )
    if context.cube <= natural.REACH:
        return _cut(ConditionalGaussian.natural(context.cube, colours=context.shape[0]), context)
    return _cut(StationaryGaussian.natural(context.cube, colours=context.shape[0]), context)


def student_from_spec(argument: str, context: SpecContext) -> Conditional:
    """Return the sampler of student or student:FILE."""
    if argument:
        return _from_file(argument, context.patch)
    if context.hidden or len(context.shape) != 3:
        raise SamplerError(
            "student: the embedded sampler is of pictures; fit one on inputs like this one "
            "(preddiff sampler fit FOLDER -o mine.npz --family student) and name it (--sampler "
            "student:mine.npz), or take conditional:FOLDER for a node"
        )
    return _cut(StudentT.natural(context.cube, colours=context.shape[0]), context)


def mixture_from_spec(argument: str, context: SpecContext) -> Conditional:
    """Return the sampler of mixture:FILE."""
    if not argument:
        raise SamplerError(
            "mixture: expected mixture:FILE; fit one on inputs like this one (preddiff sampler fit "
            "FOLDER -o mine.npz --family mixture)"
        )
    return _from_file(argument, context.patch)


def _cut(sampler: Conditional, context: SpecContext) -> Conditional:
    """Return a sampler of patches of one length, cut to those of windows that have several."""
    return sampler if isinstance(context.patch, int) else sampler.central(context.patch)


def _from_file(path: str, patch: int | tuple[int, ...]) -> Conditional:
    contents = files.read(path)
    sampler = files.restore(path, contents)
    if not isinstance(sampler, Conditional):
        raise SamplerError(
            f"{path}: holds a {contents.kind} sampler, expected one that is conditioned on what "
            f"surrounds a window; write {contents.kind}:{path}"
        )
    return sampler.central(patch)
