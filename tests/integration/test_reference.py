"""The group that a scan is compared with is named in provenance, page and figure."""

import numpy as np

import preddiff
from preddiff.models import Linear
from preddiff.samplers import Cohort, Marginal


def test_the_reference_group_is_named(rng, tmp_path):
    scans = rng.normal(size=(12, 1, 5, 6, 5)).astype(np.float32)
    model = Linear(rng.normal(size=(1, 5, 6, 5)), 0.0, labels=("control", "patient"))
    for sampler in (Marginal(scans), Cohort.fit(scans, factors=1, guard=1)):
        plain = preddiff.explain(model, scans[0], sampler=sampler, window=2)
        assert "reference" not in plain.provenance
        sampler.reference = "group=control"
        compared = preddiff.explain(model, scans[0], sampler=sampler, window=2)
        assert compared.provenance["reference"] == "group=control"
        told = "as in scans of group=control"
        assert compared.provenance["sampler_description"].endswith(told)
        assert told in preddiff.page(compared, tmp_path / "p.html").read_text()
        assert "compared with group=control" in preddiff.figure(compared).get_suptitle()
        assert "compared with" not in preddiff.figure(plain).get_suptitle()
