"""preddiff explain"""

import re
import time
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli import options
from preddiff.cli.destinations import check_destinations, check_not_read
from preddiff.cli.options import Labels, ModelMask, Order, OutputKey, Preprocess
from preddiff.errors import SettingError

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
        list[Path] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Pictures, scans (NIfTI, Analyze, MGH; as channels T1.nii.gz+FLAIR.nii.gz), DICOM "
            "files, folders of slices, and folders of any of these.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table of inputs: columns path and, if there are such, target, mask and id.",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="embedded, torchvision:NAME[@WEIGHTS], timm:NAME, hf:FOLDER, monai:FOLDER, "
            "PATH.onnx, PATH.pt2, PATH.pt, PATH.keras, PATH.skops or package.module:factory; "
            "may be repeated. [default: embedded]",
        ),
    ] = None,
    sampler: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="conditional[:FILE], student[:FILE], mixture:FILE, exemplar:FOLDER, "
            "marginal:FOLDER, blurred[:SIGMA], inpaint:telea|ns, cohort:FILE[@age=71,...], "
            "constant:VALUE|mean, or channel:NAME|each:SPEC; may be repeated. [default: "
            "conditional, or that of a classifier fitted with --reference; see --paper]",
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
            help="Length of the window, of each axis as 3x5x5, of a scan also 12mm, of a "
            "transformer token or token:2, several as 10,20,40; with --source also channel or "
            "unit; may be repeated. "
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
        str | None,
        typer.Option(
            metavar="N",
            help="Pixels from one window to the next, of each axis as 2x3x3, of a scan also 6mm. "
            "[default: 1; with --sets the window]",
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
        typer.Option(
            metavar="X",
            help="Stop early when the map's standard error is below X of its size; 0.2 is a quick "
            "look, 0.1 good.",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="End after this time, e.g. 90s, 10min or 1.5h, with the map so far; of several "
            "inputs, with those that are done.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Let the workers of a Dask cluster evaluate windows: local:N starts N on this "
            "machine, tcp://HOST:PORT is one that runs (docs/scale.md).",
        ),
    ] = None,
    scheduler_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The same, of the scheduler that wrote this file of its address."
        ),
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
    channels: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Names of the channels of a scan of four dimensions, e.g. T1,FLAIR.",
        ),
    ] = None,
    preprocess: Preprocess = None,
    labels: Labels = None,
    order: Order = None,
    model_mask: ModelMask = None,
    output_key: OutputKey = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")
    ] = Path("out"),
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace results of other inputs of the same name."),
    ] = False,
    summary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table of what became of several inputs, .csv or .parquet. "
            "[default: DIR/summary.csv]",
        ),
    ] = None,
    results_only: Annotated[
        bool,
        typer.Option(
            "--results-only",
            help="Write no figures and pages, each of which takes a second; "
            "`preddiff view` and `export` make them later.",
        ),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with what an earlier run left in DIR.",
        ),
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
    from preddiff.cli.many_inputs import explain_inputs
    from preddiff.cli.one_input import Errand, Keywords, explain_input
    from preddiff.media.atomic import check_results_folder
    from preddiff.media.listing import is_many, listed, listed_in
    from preddiff.media.several import paths as joined
    from preddiff.pipeline.cluster.scheduler import connected
    from preddiff.pipeline.settings import PAPER
    from preddiff.results import summary as summaries
    from preddiff.samplers.spec import EVERY_CHANNEL

    options.verbose.set(verbose)
    if (table is None) == (not inputs):
        raise SettingError("expected one or more INPUTs, or a --table of them")
    several_inputs = table is not None or len(inputs or []) > 1 or is_many((inputs or [])[0])
    given = listed(inputs or []) if table is None else listed_in(table)
    results = [output / each.name for each in given]
    windows = [_window(text) for text in window] if window else [None]
    several = any(len(each or []) > 1 for each in (model, sampler, node, source, windows))
    several = several or any(each.startswith(EVERY_CHANNEL) for each in sampler or [])
    if resume and several:
        raise SettingError(
            "--resume: goes on with one explanation of each input, and a model, sampler, window, "
            "node or source is repeated here: expected a command for each, with an --output of its "
            "own"
        )
    read: dict[str, list[Path | None]] = {
        "input": [part for each in given for part in joined(each.path) or [each.path]],
        "mask": [mask, *(each.mask for each in given)],
        "mask of the model": [model_mask],
        "regions": [None if regions is None else Path(regions)],
        "table": [table],
    }
    check_not_read(results, read, several=several)
    check_results_folder(output)
    overview = summary or output / "summary.csv"
    if several_inputs:
        summaries.check_destination(overview)
    elif summary is not None:
        raise SettingError("--summary: is of several inputs; leave it out")
    deadline = None if budget is None else time.monotonic() + _seconds(budget)
    settings: Keywords = {
        "targets": target,
        "settings": PAPER if paper else None,
        "margin": margin,
        "samples": samples,
        "stride": None if stride is None else _length(stride),
        "seed": seed,
        "sets": sets,
        "regions": regions,
        "engine": engine,
        "precision": precision,
        "measure": measure,
        "train_size": train_size,
        "baselines": baseline or [],
        "tolerance": tolerance,
        "device": device,
        "mask": mask,
        "resample": resample,
        "channels": None if channels is None else [name.strip() for name in channels.split(",")],
    }
    loaded = [
        options.load(spec, preprocess, order, model_mask, output_key, labels)
        for spec in model or ["embedded"]
    ]
    for each, result in zip(given, results, strict=True):
        check_destinations(
            each.path,
            result,
            several=several,
            overwrite=overwrite,
            channels=settings["channels"],
        )
    varied = {"sampler": sampler, "window": windows, "node": node, "source": source}
    with connected(scheduler, scheduler_file) as client:
        errand = Errand(
            models=loaded,
            settings={**settings, **varied},
            several=several,
            output=output,
            resume=resume,
            live=live,
            results_only=results_only,
            deadline=deadline,
            client=client,
        )
        if several_inputs:
            errand.check(given[0])
            status = explain_inputs(errand, given, overview)
            raise SystemExit(status)
        status = explain_input(errand, given[0]).status
    if status:
        raise SystemExit(status)


_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def _seconds(text: str) -> float:
    """Return the seconds that a text such as 90s, 10min or 1.5h stands for."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|min|h)", text)
    if found is None or not float(found[1]):
        raise SettingError(f"--budget {text!r}: expected a time such as 90s, 10min or 1.5h")
    return float(found[1]) * _UNITS[found[2]]


def _window(text: str) -> int | str | tuple[int | str, ...]:
    """Return one length as a number, several as a tuple; the settings judge anything else."""
    first, *others = (_length(part) for part in text.split(","))
    return (first, *others) if others else first


def _length(text: str) -> int | str:
    """Return whole numbers as such; all else is text."""
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else text


explain.__doc__ = _HELP
