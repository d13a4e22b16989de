"""The paper's claims as pure functions, and its figures in a hurry."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from conftest import DATA, needs_data
from preddiff import cli
from preddiff.cli import marks
from preddiff.errors import InputError, ResultError
from preddiff.render.panels import Panel, PanelRow, panels
from preddiff.studies.paper import claims, reproduction, traits
from preddiff.studies.paper.boxes import BOXES
from preddiff.studies.paper.material import Material
from preddiff.studies.paper.reproduction import KNOWN, reproduce


def test_the_share_inside_a_box():
    size = np.zeros((6, 8))
    size[1, 2], size[5, 7], size[0, 0] = 3.0, 1.0, np.nan
    assert traits.share_inside(size, (2, 1, 3, 2)) == 0.75
    assert traits.share_inside(size, (0, 0, 8, 6)) == 1


def test_agreement_is_the_mean_correlation(rng):
    one = rng.normal(size=(5, 5))
    for maps, expected in ([one, 2 * one, one], 1), ([one, -one, one], -1 / 3):
        assert traits.agreement(np.stack(maps), np.stack(maps)) == pytest.approx(expected)
    with_gap = np.stack([one, one])
    with_gap[:, 0, 0] = np.nan
    assert traits.agreement(with_gap, np.stack([one, one])) == pytest.approx(1)


def test_noise_weakens_no_agreement(rng):
    """Correlated by 0.6, under noise as strong as the maps and shared by them in each run."""
    first, other = rng.normal(size=(2, 300, 300))
    maps = np.stack([first, 0.6 * first + 0.8 * other])
    one, two = (maps + rng.normal(size=(1, 300, 300)) for _ in range(2))
    assert traits.agreement(one, two) == pytest.approx(0.6, abs=0.02)
    assert np.corrcoef(one.reshape(2, -1))[0, 1] > 0.75  # what one run alone would say


def test_maps_that_are_nothing_but_noise_do_not_agree(rng):
    one = rng.normal(size=(2, 40, 40))
    assert np.isnan(traits.agreement(one, -one))


def test_roughness_of_a_chess_board_and_of_a_plain(rng):
    board = np.indices((6, 6)).sum(axis=0) % 2 * 2.0 - 1
    assert traits.roughness(board, board) == 2
    assert traits.roughness(np.ones((6, 6)), np.ones((6, 6))) == 0
    slope = np.linspace(-1, 1, 400) * np.ones((400, 1))
    noisy = [slope + rng.normal(size=slope.shape) for _ in range(2)]
    assert traits.roughness(*noisy) < 0.2  # of one run alone it would be 1.2
    assert traits.roughness(noisy[0], noisy[0]) > 1


def test_the_channels_that_have_half_of_the_activation():
    assert traits.half_share(np.array([0.0, 8, 0, 0])) == 0.25
    assert traits.half_share(np.ones(10)) == 0.5


@pytest.mark.parametrize(
    ("mean", "verdict"), [(3, "*It holds.*"), (-3, "the opposite"), (1, "It is not shown")]
)
def test_a_verdict_is_that_of_the_difference_in_standard_errors(mean, verdict):
    spread = np.array([-1.0, 0, 1])
    difference = spread + mean * spread.std(ddof=1) / np.sqrt(3)
    assert verdict in claims._verdict(difference)
    assert verdict in claims._verdict(difference, spread + 10 * np.sign(mean) + 10 * (mean == 1))


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(InputError, match=r"images\.csv: not there; say with --data"):
        next(iter(reproduce(["fig1"], tmp_path, tmp_path / "out")))
    with pytest.raises(InputError, match=r"bvlc_googlenet\.onnx: not there.*--data"):
        Material(tmp_path).network("GoogLeNet")


@needs_data
def test_figures_in_a_hurry(tmp_path):
    made = list(reproduce(["fig1", "fig6"], DATA, tmp_path, hurry=32))
    assert [path.name for path, _ in made] == ["fig1.png", "fig6.png"]
    captions = (tmp_path / "captions.md").read_text()
    assert "**fig1.**" in captions
    assert "**fig6.**" in captions


@needs_data
def test_every_box_is_of_a_picture_that_googlenet_knows():
    material = Material(DATA)
    for name, (left, top, right, bottom) in BOXES.items():
        values = material.network("GoogLeNet").predict(material.seen("GoogLeNet", name)[None])
        assert values[0].argmax() == material.true_class(material.picture(name))
        assert 0 <= left < right <= 224
        assert 0 <= top < bottom <= 224


@needs_data
def test_the_classes_that_are_called_alike_are():
    material = Material(DATA)
    dogs, elephants = set(range(151, 269)), {101, 385, 386}
    for name in claims.ALIKE:
        values = material.network("GoogLeNet").predict(material.seen("GoogLeNet", name)[None])
        top = {int(n) for n in values[0].argsort()[-3:]}
        assert top <= dogs or top <= elephants


@pytest.fixture
def folder(tmp_path):
    """Three pictures in one colour each, and a place where a network would be."""
    (tmp_path / "images" / "imagenet").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "bvlc_googlenet.onnx").touch()
    rows = ["file,class_index"]
    for number, name in enumerate(["a_cat", "a_dog", "an_owl"]):
        colour = (50 * number,) * 3
        Image.new("RGB", (4, 4), colour).save(tmp_path / "images" / "imagenet" / f"{name}.png")
        rows.append(f"{name}.png,{number}")
    (tmp_path / "images" / "imagenet" / "images.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_picture_is_not_in_its_own_pool(folder):
    stub = SimpleNamespace(prepare=lambda image: np.asarray(image, np.float32).transpose(2, 0, 1))
    material = Material(folder, _loaded={"GoogLeNet": stub})
    pool = material.others("GoogLeNet", "dog").pool
    assert [values.max() for values in pool] == [0, 100]


def test_what_figures_share_is_made_once(tmp_path):
    made = []
    material = Material(tmp_path)
    for _ in range(2):
        assert material.once(("a", 1), lambda: made.append(1) or "made") == "made"
    assert material.once(("a", 2), lambda: "other") == "other"
    assert len(made) == 1


def test_an_empty_place_keeps_the_caption_of_its_row():
    image = np.zeros((2, 2, 3), dtype=np.uint8)
    figure = panels(
        [PanelRow([Panel(image), Panel(image)]), PanelRow([None, Panel(image)], "output")]
    )
    empty = figure.axes[2]
    assert (empty.get_ylabel(), empty.get_visible(), len(empty.images)) == ("output", True, 0)
    assert not any(side.get_visible() for side in empty.spines.values())


def test_claims_are_printed_and_put_into_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        reproduction, "claims", lambda _: iter(["**First.** 1 ± 1.", "**Second.**"])
    )
    page = tmp_path / "paper.md"
    page.write_text("before\n<!-- claims: begin -->old<!-- claims: end -->\nafter\n")
    words = ["preddiff", "reproduce", "claims", "-o", str(tmp_path), "--page", str(page)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code in (0, None)
    assert "**First.** 1 ± 1.\n\n**Second.**" in capsys.readouterr().out
    text = page.read_text()
    assert text.startswith("before\n<!-- claims: begin -->\n")
    assert "cores (" in text.splitlines()[2]  # the machine
    assert text.endswith("**Second.**\n<!-- claims: end -->\nafter\n")
    assert "old" not in text


def test_a_page_without_marks_is_refused_before_the_work(tmp_path):
    page = tmp_path / "paper.md"
    page.write_text("no marks")
    with pytest.raises(ResultError, match=r"expected the marks <!-- claims: begin --> and"):
        marks.check(page, "claims")
    marks.put(tmp_path / "new.md", "claims", "text")
    assert (
        tmp_path / "new.md"
    ).read_text() == "<!-- claims: begin -->\ntext\n<!-- claims: end -->\n"


def test_everything_but_the_drawing_of_the_method_is_known():
    assert {f"fig{n}" for n in range(1, 14) if n != 2} | {"claims"} == set(KNOWN)
