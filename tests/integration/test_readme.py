"""README's commands are real."""

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.naive_bayes import GaussianNB
from torch import nn
from torchvision.transforms._presets import ImageClassification

import preddiff
from conftest import Softmax
from preddiff import cli
from preddiff.results.explanation import Explanation

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


@pytest.mark.parametrize("line", re.findall(r"^    preddiff (.+)$", README, flags=re.MULTILINE))
def test_the_commands_run(line, tmp_path, monkeypatch):
    """With a small model and a coarse stride in place of the real ones."""
    from preddiff.models import load

    monkeypatch.chdir(tmp_path)
    # The least that the windows of each command fit into: interactions hide many regions.
    side = 16 if line.startswith("interactions") else 30
    Image.new("RGB", (side, side), "teal").save("cat.jpg")
    if "photos" in line:
        Path("photos").mkdir()
        Path("cat.jpg").rename("photos/cat.jpg")
    small = preddiff.load_model(Softmax((3, side, side)))
    monkeypatch.setattr(load, "_from_spec", lambda _spec, _wishes: small)
    command = line.split()[0]
    if command in {"verify", "rerun", "cite", "report"}:
        of_before = preddiff.explain(small, "cat.jpg", sampler="constant:0.5", stride=4)
        of_before = Explanation(of_before.data.assign_attrs(model="embedded"))
        preddiff.save(of_before, "out/cat.zarr")
    monkeypatch.setattr("sys.argv", ["preddiff", *shlex.split(line)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code in (0, None)
    others = {
        "interactions": "cat.interactions.png",
        "verify": "cat.zarr",
        "cite": "cat.zarr",
        "rerun": "cat.rerun.zarr",
        "report": "report.html",
    }
    written = others.get(command, "cat.html")
    assert len(list(tmp_path.rglob(written))) == 1


def test_the_python_runs(tmp_path, monkeypatch):
    from preddiff.models import load

    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (24, 24), "teal").save("cat.jpg")
    small = preddiff.load_model(Softmax((3, 24, 24)))
    monkeypatch.setattr(load, "_from_spec", lambda _spec, _wishes: small)
    first, second, *_ = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = {}
    exec(first, names)  # noqa: S102 - our own README
    assert Path("cat.html").exists()
    names |= {"picture": np.zeros((3, 16, 16)), "probabilities": np.full((1, 2), 0.5)}
    second = second.replace("return probabilities", "return probabilities.repeat(len(pictures), 0)")
    exec(second, names)  # noqa: S102
    assert names["e"].unit == "bits"


def test_the_python_on_own_networks_and_other_questions_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        Image.new("RGB", (24, 24), "teal").save(f"{name}.jpg")
    *_, own, others = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)

    def small(num_classes):
        return nn.Sequential(nn.AvgPool2d(6), nn.Flatten(), nn.Linear(48, num_classes))

    torch.save(small(5).state_dict(), "mine.pt")
    own_size = {"transforms": lambda: ImageClassification(crop_size=24, resize_size=24)}
    names = {
        "preddiff": preddiff,
        "torch": torch,
        "torchvision": SimpleNamespace(
            models=SimpleNamespace(
                resnet18=small,
                ResNet18_Weights=SimpleNamespace(DEFAULT=SimpleNamespace(**own_size)),
            )
        ),
    }
    exec(own, names)  # noqa: S102 - our own README
    assert names["e"].labels[0] in {"cat", "dog", "fox", "owl", "yak"}

    class Segmentation(nn.Conv2d):
        def forward(self, x):
            return {"out": super().forward(x)}

    table = np.random.default_rng(0).normal(size=(30, 3))
    names |= {
        "model": preddiff.load_model(small(2).eval(), output="logits", labels=["husky", "wolf"]),
        "network": Segmentation(3, 16, 3).eval(),
        "picture": np.full((3, 24, 24), 0.4),
        "forest": GaussianNB().fit(table, table[:, 0] > 0),
        "row": table[0],
        "table": table,
    }
    Image.new("RGB", (24, 24), "teal").save("dog.jpg")
    names["model"].prepare = lambda _: np.full((3, 24, 24), 0.4, dtype=np.float32)
    exec(others, names)  # noqa: S102


def anchor(heading):
    """The name that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_links_lead_somewhere():
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target, fragment in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
            path = document.parent / target if target else document
            assert path.exists(), f"{document.name}: {target}"
            if fragment:
                headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
                found = {anchor(heading) for heading in headings}
                assert fragment in found, f"{document.name}: {target}#{fragment}"


def test_the_recipe_for_a_network_of_ones_own_runs(tmp_path, monkeypatch):
    import torch

    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (300, 260), "teal").save("cat.jpg")
    layers = [torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(48, 2)]
    network = torch.nn.Sequential(*layers).eval()
    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    recipe = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]
    recipe = recipe.replace('"cat.jpg")', '"cat.jpg", stride=60, samples=2)')
    names = {"preddiff": preddiff, "network": network, "names": ["no", "yes"]}
    exec(recipe, names)  # noqa: S102 - our own documentation
    assert names["e"].picture.shape == (3, 224, 224)


def code_of(name):
    """The Python of a page of docs/, block by block."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def test_the_callback_of_the_documentation_stops_a_run():
    picture = np.random.default_rng(0).random((3, 16, 16), dtype=np.float32)
    names = {"preddiff": preddiff, "model": Softmax((3, 16, 16)), "picture": picture}
    (code,) = code_of("performance.md")
    exec(code, names)  # noqa: S102
    assert names["enough"](names["e"]) in (True, False)
    assert names["e"].unit == "bits"


def test_the_page_of_two_results_in_the_documentation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = np.random.default_rng(0).random((3, 16, 16), dtype=np.float32)
    for name, window in (("small", 4), ("large", 8)):
        e = preddiff.explain(Softmax((3, 16, 16)), picture, window=window, stride=4, samples=2)
        preddiff.save(e, f"{name}.zarr")
    (code,) = code_of("page.md")
    exec(code, {"preddiff": preddiff})  # noqa: S102
    assert Path("both.html").exists()


def test_the_cohort_of_the_documentation():
    (code,) = code_of("volumes.md")
    names = {}
    exec(code.replace("subjects=200", "subjects=2, spacing=8"), names)  # noqa: S102
    cohort = names["cohort"]
    assert cohort.truth(1).shape == cohort.scans.shape[2:]
