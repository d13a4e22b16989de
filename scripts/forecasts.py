"""Hold the forecasts of `preddiff explain` against how long it takes.

    PREDDIFF_DATA=... OMP_NUM_THREADS=1 python scripts/forecasts.py

Three networks, with and without a tolerance, each on two pictures in one command: of the first,
nothing is known of earlier runs, and the second is one of a batch. Twelve forecasts are held
against what came. Times are those of the processor, so that other programs on the machine do not
count, in one thread. A picture's work is what comes after its forecast, with figure and page.
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
    "every 16th window": ["--stride", "16", "--samples", "4"],
    "tolerance 0.5, every 4th": ["--stride", "4", "--tolerance", "0.5"],
}
_PICTURES = ("n01443537_goldfish.jpg", "n02509815_lesser_panda.jpg")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_FORECAST = re.compile(r"about ([\d.]+) (s|min|h)\b(?! left)")
_STAMP = re.compile(r"@([\d.]+)$")


def main() -> None:
    """Print the table, or be one of its runs."""
    if len(sys.argv) > 1:
        run(sys.argv[1:])
        return
    print("| network | work | picture | set-up | forecast | took | ratio |")
    print("|---|---|---|--:|--:|--:|--:|")
    for network, spec in NETWORKS.items():
        for work, options in WORK.items():
            for name, row in zip(("first", "second"), timed(spec, options), strict=True):
                setup, forecast, took = row
                ratio = f"{took / forecast:.2f}" if forecast else "-"
                print(
                    f"| {network} | {work} | {name} | {setup:.1f} s | {forecast:.0f} s | "
                    f"{took:.1f} s | {ratio} |",
                    flush=True,
                )


def timed(spec: str, options: list[str]) -> list[tuple[float, float, float]]:
    """Return set-up, forecast and what it took, in seconds of the processor, of each picture."""
    pictures = [str(DATA / "images" / "imagenet" / name) for name in _PICTURES]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, *pictures, "--model", spec, *options]
        done = subprocess.run(  # noqa: S603 - this file
            [*command, "--output", folder],
            env={**os.environ, "PREDDIFF_CACHE": f"{folder}/kept"},
            capture_output=True,
            text=True,
            check=True,
        )
    rows, begin, said, forecast = [], 0.0, 0.0, 0.0
    for line in done.stderr.splitlines():
        stamp = _STAMP.search(line)
        if stamp is None:
            continue
        now = float(stamp[1])
        if line.startswith("end"):
            rows.append((said - begin, forecast, now - said))
            begin = now
        elif found := _FORECAST.search(line):
            said, forecast = now, float(found[1]) * _SECONDS[found[2]]
    return rows


def run(arguments: list[str]) -> None:
    """Explain pictures, with the processor's time beside each line that is said."""
    time.perf_counter = time.process_time  # by which forecasts are made
    from preddiff.cli import one_input
    from preddiff.pipeline import progress

    say, write = progress.say, one_input.write_results

    def stamped(text: str) -> None:
        say(f"{text} @{time.process_time():.3f}")

    def written(*given, **settings):
        result = write(*given, **settings)
        stamped("end")
        return result

    progress.say, one_input.write_results = stamped, written
    sys.argv = ["preddiff", "explain", *arguments]
    from preddiff.cli import main as command

    command()


if __name__ == "__main__":
    main()
