"""What a map with an error of 10 % costs, against whole passes of windows that are visited evenly.

    python scripts/times_less.py MODEL PICTURE... [--tolerance 0.1]

For each picture: draws until the error is below the tolerance, as `explain --tolerance` takes them;
the same if all windows come evenly with all their draws, until the same error; and those of the
whole protocol. A draw's time is that of the engine that is chosen, and of the best whole passes,
timed in turn in one process (`preddiff bench`). Prints by how many times the first costs less than
the other two by whole passes.
"""

import argparse

import preddiff
from preddiff.studies import machine
from preddiff.studies.benchmark.networks import measure_networks

TIMED, CHECKED = 32, 4


def draws_needed(model: object, picture: str, tolerance: float) -> tuple[int, int, int, float]:
    """Return draws with a tolerance, evenly, and of all windows; and the error of the second."""
    run = preddiff.explain(model, picture, tolerance=tolerance)
    every = run.provenance["windows"] * run.provenance["samples"]

    def is_enough(so_far: preddiff.Explanation) -> bool:
        error = so_far.provenance["relative_error"]
        return error != "" and error < tolerance

    evenly = preddiff.explain(model, picture, settings=preddiff.PAPER, callback=is_enough)
    error = evenly.provenance["relative_error"]
    return run.provenance["evaluations"], evenly.provenance["evaluations"], every, error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("picture", nargs="+")
    parser.add_argument("--tolerance", type=float, default=0.1)
    arguments = parser.parse_args()
    (cost,) = measure_networks([arguments.model], TIMED, CHECKED)
    speed = cost.dense / cost.automatic
    print(machine.describe())
    print(f"{cost.name}: {cost.choice} {cost.automatic:.2f} ms, whole pass by {cost.by} "
          f"{cost.dense:.2f} ms: {speed:.1f}")  # fmt: skip
    print("\n| picture | draws | evenly (error) | protocol | times less | than the protocol |")
    print("|---|---|---|---|---|---|")
    model = preddiff.load_model(arguments.model)
    for picture in arguments.picture:
        some, evenly, every, error = draws_needed(model, picture, arguments.tolerance)
        print(
            f"| {picture.rpartition('/')[2]} | {some:,} | {evenly:,} ({error:.3f}) | {every:,} | "
            f"{speed * evenly / some:.0f} | {speed * every / some:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
