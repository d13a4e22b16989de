"""Maps of a small 3-D network, trained on a simulated cohort, beside those of a linear classifier.

The cohort of docs/volumes.md (4 mm, individual effects); the same subjects, samplers, windows and
scores for both. A network needs draws, so windows of 3 voxels stand side by side.
"""

import argparse
import itertools
import math

import compare_maps
import numpy as np
import torch
from torch import nn

import preddiff
from preddiff.baselines.weights import times_deviation
from preddiff.datasets.cohort import LABELS
from preddiff.studies import machine
from preddiff.studies.linear_maps.study import Study, simulated_study

WINDOW = 3
SAMPLERS = ("marginal", "marginal of controls", "cohort")


class Network(nn.Module):
    """Three convolutions of stride 2, and a linear layer that knows where things are."""

    def __init__(self, scans: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", scans.mean(dim=0))
        self.register_buffer("scale", (scans - scans.mean(dim=0)).std())
        channels = (1, 8, 16, 16)
        layers = []
        for before, after in itertools.pairwise(channels):
            layers += [nn.Conv3d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5))
        self.last = nn.Linear(self.layers(scans[:1]).shape[1], 2)

    def forward(self, scans: torch.Tensor) -> torch.Tensor:
        """Return two logits for each scan."""
        return self.last(self.layers((scans - self.mean) / self.scale))


def trained(made: Study, epochs: int, seed: int) -> Network:
    """A network that tells patients from controls, fitted on the study's first subjects."""
    torch.manual_seed(seed)
    scans = torch.from_numpy(made.cohort.scans[: made.train])
    patient = torch.from_numpy(made.cohort.patient[: made.train].astype(np.int64))
    network = Network(scans)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.1)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for some in torch.randperm(len(scans)).split(20):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(scans[some]), patient[some])
            loss.backward()
            optimizer.step()
        rate.step()
    print(f"loss on the last batch {loss.item():.2g}", flush=True)
    return network.eval()


def gradient(network: Network, scan: np.ndarray) -> np.ndarray:
    """How the log-odds of a patient grow with each voxel."""
    variable = torch.from_numpy(scan[None]).requires_grad_()
    logits = network(variable)[0]
    (logits[1] - logits[0]).backward()
    return variable.grad[0, 0].double().numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", type=int, default=400, help="subjects of both classes")
    parser.add_argument("--test", type=int, default=100, help="subjects of both classes")
    parser.add_argument("--explained", type=int, default=5, help="patients among these")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--samples", type=int, default=4, help="draws of a window")
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS, choices=SAMPLERS)
    arguments = parser.parse_args()
    print(f"{machine.describe()}; 4 mm, {arguments.train} + {arguments.test} subjects")
    made = simulated_study(arguments.seed, "individual", 4, arguments.train, arguments.test)
    network = trained(made, arguments.epochs, arguments.seed)
    cohort, test = made.cohort, slice(made.train, None)
    with torch.inference_mode():
        logits = network(torch.from_numpy(cohort.scans[test])).numpy()
    patient = cohort.patient[test]
    for name, found in (
        ("linear", made.probabilities[test] > 0.5),
        ("network", logits[:, 1] > logits[:, 0]),
    ):
        print(f"{name}: {(found == patient).mean():.0%} of {len(patient)} test subjects right")
    model = preddiff.load_model(network, labels=LABELS)
    samplers = {name: made.sampler(name, WINDOW) for name in arguments.samplers}
    rows: dict[str, list] = {}
    chosen = [n for n in range(made.train, len(cohort)) if cohort.patient[n]]
    for subject in chosen[: arguments.explained]:
        scan, truth = cohort.scans[subject], cohort.truth(subject)
        slope = gradient(network, scan)
        maps = {
            "network: gradient": slope,
            "network: gradient · (x − mean)": times_deviation(slope, scan[0], made.mean),
            "linear: w · (x − mean)": times_deviation(made.weights, scan[0], made.mean),
        }
        for name, sampler in samplers.items():
            for kind, (explained, draws) in {
                "linear": (made.model, None), "network": (model, arguments.samples)
            }.items():  # fmt: skip
                result = preddiff.explain(
                    explained, scan, LABELS[1], sampler=sampler, window=WINDOW, stride=WINDOW,
                    mask=cohort.mask, train_size=math.inf,
                    **({"samples": draws} if draws else {"engine": "linear"}),
                )  # fmt: skip
                maps[f"{kind}: {name}"] = np.nan_to_num(result.relevance.values[0])
        for name, values in maps.items():
            row = compare_maps.scored(values, truth, cohort.mask, 1)
            rows.setdefault(name, []).append(row)
        print(f"subject {subject}", flush=True)
    compare_maps.table("individual", {name: [np.mean(rows[name], axis=0)] for name in sorted(rows)})


if __name__ == "__main__":
    main()
