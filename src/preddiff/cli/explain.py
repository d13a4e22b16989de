"""preddiff explain"""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from preddiff.cli import options
from preddiff.cli.options import Labels, ModelMask, Order, Preprocess
from preddiff.cli.terminal import echo
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
            help="conditional[:FILE], student[:FILE], mixture:FILE, marginal:FOLDER, "
            "blurred[:SIGMA], inpaint:telea|ns, cohort:FILE[@age=71,...] or constant:VALUE|mean; "
            "may be repeated. [default: conditional, or that of a classifier fitted with "
            "--reference; see --paper]",
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
            help="Length of the window, several as 10,20,40; with --source also channel or unit; "
            "may be repeated. "
            "[default: 10, of volumes 3; with --sets 1/14 of the side, and 6]",
        ),
    ] = None,
    margin: Annotated[
        int, typer.Option(metavar="M", help="Pixels around the window to condition on.")
    ] = 2,
    samples: Annotated[
        int | None,
        typer.Option(metavar="S", help="Draws per window. [default: 10; with --sets 1 per set]"),
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Pixels from one window to the next. [default: 1; with --sets the window]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The draws follow from it.")] = 0,
    sets: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Hide N random sets of windows, e.g. 1000, instead of one window at a time.",
        ),
    ] = None,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper",
            help="The paper's protocol: every window of 10 pixels alone, 10 conditional draws. "
            "[default, of pictures of which no sampling is named: 1000 sets of blurred windows]",
        ),
    ] = False,
    regions: Annotated[
        str | None,
        typer.Option(
            metavar="N|AxB|FILE",
            help="With --sets, hide about N superpixels, boxes, or the labels of a picture or scan "
            "(an atlas), not windows.",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="E", help="auto, incremental, dense or linear.")
    ] = "auto",
    precision: Annotated[
        str, typer.Option(metavar="P", help="auto, float32, bfloat16 or float16.")
    ] = "auto",
    measure: Annotated[
        str, typer.Option(metavar="M", help="auto, WE, AD, DP or ID, as docs/cli.md says.")
    ] = "auto",
    train_size: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Number of training examples, which limits how sure a prediction counts (Laplace "
            "correction); inf does not. [default: the model's own, else ImageNet's]",
        ),
    ] = None,
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
    labels: Labels = None,
    order: Order = None,
    model_mask: ModelMask = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")
    ] = Path("out"),
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace results of other inputs of the same name."),
    ] = False,
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
    from preddiff.media.atomic import check_results_folder
    from preddiff.media.names import result_name
    from preddiff.models import load_model
    from preddiff.pipeline.comparison import compare
    from preddiff.pipeline.interruption import interruptible
    from preddiff.pipeline.settings import PAPER
    from preddiff.results.checkpoint import UntilSaved
    from preddiff.viewer.live import Live

    options.verbose.set(verbose)
    results = [output / result_name(path) for path in inputs]
    _check_names(results)
    windows = [_window(text) for text in window] if window else [None]
    repeated = (model or [], sampler or [], node or [], source or [], windows)
    several = any(len(each) > 1 for each in repeated)
    if resume and several:
        raise SettingError("--resume: of one explanation at a time; leave out what is repeated")
    read = {
        "mask": mask,
        "mask of the model": model_mask,
        "regions": None if regions is None else Path(regions),
    }
    _check_not_read(results, inputs, read, several=several)
    check_results_folder(output)
    stated: Literal["xyz", "zyx"] | None = None if order is None else order.value
    loaded = [
        load_model(spec, preprocess=preprocess, labels=labels, order=stated, mask=model_mask)
        for spec in model or ["embedded"]
    ]
    for path, result in zip(inputs, results, strict=True):
        _check_destinations(path, result, several=several, overwrite=overwrite)
    for number, (path, result) in enumerate(zip(inputs, results, strict=True), start=1):
        if len(inputs) > 1:
            echo(f"{number} of {len(inputs)} · {path.name}", err=True)
        unfinished = UntilSaved(_with(result, ".unfinished.npz"), goes_on=resume)
        with (
            interruptible() as interruption,
            Live(_announce) if live else nullcontext() as watched,
        ):
            explanations = compare(
                loaded,
                path,
                targets=target,
                node=node,
                source=source,
                settings=PAPER if paper else None,
                sampler=sampler,
                window=windows,
                margin=margin,
                samples=samples,
                stride=stride,
                seed=seed,
                sets=sets,
                regions=regions,
                engine=engine,
                precision=precision,
                measure=measure,
                train_size=train_size,
                baselines=baseline or [],
                tolerance=tolerance,
                device=device,
                mask=mask,
                resample=resample,
                progress=True,
                callback=watched,
                checkpoint=None if several else unfinished,
            )
            _print_summary(explanations)
            written = _write(explanations, result)
            if not explanations[-1].is_partial:
                unfinished.remove()
            if watched is not None:
                watched.finish(f"Saved as {written}.", explanations[-1])
            echo(written)
        if interruption.number is not None:
            so_far = "is the map so far" if explanations[-1].is_partial else "is complete"
            hint = "" if several else "; the same command with --resume goes on"
            echo(f"preddiff: interrupted; {written} {so_far}{hint}", err=True)
            raise SystemExit(interruption.status)


def _window(text: str) -> int | str | tuple[int, ...]:
    """Return one length as a number, several as a tuple; the settings judge anything else."""
    if not re.fullmatch(r"[+-]?\d+(,[+-]?\d+)*", text):
        return text
    first, *others = (int(length) for length in text.split(","))
    return (first, *others) if others else first


def _print_summary(explanations: "Comparison") -> None:
    """Print the predictions, and how precise the maps are; each named by what differs."""
    for title, explanation in zip(explanations.titles, explanations, strict=True):
        prefix = f"{title}, " if len(explanations) > 1 else ""
        for label, value in zip(explanation.labels, explanation.values, strict=True):
            echo(f"{prefix}{label}: {value}")
        echo(f"{prefix}{_effort(explanation)}", err=True)


def _effort(explanation: "Explanation") -> str:
    """Return how precise the map is, and what it took."""
    facts = explanation.provenance
    if explanation.exactness and not facts["samples"]:
        return explanation.relative_error_text
    parts = [
        explanation.relative_error_text,
        f"{facts['evaluations']:,} evaluations" if facts["samples"] else explanation.draws,
        f"{facts['engine']} engine in {facts['precision']}",
    ]
    return ", ".join(filter(None, parts))


def _announce(address: str) -> None:
    echo(f"Watch it, pause it or stop it: {address}", err=True)


def _write(explanations: "Comparison", result: Path) -> Path:
    """Write results, figure and page; return the path of the page."""
    from preddiff.media.names import file_names
    from preddiff.render import exports
    from preddiff.results import store
    from preddiff.viewer.page import page

    names = file_names(explanations.titles)
    for name, explanation in zip(names, explanations, strict=True):
        own = result if len(explanations) == 1 else _with(result, f".{name}")
        store.save(explanation, _with(own, ".zarr"))
        if explanation.grid is not None:
            exports.export(explanation, _with(own, ".nii.gz"))
    if any(each.provenance["window"] == "unit" for each in explanations):
        return _with(result, ".zarr")  # nobody can look at a hundred thousand units
    exports.export(explanations, _with(result, ".png"))
    if any(each.provenance["window"] == "channel" for each in explanations):
        return _with(result, ".png")  # channels lie on no picture, so there is no page of them
    return page(explanations, _with(result, ".html"))


def _with(result: Path, ending: str) -> Path:
    """Add an ending; Path.with_suffix would cut names at their last dot."""
    return result.with_name(result.name + ending)


def _check_names(results: list[Path]) -> None:
    """Raise unless every result has a name of its own."""
    twice = [result.name for result, times in Counter(results).items() if times > 1]
    if twice:
        raise SettingError(
            f"several inputs are called {twice[0]!r} and would overwrite each other's results: "
            "explain them one by one, each with its own --output"
        )


def _check_not_read(
    results: list[Path], inputs: list[Path], others: dict[str, Path | None], *, several: bool
) -> None:
    """Raise if results would replace an input, or another file that is read, by its kind."""
    from preddiff.media import ours

    written = [_with(result, ending) for result in results for ending in _ENDINGS]
    if several:
        written += [
            taken for result in results for taken in _taken(result, ".nii.gz", several=True)
        ]
    ours.check_not_read(written, inputs, "input")
    for kind, path in others.items():
        ours.check_not_read(written, [] if path is None else [path], kind)


def _taken(result: Path, ending: str, *, several: bool) -> Iterator[Path]:
    """Yield what has a name that results may get.

    The names of several results follow from what differs, known at the end: all are taken for it.
    """
    name = glob.escape(result.name) + (".*" if several else "")
    return result.parent.glob(name + ending)


def _check_destinations(path: Path, result: Path, *, several: bool, overwrite: bool) -> None:
    """Raise if results would replace what is no result, or that of another input unasked."""
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
    for taken in _taken(result, ".zarr", several=several):
        store.check_destination(taken)
        if not overwrite:
            store.check_input(taken, open_input(path))
    for taken in _taken(result, ".nii.gz", several=several):
        exports.check_destination(taken)
    exports.check_destination(_with(result, ".png"))
    check_destination(_with(result, ".html"))


explain.__doc__ = _HELP
