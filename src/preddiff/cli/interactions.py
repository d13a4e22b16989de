"""preddiff interactions"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from preddiff.cli.options import Labels, ModelMask, Order, OutputKey, Preprocess, load
from preddiff.cli.terminal import echo

if TYPE_CHECKING:
    from preddiff.results.interactions import Interactions

_PRINTED = 5  # pairs of each target

_HELP = """
Say which regions of INPUT are needed together, and which can stand in for each other.

The interaction of two regions is the evidence of both hidden together minus that of each alone:
above 0 where either is enough, below 0 where both are needed. Writes DIR/NAME.interactions.npz (the
numbers) and DIR/NAME.interactions.png (a figure), and prints the strongest pairs; the last line
printed is the path of the figure.

Example: preddiff interactions cat.jpg --regions 15 --sampler blurred
"""


def interactions(
    picture: Annotated[
        Path,
        typer.Argument(metavar="INPUT", help="A picture, a scan, or a folder of slices."),
    ],
    regions: Annotated[
        str,
        typer.Option(
            metavar="N|AxB|FILE",
            help="About N superpixels; a grid of boxes such as 4x4; or a picture or scan whose "
            "values are the numbers of regions, 0 for none.",
        ),
    ] = "15",
    model: Annotated[
        str, typer.Option(metavar="SPEC", help="Model, as for `preddiff explain`.")
    ] = "embedded",
    sampler: Annotated[
        str | None, typer.Option(metavar="SPEC", help="Sampler, as for `preddiff explain`.")
    ] = None,
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
    window: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Pixels drawn at once by the conditional sampler. [default: 10, of volumes 3]",
        ),
    ] = None,
    margin: Annotated[
        int, typer.Option(metavar="M", help="Pixels around them to condition on.")
    ] = 2,
    samples: Annotated[
        int | None,
        typer.Option(metavar="S", help="Draws of each region. [default: 10; with --sets 1]"),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The draws follow from it.")] = 0,
    sets: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Hide N random halves of all regions, instead of single ones and pairs: what a "
            "pair tells when others are unknown, too.",
        ),
    ] = None,
    measure: Annotated[
        str, typer.Option(metavar="M", help="auto, WE, AD, DP or ID, as docs/cli.md says.")
    ] = "auto",
    train_size: Annotated[
        float | None,
        typer.Option(metavar="N", help="Number of training examples; inf corrects nothing."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="D", help="cpu, cuda or mps.")] = "cpu",
    mask: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Picture or scan: regions end where it is black (0)."),
    ] = None,
    resample: Annotated[
        bool,
        typer.Option("--resample", help="Interpolate scans and regions to the model's grid."),
    ] = False,
    preprocess: Preprocess = None,
    labels: Labels = None,
    order: Order = None,
    model_mask: ModelMask = None,
    output_key: OutputKey = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")
    ] = Path("out"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace those of another input of the same name.")
    ] = False,
) -> None:
    from preddiff.media import ours
    from preddiff.media.atomic import check_results_folder
    from preddiff.media.input import open_input
    from preddiff.media.names import result_name
    from preddiff.pipeline.interactions import interactions as find
    from preddiff.render.exports import export_figure
    from preddiff.results.interactions import check_input

    numbers, figure = (
        output / f"{result_name(picture)}.interactions{ending}" for ending in (".npz", ".png")
    )
    read = [each for each in (picture, mask, model_mask, Path(regions)) if each is not None]
    ours.check_not_read([numbers, figure], read, "input")
    check_results_folder(output)
    ours.check_destination(numbers, ours.is_interactions)
    ours.check_destination(figure, ours.is_figure)
    if not overwrite:
        check_input(numbers, open_input(picture))
    found = find(
        load(model, preprocess, order, model_mask, output_key, labels),
        picture,
        regions,
        targets=target,
        node=node,
        sampler=sampler,
        window=window,
        margin=margin,
        samples=samples,
        seed=seed,
        sets=sets,
        mask=mask,
        resample=resample,
        train_size=train_size,
        measure=measure,
        device=device,
        progress=True,
    )
    found.save(numbers)
    for row, label in enumerate(found.labels):
        _print_strongest(found, row, label)
    echo(export_figure(found, figure))


def _print_strongest(found: "Interactions", row: int, label: str) -> None:
    """Print the pairs of a target that interact most, with their standard errors."""
    strongest = found.strongest(row)[:_PRINTED]
    if not strongest:
        echo(f"{label}: no two regions interact by more than two standard errors")
    for pair in strongest:
        echo(
            f"{label}: regions {pair.one} and {pair.other}: {pair.interaction:+.3g} ± "
            f"{pair.error:.2g} {found.unit}"
        )


interactions.__doc__ = _HELP
