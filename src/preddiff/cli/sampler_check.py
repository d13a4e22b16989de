"""preddiff sampler check"""

from pathlib import Path
from typing import Annotated

import typer

from preddiff.cli.terminal import echo
from preddiff.errors import SettingError

_CHECK = """
Hold samplers against what really stands in windows of a FOLDER of pictures or volumes.

Prints the log2 density of a window in bits per value, where the sampler knows it; how far the mean
of its draws is off; how often a central interval of the draws holds the true value; how well a
small classifier tells drawn windows from real ones (area under the ROC curve, 0.5 is chance); and
draws a second.

Example: preddiff sampler check conditional inpaint:telea --on pictures/ -o draws.png
"""


def check(
    samplers: Annotated[
        list[str],
        typer.Argument(metavar="SAMPLER...", help="Samplers, as for `preddiff explain`."),
    ],
    folder: Annotated[
        Path,
        typer.Option(
            "--on", metavar="FOLDER", help="Pictures or volumes that they were not fitted on."
        ),
    ],
    window: Annotated[
        int | None,
        typer.Option(metavar="K", help="Length of a window. [default: 10, of volumes 3]"),
    ] = None,
    margin: Annotated[
        int, typer.Option(metavar="M", help="Pixels or voxels around a window on each side.")
    ] = 2,
    windows: Annotated[int, typer.Option(metavar="N", help="Windows of each picture.")] = 20,
    samples: Annotated[int, typer.Option(metavar="N", help="Draws of each window.")] = 100,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of windows and draws.")] = 0,
    model: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Resize and crop the pictures as this model does."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also draw windows and draws side by side, .png.",
        ),
    ] = None,
) -> None:
    from preddiff.media import folders, ours
    from preddiff.media.atomic import check_file
    from preddiff.pipeline.progress import naming
    from preddiff.studies import machine
    from preddiff.studies.sampler_check import sheet, table
    from preddiff.studies.sampler_check.run import check_pictures, check_volumes
    from preddiff.studies.sampler_check.scores import Check

    if output is not None:
        check_file(output)
        ours.check_destination(output, ours.is_figure)
    of_volumes = folders.contains_volumes(folder)
    length = window if window is not None else 3 if of_volumes else 10
    wanted = Check(length, margin, windows, samples, seed)
    if of_volumes and model is not None:
        raise SettingError("--model is for pictures, but these are volumes; leave it out")
    with naming(f"Drawing {samples} times in {windows} windows of each file in {folder}"):
        found = (
            check_volumes(samplers, folder, wanted)
            if of_volumes
            else check_pictures(samplers, folder, wanted, model)
        )
    echo(machine.describe())
    for line in table.lines(found, length, margin, "volumes" if of_volumes else "pictures"):
        echo(line)
    if output is not None:
        sheet.write(found, output)
        echo(output)


check.__doc__ = _CHECK
