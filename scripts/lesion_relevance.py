"""Where the relevance of ten patients with stroke lies on average, as numbers and a figure.

    python scripts/lesions.py lesymap lesions
    preddiff classify fit lesions/table.csv -o lesions.skops
    python scripts/lesion_relevance.py lesions/table.csv lesions.skops lesions.png

The ten are the first of those with a low score. Where damage goes with a low score is known of
these maps without any classifier: around (-48, -19, 18) mm. Of each patient's map, the share of the
size of all values that lies in the patient's own lesion is printed, too, and how that compares with
the conditional sampler's.
"""

import csv
import sys
from pathlib import Path

import numpy as np

import preddiff
from preddiff.media import volumes
from preddiff.media.folders import VolumeFolder
from preddiff.render.strips import Strip, cuts_through, peak, strips
from preddiff.samplers import Cohort, ConditionalGaussian, Marginal
from preddiff.types import Floats

KNOWN = (-48, -19, 18)  # mm
GROUP = "below"
PATIENTS = 10


def share_in_lesion(values: Floats, lesion: Floats) -> float:
    """Return which share of the size of all values lies where a lesion is."""
    size = np.abs(values)
    return float(size[lesion > 0].sum() / size.sum())


def main(table: Path, classifier: Path, picture: Path) -> None:
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    paths = [table.parent / row["path"] for row in rows]
    chosen = [n for n, row in enumerate(rows) if row["group"] == GROUP][:PATIENTS]
    others = VolumeFolder([p for p, row in zip(paths, rows, strict=True) if row["group"] != GROUP])
    scans, model = list(VolumeFolder(paths)), preddiff.load_model(str(classifier))
    grid = volumes.read(paths[0]).grid
    inside = np.any(scans, axis=(0, 1))
    samplers = {
        "marginal": Marginal(np.stack(scans)),
        "conditional": ConditionalGaussian.fit(scans, 7, mask=inside),
        "cohort": Cohort.fit(scans, mask=inside, grid=grid),
        "cohort of the others": Cohort.fit(others, mask=np.any(list(others), axis=(0, 1))),
    }
    shown, shares = [], {}
    for name, sampler in samplers.items():
        maps = [
            preddiff.explain(model, scans[n], GROUP, sampler=sampler, window=3, engine="linear")
            for n in chosen
        ]
        mean = np.mean([e.relevance.values[0] for e in maps], axis=0)
        shares[name] = np.array(
            [
                share_in_lesion(e.relevance.values[0], scans[n][0])
                for e, n in zip(maps, chosen, strict=True)
            ]
        )
        highest = np.unravel_index(np.argmax(mean), mean.shape)
        place = grid.world(np.array([highest]))[0]
        apart = np.linalg.norm(place - KNOWN)
        print(f"{name}: {mean.max():.3f} bits at {place.round(1).tolist()} mm, {apart:.1f} mm from "
              f"{KNOWN}; largest of either sign {np.abs(mean).max():.3f} bits")  # fmt: skip
        shown.append(
            Strip(
                label=name,
                scan=np.mean(scans, axis=0)[0],
                values=mean,
                grid=grid,
                cuts=cuts_through(peak(mean), grid),
                unit="above ← bits → below",
            )
        )
    for name, of_patients in shares.items():
        more = of_patients - shares["conditional"]
        error = more.std(ddof=1) / np.sqrt(PATIENTS)
        print(f"{name}: {of_patients.mean():.1%} in the patient's own lesion, "
              f"{more.mean():+.1%} ± {error:.1%} to the conditional")  # fmt: skip
    title = f"mean relevance of {PATIENTS} patients over the mean of all lesions"
    strips(shown, title).savefig(picture, dpi=80)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
