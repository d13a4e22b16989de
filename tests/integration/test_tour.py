"""What the tour says of scans and networks runs, as it stands there, on small ones."""

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from torch import nn
from torchvision.transforms._presets import ImageClassification

from preddiff import cli

TOUR = (Path(__file__).parents[2] / "docs" / "tour.md").read_text(encoding="utf-8")


def run(monkeypatch, command):
    monkeypatch.setattr("sys.argv", shlex.split(command, comments=True))
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code in (0, None), command


def test_from_a_table_to_regions_of_an_atlas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    simulate, *commands = re.findall(
        r"^    (preddiff .+)$", TOUR.split("## A scan")[1].split("\n## ")[0], flags=re.MULTILINE
    )
    run(
        monkeypatch,
        f"{shlex.join(shlex.split(simulate, comments=True))} --spacing 8 --loss 40 --subjects 20",
    )
    scan = nib.load("study/scans/subject_001.nii.gz")
    labels = np.indices(scan.shape)[0] // 10 + 1  # slabs from left to right
    nib.save(nib.Nifti1Image(labels.astype(np.int16), scan.affine), "atlas.nii.gz")
    for command in commands:
        run(monkeypatch, command)
    assert Path("out/subject_001.nii.gz").exists()
    (table,) = Path("out").glob("*.csv")
    assert table.read_text().count("\n") > 1


def test_an_own_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (24, 24), "teal").save("dog.jpg")
    (code,) = re.findall(r"```python\n(.*?)```", TOUR, flags=re.DOTALL)
    weights = SimpleNamespace(transforms=lambda: ImageClassification(crop_size=24, resize_size=24))
    models = SimpleNamespace(ResNet18_Weights=SimpleNamespace(DEFAULT=weights))
    names = {
        "network": nn.Sequential(nn.AvgPool2d(6), nn.Flatten(), nn.Linear(48, 2)).eval(),
        "labels": ["husky", "wolf"],
        "torchvision": SimpleNamespace(models=models),
    }
    exec(code, names)  # noqa: S102 - our own page
    assert names["e"].labels[0] in {"husky", "wolf"}
    assert Path("dog.html").exists()
