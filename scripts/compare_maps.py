"""The table of docs/volumes.md: maps of a linear classifier against what is known to differ.

Simulated cohorts of both kinds, an L2 logistic regression, and for every test subject the maps of
prediction difference analysis beside those that are read off the weights.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np

from preddiff.baselines.pattern import activation_pattern
from preddiff.baselines.significance import analytic_p_values
from preddiff.baselines.weights import times_deviation, times_input
from preddiff.datasets.cohort import BEND, SHADING
from preddiff.render.strips import DEFAULT_THRESHOLD
from preddiff.samplers.brain.cohort import GUARD
from preddiff.studies import machine
from preddiff.studies.linear_maps import scores, study
from preddiff.studies.linear_maps.study import Study

COLUMNS = ("area under PR", "right sign", "pieces", "above 15 %")


def of_the_group(made: Study) -> dict[str, tuple[np.ndarray, bool]]:
    """Maps (z, y, x) that are the same for everybody, and whether their sign means something."""
    mask, features = made.cohort.mask, made.features
    p = analytic_p_values(features, made.cohort.patient[: made.train])
    pattern = activation_pattern(made.weights[mask], features)
    return {
        "weights, \\|w\\|": (made.weights, True),
        "p-values": (_volume(-np.log10(np.maximum(p, 1e-300)), mask), False),
        "Haufe's pattern": (_volume(pattern, mask), True),
    }


def _volume(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    volume = np.zeros(mask.shape)
    volume[mask] = values
    return volume


def of_one(made: Study, subject: int, samplers: dict) -> dict[str, np.ndarray]:
    """Maps (z, y, x) of one subject; positive speaks for a patient.

    Parameters
    ----------
    samplers : by name and length of the window.
    """
    scan = made.cohort.scans[subject, 0]
    maps = {
        f"{name}, k = {window}": made.explain(subject, sampler, window).relevance.values[0]
        for (name, window), sampler in samplers.items()
    }
    maps["w · x"] = times_input(made.weights, scan)
    maps["w · (x − mean)"] = times_deviation(made.weights, scan, made.mean)
    return maps


def measured(
    made: Study,
    common: bool,
    names: Sequence[str],
    windows: Sequence[int],
    cells: int,
    guard: float,
) -> Iterator[tuple[str, list[float]]]:
    """A map's name and its scores, for every map of every test subject who has a truth."""
    cohort = made.cohort
    samplers = {
        (name, window): made.sampler(name, window, cells, guard)
        for window in windows
        for name in names
    }
    group = of_the_group(made)
    for subject in range(made.train, len(cohort)):
        patient = bool(cohort.patient[subject])
        if not (patient or common):
            continue  # a control has lost nothing anywhere
        truth = cohort.truth(subject if patient else 1)  # of the common effect, all have the same
        if subject == made.train or not common:  # whose truth is everybody's
            for name, (values, signed) in group.items():
                yield name, scored(values, truth, cohort.mask, -1 if signed else None)
        for name, values in of_one(made, subject, samplers).items():
            yield name, scored(values, truth, cohort.mask, 1 if patient else -1)


def scored(values: np.ndarray, truth: np.ndarray, mask: np.ndarray, sign: int | None) -> list:
    inside, true = values[mask], truth[mask]
    return [
        scores.precision_recall_area(inside, true),
        np.nan if sign is None else scores.right_sign(inside, true, sign),
        scores.components(np.where(mask, values, np.nan), int(true.sum())),
        scores.share_above(inside, DEFAULT_THRESHOLD),
    ]


def table(effect: str, means: dict[str, list[np.ndarray]]) -> None:
    """Means over seeds, and their standard errors where there is more than one."""
    print(f"\n| {effect} effect | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
    for name, several in means.items():
        mean = np.mean(several, axis=0)
        error = np.std(several, axis=0, ddof=1) / np.sqrt(len(several)) if several[1:] else mean * 0
        cells = [
            "" if np.isnan(m) else f"{m:.3g} ± {e:.1g}" for m, e in zip(mean, error, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spacing", type=int, default=2, help="of the voxels, in mm")
    parser.add_argument("--cells", type=int, default=20, help="of located, in each direction")
    parser.add_argument("--guard", type=float, default=GUARD, help="of cohort, in mm")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--effects", nargs="+", default=["individual", "common"])
    parser.add_argument("--samplers", nargs="+", default=study.SAMPLERS, choices=study.SAMPLERS)
    parser.add_argument("--windows", nargs="+", type=int, default=[3], help="lengths, in voxels")
    parser.add_argument("--bend", type=float, default=BEND, help="of anatomies, in mm")
    parser.add_argument("--shading", type=float, default=SHADING, help="of scans, in per cent")
    parser.add_argument("--loss", type=float, help="of signal in a region, in per cent")
    parser.add_argument("--train", type=int, default=160, help="subjects of both classes")
    parser.add_argument("--test", type=int, default=40, help="subjects of both classes")
    arguments = parser.parse_args()
    cells = "×".join([str(arguments.cells)] * 3)
    print(f"{machine.describe()}; {arguments.spacing} mm, {arguments.train} + {arguments.test} "
          f"subjects, {cells} cells, anatomies bent by {arguments.bend:g} mm and shaded by "
          f"{arguments.shading:g} %", flush=True)  # fmt: skip
    every: dict[str, dict[str, list[np.ndarray]]] = {effect: {} for effect in arguments.effects}
    for seed in range(arguments.seeds):
        for effect, means in every.items():
            made = study.simulated_study(
                seed, effect, arguments.spacing, arguments.train, arguments.test,
                bend=arguments.bend, shading=arguments.shading, loss=arguments.loss,
            )  # fmt: skip
            right = (made.probabilities > 0.5) == made.cohort.patient
            share = right[made.train :].mean()
            print(f"\n{effect}, seed {seed}: {share:.0%} of {arguments.test} test subjects right",
                  flush=True)  # fmt: skip
            rows: dict[str, list[list[float]]] = {}
            for name, row in measured(
                made,
                effect == "common",
                arguments.samplers,
                arguments.windows,
                arguments.cells,
                arguments.guard,
            ):
                rows.setdefault(name, []).append(row)
            for name, several in rows.items():
                means.setdefault(name, []).append(np.mean(several, axis=0))
            table(effect, means)


if __name__ == "__main__":
    main()
