"""preddiff explain"""

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.options import Preprocess
from preddiff.errors import SettingError

_HELP = """
Explain why a model decided as it did about each INPUT.

Writes DIR/NAME.zarr (the result), NAME.png (a figure) and NAME.html (a page) for each; the last
line printed is the path of the page.

Example: preddiff explain cat.jpg --model torchvision:googlenet --target top3 --stride 4
"""


def explain(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Pictures.")],
    model: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="embedded, torchvision:NAME[@WEIGHTS], timm:NAME, PATH.onnx, PATH.skops or "
            "package.module:factory.",
        ),
    ] = "embedded",
    sampler: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="conditional, conditional:FILE, marginal:FOLDER or constant:VALUE|mean.",
        ),
    ] = "conditional",
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="T", help="Class number, label, topN or all; may be repeated. [default: top1]"
        ),
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Explain the channels of this node, not the classes."),
    ] = None,
    window: Annotated[int, typer.Option(metavar="K", help="Length of the window.")] = 10,
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
    tolerance: Annotated[
        float | None,
        typer.Option(metavar="X", help="Stop when the map's relative error is below X, e.g. 0.1."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="D", help="cpu, cuda or mps.")] = "cpu",
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Picture: only windows that touch its white are analysed."
        ),
    ] = None,
    preprocess: Preprocess = None,
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
) -> None:
    _check_names(inputs, output)
    from preddiff import exports, frontdoor, store
    from preddiff.media.whole import check_folder
    from preddiff.models import load_model
    from preddiff.viewer.live import Live
    from preddiff.viewer.page import page

    check_folder(output)
    for path in inputs:
        store.check_place(output / f"{path.stem}.zarr")
    loaded = load_model(model, preprocess=preprocess)
    for path in inputs:
        with Live(_announce) if live else nullcontext() as watched:
            explanation = frontdoor.explain(
                loaded,
                path,
                targets=target,
                node=node,
                sampler=sampler,
                window=window,
                margin=margin,
                samples=samples,
                stride=stride,
                seed=seed,
                engine=engine,
                precision=precision,
                tolerance=tolerance,
                device=device,
                mask=mask,
                progress=True,
                callback=watched,
                checkpoint=output / f"{path.stem}.unfinished.npz" if resume else None,
            )
            for label, value in zip(explanation.labels, explanation.values, strict=True):
                typer.echo(f"{label}: {value}")
            store.save(explanation, output / f"{path.stem}.zarr")
            exports.export(explanation, output / f"{path.stem}.png")
            written = page(explanation, output / f"{path.stem}.html")
            if watched is not None:
                watched.finish(f"Saved as {written}.", explanation)
            typer.echo(written)


def _announce(address: str) -> None:
    typer.echo(f"Watch it, pause it or stop it: {address}", err=True)


def _check_names(inputs: list[Path], output: Path) -> None:
    """Raise unless every result has a name of its own, and none is that of an input."""
    names = Counter(path.stem for path in inputs)
    twice = [name for name, times in names.items() if times > 1]
    if twice:
        raise SettingError(
            f"several inputs are called {twice[0]!r} and would overwrite each other's results: "
            "explain them one by one, each with its own --output"
        )
    for path in inputs:
        if path.suffix == ".png" and path.resolve() == (output / path.name).resolve():
            raise SettingError(
                f"{path}: the figure would overwrite the input; choose another --output"
            )


explain.__doc__ = _HELP
