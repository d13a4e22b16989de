"""One input of `preddiff explain`: explained, said and written."""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from preddiff.cli.destinations import with_ending, write_results
from preddiff.cli.terminal import echo

if TYPE_CHECKING:
    from distributed import Client

    from preddiff.media.listing import Listed
    from preddiff.models import Model
    from preddiff.results.checkpoint import UntilSaved
    from preddiff.results.comparison import Comparison
    from preddiff.results.explanation import Explanation
    from preddiff.types import Setting
    from preddiff.viewer.live import Live


_VARIED = ("sampler", "window", "node", "source")  # settings that may be repeated
_LEAST_BUDGET = 1e-3  # seconds: the first chunk is done whatever the time

Keywords = dict[str, "Setting"]
"""Settings by name, as `explain` takes them."""


@dataclass(frozen=True)
class Errand:
    """Work that is asked for on every input.

    Attributes
    ----------
    models : of which each is explained.
    settings : as of `compare`.
    several : whether there are several explanations of an input.
    output : folder of the results.
    resume : whether to go on from what an earlier run left.
    live : whether a page shows the map while it sharpens.
    results_only : whether figures and pages are left out.
    deadline : when the time is up, of `time.monotonic`; None sets no limit.
    client : of the cluster that evaluates chunks; None evaluates them here.
    """

    models: "list[Model]"
    settings: Keywords
    several: bool
    output: Path
    resume: bool
    live: bool
    results_only: bool
    deadline: float | None
    client: "Client | None" = None

    @property
    def is_over(self) -> bool:
        """True once the time is up."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def of(self, given: "Listed") -> Keywords:
        """Return the settings of an input, which may have its own target and mask."""
        own: Keywords = {"targets": given.target and [given.target], "mask": given.mask}
        if self.deadline is not None:
            varied = (self.settings[name] or [None] for name in _VARIED)
            count = math.prod(map(len, varied), start=len(self.models))
            own["budget"] = max(_LEAST_BUDGET, self.deadline - time.monotonic()) / count
        return {**self.settings, **{name: value for name, value in own.items() if value}}

    def of_one(self, given: "Listed") -> Keywords:
        """Return the same as `Settings.of` takes them, of the first explanation of an input."""
        settings = self.of(given)
        for name in _VARIED:
            value = settings[name]
            settings[name] = value[0] if isinstance(value, list) else value
        return {"preset": settings.pop("settings"), **settings}

    def check(self, given: "Listed") -> None:
        """Raise for settings that are wrong whatever the input, which would fail for each."""
        from preddiff.pipeline.settings import Settings

        Settings.of(**self.of_one(given))


@dataclass(frozen=True)
class Unwritten:
    """One input's explanations, which are not written yet, and the file of unfinished work."""

    explanations: "Comparison"
    unfinished: "UntilSaved"


@dataclass(frozen=True)
class Explained:
    """One input's explanations.

    Attributes
    ----------
    saved : where each was saved.
    status : exit status of a command that a signal ended; 0 without one.
    """

    explanations: "Comparison"
    saved: list[Path]
    status: int


def explain_input(errand: Errand, given: "Listed") -> Explained:
    """Explain an input, and write what is asked for of it."""
    from preddiff.pipeline.interruption import interruptible
    from preddiff.viewer.live import Live

    with (
        interruptible(),
        Live(_announce) if errand.live else nullcontext() as watched,
    ):
        computed = compute(errand, given, progress=True, watched=watched)
        return write(errand, given, computed, watched)


def compute(
    errand: Errand, given: "Listed", *, progress: bool, watched: "Live | None" = None
) -> Unwritten:
    """Explain an input.

    Parameters
    ----------
    watched : shows the map while it sharpens; None does not.
    """
    from preddiff.pipeline.comparison import compare
    from preddiff.results.checkpoint import UntilSaved

    result = errand.output / given.name
    draws = None if errand.settings["tolerance"] is None else draws_path(result)
    unfinished = UntilSaved(unfinished_path(result), errand.resume, draws)
    explanations = compare(
        errand.models,
        given.path,
        progress=progress,
        callback=watched,
        checkpoint=None if errand.several else unfinished,
        client=errand.client,
        **errand.of(given),
    )
    return Unwritten(explanations, unfinished)


def write(
    errand: Errand, given: "Listed", computed: Unwritten, watched: "Live | None" = None
) -> Explained:
    """Print and write what is asked for of an input's explanations."""
    from preddiff.pipeline.interruption import current

    explanations, interruption = computed.explanations, current()
    _print_summary(explanations)
    *saved, shown = write_results(
        explanations, errand.output / given.name, only=errand.results_only
    )
    if not explanations[-1].is_partial:
        computed.unfinished.remove()
    if watched is not None:
        watched.finish(f"Saved as {shown}.", explanations[-1])
    echo(shown)
    if interruption.number is None and errand.is_over and explanations[-1].is_partial:
        echo(f"preddiff: the time is up; {shown} is the map so far", err=True)
    if interruption.number is not None:
        so_far = "is the map so far" if explanations[-1].is_partial else "is complete"
        hint = "" if errand.several else "; the same command with --resume goes on"
        echo(f"preddiff: interrupted; {shown} {so_far}{hint}", err=True)
    return Explained(explanations, saved, interruption.status)


def unfinished_path(result: Path) -> Path:
    """Return where unfinished work of a result is kept."""
    return with_ending(result, ".unfinished.npz")


def draws_path(result: Path) -> Path:
    """Return where the draws of a result with a tolerance are kept, for a smaller one."""
    return with_ending(result, ".draws.npz")


def _print_summary(explanations: "Comparison") -> None:
    """Print the predictions, and how precise the maps are; each named by what differs."""
    from preddiff.results.channel_table import channel_table, is_of_channel

    for title, explanation in zip(explanations.titles, explanations, strict=True):
        prefix = f"{title}, " if len(explanations) > 1 else ""
        for label, value in zip(explanation.labels, explanation.values, strict=True):
            echo(f"{prefix}{label}: {value}")
        echo(f"{prefix}{_effort(explanation)}", err=True)
    if all(map(is_of_channel, explanations)):
        unit = explanations[0].unit
        for row in channel_table(explanations).to_dict("records"):
            mean = f"{row['relevance']:+.3g} ± {row['standard_error']:.1g} {unit} on average"
            echo(f"channel {row['name']}, {row['target']}: {mean}")


def _effort(explanation: "Explanation") -> str:
    """Return how precise the map is, and what it took."""
    facts = explanation.provenance
    if explanation.exactness and not facts["samples"]:
        return explanation.relative_error_text
    parts = [
        explanation.precision_text,
        f"{facts['evaluations'] - 1:,} draws" if facts["samples"] else explanation.draws,
        f"{facts['engine']} engine in {facts['precision']}",
    ]
    return ", ".join(filter(None, parts))


def _announce(address: str) -> None:
    echo(f"Watch it, pause it or stop it: {address}", err=True)
