"""Hold the forecasts of `preddiff explain` against how long it takes.

    PREDDIFF_DATA=... python scripts/forecasts.py

Three networks, with and without a tolerance, one picture and several: twelve runs of the command
line, each in a process of its own; of a network, the first knows nothing of earlier ones. Prints a
table. A run is timed from the line of its forecast to
the end of that picture's work, with its figure and page; of several pictures, the last is shown,
whose set-up is that of a batch.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(os.environ.get("PREDDIFF_DATA", "../shared/data"))
NETWORKS = {
    "EfficientNet-Lite0": "embedded",
    "SqueezeNet": str(DATA / "models" / "squeezenet.onnx"),
    "GoogLeNet": str(DATA / "models" / "bvlc_googlenet.onnx"),
}
WORK = {
    "tolerance 0.4": ["--tolerance", "0.4"],
    "every 12th window": ["--stride", "12", "--samples", "4"],
}
COUNTS = (1, 2)
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_FORECAST = re.compile(r"about ([\d.]+) (s|min|h)\b(?! left)")


def main() -> None:
    """Print the table."""
    pictures = sorted((DATA / "images" / "imagenet").glob("*.jpg"))[:: 120 // max(COUNTS)]
    print("| network | work | pictures | set-up | forecast | took | ratio |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for network, spec in NETWORKS.items():
        kept = tempfile.TemporaryDirectory()  # a network's first run knows nothing of earlier ones
        os.environ["PREDDIFF_CACHE"] = kept.name
        for work, options in WORK.items():
            for count in COUNTS:
                setup, forecast, took = timed(spec, options, pictures[:count])
                ratio = f"{took / forecast:.2f}" if forecast else "-"
                print(
                    f"| {network} | {work} | {count} | {setup:.1f} s | {forecast:.0f} s | "
                    f"{took:.1f} s | {ratio} |",
                    flush=True,
                )


def timed(spec: str, options: list[str], pictures: list[Path]) -> tuple[float, float, float]:
    """Return set-up, forecast and what it took, in seconds, of the last picture of a run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "preddiff", "explain", *map(str, pictures)]
        command += ["--model", spec, *options, "--output", folder]
        begin = said = time.monotonic()
        forecast = 0.0
        with subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            for line in process.stderr or ():
                if re.match(r"\d+ of \d+ · ", line):
                    begin = time.monotonic()
                elif found := _FORECAST.search(line):
                    said = time.monotonic()
                    forecast = float(found[1]) * _SECONDS[found[2]]
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        return said - begin, forecast, time.monotonic() - said


if __name__ == "__main__":
    main()
