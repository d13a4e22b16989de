"""Explain one input in several ways: another front door."""

import itertools
from collections.abc import Sequence
from typing import Any

from PIL import Image

from preddiff.media.input import Input, Source, open_input
from preddiff.models import load_model
from preddiff.pipeline import interruption
from preddiff.pipeline.explain import explain
from preddiff.results.comparison import Comparison
from preddiff.results.explanation import Explanation
from preddiff.samplers import Sampler
from preddiff.samplers.spec import EVERY_CHANNEL


def compare(
    model: Any,
    picture: Source,
    *,
    window: int | str | Sequence[int | str | Sequence[int] | None] | None = None,
    sampler: str | Sampler | Sequence[str | Sampler | None] | None = None,
    node: str | Sequence[str | None] | None = None,
    source: str | Sequence[str | None] | None = None,
    **settings: Any,
) -> Comparison:
    """Explain one input in several ways, to be looked at side by side.

    Parameters
    ----------
    model, window, sampler, node, source : as of `explain`, or a list of such: there is an
        explanation for every combination. A node None is the output, a source None the input.
        Several sizes of windows in one explanation are a tuple in the list: [10, (10, 20, 40)].
        A sampler channel:each:SPEC is one for each channel of the input.
    settings : all others of `explain`, the same for each.

    Returns
    -------
    Comparison
        A sequence of explanations, which `figure` and `page` take; `titles` says what differs.
    """
    opened = open_input(picture, settings.get("channels"))
    settings["channels"] = None
    models = [load_model(each) for each in _listed(model)]
    samplers = [each for one in _listed(sampler) for each in _of_channels(one, opened)]
    varied = (_listed(each) for each in (samplers, window, source, node))
    made: list[Explanation] = []
    names = ("sampler", "window", "source", "node")
    for each, *how in itertools.product(models, *varied):
        made.append(explain(each, opened, **dict(zip(names, how, strict=True)), **settings))
        if interruption.current().number is not None:
            break
    return Comparison(made)


def _of_channels(sampler: object, opened: Input) -> list[object]:
    """Return a sampler for each channel of the input, of channel:each:SPEC; any other as it is."""
    if not (isinstance(sampler, str) and sampler.startswith(EVERY_CHANNEL)):
        return [sampler]
    values = opened.values
    count = 3 if isinstance(values, Image.Image) else len(values)
    names = opened.channels or tuple(map(str, range(count)))
    return [f"channel:{name}:{sampler.removeprefix(EVERY_CHANNEL)}" for name in names]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
