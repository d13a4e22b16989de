"""preddiff explain"""

import glob
import itertools
import os
import re
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from preddiff.cli import options
from preddiff.cli.options import Order, Preprocess
from preddiff.errors import SettingError

if TYPE_CHECKING:
    from preddiff.results.comparison import Comparison
    from preddiff.results.explanation import Explanation

_ENDINGS = (".zarr", ".nii.gz", ".png", ".html", ".unfinished.npz")  # of what is written

_HELP = """
Explain why a model decided as it did about each INPUT.

Writes DIR/NAME.zarr (the result), NAME.png (a figure) and NAME.html (a page) for each, and of scans
NAME.nii.gz (a map that lies on the scan); the last line printed is the path of the page. Where
--model, --sampler, --node, --source or --window is repeated, every combination is explained, and
figure and page show them side by side.

Example: preddiff explain cat.jpg --model torchvision:googlenet --target top3 --stride 4
"""


def explain(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="Pictures, scans (NIfTI, Analyze, MGH), DICOM files and folders of slices.",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="embedded, torchvision:NAME[@WEIGHTS], timm:NAME, PATH.onnx, PATH.skops or "
            "package.module:factory; may be repeated. [default: embedded]",
        ),
    ] = None,
    sampler: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="conditional, conditional:FILE, marginal:FOLDER or constant:VALUE|mean; may be "
            "repeated. [default: conditional]",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="T",
            help="Class number, label, topN or all; of a node, a channel or a unit such as 12:5,7; "
            "may be repeated. [default: top1]",
        ),
    ] = None,
    node: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Explain the channels of this node, not the classes; may be repeated.",
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Hide windows of this node's values, not of the input; may be repeated.",
        ),
    ] = None,
    window: Annotated[
        list[str] | None,
        typer.Option(
            metavar="K",
            help="Length of the window; with --source also channel or unit; may be repeated. "
            "[default: 10; of volumes 3]",
        ),
    ] = None,
    margin: Annotated[
        int, typer.Option(metavar="M", help="Pixels around the window to condition on.")
    ] = 2,
    samples: Annotated[int, typer.Option(metavar="S", help="Draws per window.")] = 10,
    stride: Annotated[
        int, typer.Option(metavar="N", help="Pixels from one window to the next.")
    ] = 1,
    seed: Annotated[int, typer.Option(metavar="N", help="The draws follow from it.")] = 0,
    engine: Annotated[
        str, typer.Option(metavar="E", help="auto, incremental, dense or linear.")
    ] = "auto",
    precision: Annotated[
        str, typer.Option(metavar="P", help="auto, float32, bfloat16 or float16.")
    ] = "auto",
    measure: Annotated[
        str, typer.Option(metavar="M", help="auto, WE, AD, DP or ID, as docs/cli.md says.")
    ] = "auto",
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Also compute another method's map: occlusion, integrated_gradients or grad_cam; "
            "may be repeated.",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(metavar="X", help="Stop when the map's relative error is below X, e.g. 0.1."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="D", help="cpu, cuda or mps.")] = "cpu",
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Picture or scan: only windows that touch its white (what is not 0) are analysed.",
        ),
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="Interpolate scans to the grid of the model.")
    ] = False,
    preprocess: Preprocess = None,
    order: Order = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")
    ] = Path("out"),
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Keep unfinished work in DIR, and go on from it if there."),
    ] = False,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Show the map while it sharpens, in a page where it can be stopped."
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Let warnings say why: what a library said.")
    ] = False,
) -> None:
    from preddiff.media.atomic import check_folder
    from preddiff.media.names import result_name
    from preddiff.models import load_model
    from preddiff.pipeline.explain import compare
    from preddiff.results.checkpoint import UntilSaved
    from preddiff.viewer.live import Live

    options.verbose.set(verbose)
    results = [output / result_name(path) for path in inputs]
    _check_names(inputs, results, mask)
    check_folder(output)
    stated: Literal["xyz", "zyx"] | None = None if order is None else order.value
    loaded = [
        load_model(spec, preprocess=preprocess, order=stated) for spec in model or ["embedded"]
    ]
    windows = [_window(text) for text in window] if window else [None]
    repeated = (loaded, sampler or [], node or [], source or [], windows)
    several = any(len(each) > 1 for each in repeated)
    if resume and several:
        raise SettingError("--resume: of one explanation at a time; leave out what is repeated")
    for path, result in zip(inputs, results, strict=True):
        _check_destinations(path, result, several=several, resampled=resample)
    for path, result in zip(inputs, results, strict=True):
        unfinished = UntilSaved(_with(result, ".unfinished.npz"))
        with Live(_announce) if live else nullcontext() as watched:
            explanations = compare(
                loaded,
                path,
                targets=target,
                node=node,
                source=source,
                sampler=sampler or "conditional",
                window=windows,
                margin=margin,
                samples=samples,
                stride=stride,
                seed=seed,
                engine=engine,
                precision=precision,
                measure=measure,
                baselines=baseline or [],
                tolerance=tolerance,
                device=device,
                mask=mask,
                resample=resample,
                progress=True,
                callback=watched,
                checkpoint=unfinished if resume else None,
            )
            _print_summary(explanations)
            written = _write(explanations, result)
            if resume:
                unfinished.remove()
            if watched is not None:
                watched.finish(f"Saved as {written}.", explanations[-1])
            typer.echo(written)


def _window(text: str | None) -> int | str | None:
    """Return a length as a number; a word as it is, for the settings to judge."""
    return int(text) if text is not None and re.fullmatch(r"[+-]?\d+", text) else text


def _print_summary(explanations: "Comparison") -> None:
    """Print the predictions, and how precise the maps are; each named by what differs."""
    for title, explanation in zip(explanations.titles, explanations, strict=True):
        prefix = f"{title}, " if len(explanations) > 1 else ""
        for label, value in zip(explanation.labels, explanation.values, strict=True):
            typer.echo(f"{prefix}{label}: {value}")
        typer.echo(f"{prefix}{_effort(explanation)}", err=True)


def _effort(explanation: "Explanation") -> str:
    """Return how precise the map is, and what it took."""
    facts = explanation.provenance
    parts = [
        explanation.relative_error_text,
        f"{facts['evaluations']:,} evaluations",
        f"{facts['engine']} engine in {facts['precision']}",
    ]
    return ", ".join(filter(None, parts))


def _announce(address: str) -> None:
    typer.echo(f"Watch it, pause it or stop it: {address}", err=True)


def _write(explanations: "Comparison", result: Path) -> Path:
    """Write results, figure and page; return the path of the page."""
    from preddiff.render import exports
    from preddiff.results import store
    from preddiff.viewer.page import page

    for title, explanation in zip(explanations.titles, explanations, strict=True):
        own = result if len(explanations) == 1 else _with(result, "." + _file_name(title))
        store.save(explanation, _with(own, ".zarr"))
        if explanation.grid is not None:
            exports.export(explanation, _with(own, ".nii.gz"))
    if any(each.provenance["window"] == "unit" for each in explanations):
        return _with(result, ".zarr")  # nobody can look at a hundred thousand units
    exports.export(explanations, _with(result, ".png"))
    if any(each.provenance["window"] == "channel" for each in explanations):
        return _with(result, ".png")  # channels lie on no picture, so there is no page of them
    return page(explanations, _with(result, ".html"))


def _file_name(title: str) -> str:
    """Return a title as a part of a file's name."""
    return re.sub(r"[^\w.]+", "-", title).strip("-")


def _with(result: Path, ending: str) -> Path:
    """Add an ending; Path.with_suffix would cut names at their last dot."""
    return result.with_name(result.name + ending)


def _check_names(inputs: list[Path], results: list[Path], mask: Path | None) -> None:
    """Raise unless every result has a name of its own, and none is that of an input or mask."""
    twice = [result.name for result, times in Counter(results).items() if times > 1]
    if twice:
        raise SettingError(
            f"several inputs are called {twice[0]!r} and would overwrite each other's results: "
            "explain them one by one, each with its own --output"
        )
    read = {"input": inputs, "mask": [] if mask is None else [mask]}
    for kind, paths in read.items():
        for path, result in itertools.product(paths, results):
            written = [_with(result, ending) for ending in _ENDINGS]
            if any(_is_same(path, each) for each in written):
                raise SettingError(
                    f"{path}: the results would overwrite the {kind}; choose another --output"
                )


def _is_same(one: Path, other: Path) -> bool:
    """Return whether two paths are of one file, by whatever links and letters."""
    # Path.exists raises for a name that is too long.
    both_exist = os.path.exists(one) and os.path.exists(other)  # noqa: PTH110
    return both_exist and one.samefile(other)


def _check_destinations(path: Path, result: Path, *, several: bool, resampled: bool) -> None:
    """Raise if results would replace what is no result, or that of another input."""
    from preddiff.media.input import open_input
    from preddiff.render import exports
    from preddiff.results import store
    from preddiff.viewer.page import check_destination

    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        return  # which is said when it is opened
    try:
        os.lstat(_with(path.absolute().parent / result.name, max(_ENDINGS, key=len)))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SettingError(
            f"{result}: no result can have this name ({error.strerror}); rename the input"
        ) from None
    # The names of several results follow from what differs, known at the end: check them all.
    name = glob.escape(result.name) + (".*" if several else "")
    for taken in result.parent.glob(f"{name}.zarr"):
        store.check_destination(taken)
        store.check_input(taken, open_input(path), resampled=resampled)
    for taken in result.parent.glob(f"{name}.nii.gz"):
        exports.check_destination(taken)
    exports.check_destination(_with(result, ".png"))
    check_destination(_with(result, ".html"))


explain.__doc__ = _HELP
