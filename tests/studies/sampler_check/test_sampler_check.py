"""Samplers held against real windows: of laws that are known, so that every score is."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from preddiff import cli
from preddiff.errors import SettingError
from preddiff.method.windows import Windows
from preddiff.samplers import ConditionalGaussian, Constant
from preddiff.samplers.base import Sampler
from preddiff.studies.sampler_check import sites, telling
from preddiff.studies.sampler_check.scores import INTERVALS, Check
from samplers.cohort import cohort, scans

__all__ = ["cohort", "scans"]

_chosen = sites.chosen


def covariance(scale=1.0):
    y, x = np.mgrid[:6, :6].reshape(2, -1)
    distance = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    return scale * (0.04 * np.exp(-distance / 4) + 0.002 * np.eye(36))


def normal(scale=1.0):
    return ConditionalGaussian(np.full(36, 0.5), covariance(scale), (1, 6, 6), clip=False)


@pytest.fixture(scope="module")
def pictures():
    """Inputs of 1×18×18: nine patches, each a draw of the normal."""
    random = np.random.default_rng(3)
    root = np.linalg.cholesky(covariance())
    patches = 0.5 + random.standard_normal((24, 9, 36)) @ root.T
    tiles = patches.reshape(24, 3, 3, 6, 6).transpose(0, 1, 3, 2, 4).reshape(24, 1, 18, 18)
    return tiles.astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def whole_patches():
    """Windows only where a patch of the picture is a patch of the sampler."""
    with pytest.MonkeyPatch.context() as patch:
        starts = np.stack(np.meshgrid([1, 7, 13], [1, 7, 13]), -1).reshape(-1, 2)
        patch.setattr(
            sites, "chosen", lambda one, k, margin, count, seed: Windows((18, 18), (k, k), starts)
        )
        yield


def scores(sampler, pictures, samples=60):
    return Check(4, 1, 9, samples, 0).run(sampler, pictures, None)


def test_draws_of_the_true_law_are_calibrated_and_not_told_apart(pictures):
    found = scores(normal(), pictures)
    for level, coverage in zip(INTERVALS, found.coverage, strict=True):
        assert abs(coverage.value - level) < 4 * coverage.error
        assert coverage.error < 0.03
    assert abs(found.area.value - 0.5) < 4 * found.area.error
    law = normal().conditional((4, 4), (1, 1)).covariance
    assert found.deviation.value == pytest.approx(np.sqrt(np.trace(law) / 16), rel=0.1)
    entropy = -np.linalg.slogdet(2 * np.pi * np.e * law)[1] / 2 / 16 / np.log(2)
    assert abs(found.bits.value - entropy) < 4 * found.bits.error
    assert (found.inputs, found.windows, found.samples) == (24, 216, 60)
    assert found.rate > 100


@pytest.mark.parametrize("scale", [0.3, 3])
def test_a_wrong_law_is_less_likely_not_calibrated_and_told_apart(pictures, scale):
    right, wrong = scores(normal(), pictures), scores(normal(scale), pictures)
    assert wrong.bits.value < right.bits.value - 0.1
    assert wrong.area.value > right.area.value + 0.2
    assert (wrong.coverage[1].value > 0.8) == (scale > 1)
    assert abs(wrong.coverage[1].value - 0.8) > 6 * wrong.coverage[1].error


def test_one_value_has_no_intervals_and_no_density(pictures):
    found = scores(Constant(0.5), pictures)
    assert found.coverage is None
    assert found.bits is None
    assert found.samples == 1
    assert found.area.value > 0.95


def test_of_a_picture_no_value_has_more_bits_than_its_file_holds():
    flat, check = [np.full((1, 18, 18), 0.5, np.float32)] * 2, Check(4, 1, 9, 2, 0)
    assert check.run(normal(1e-8), flat, None).bits.value > 12
    assert check.run(normal(1e-8), flat, (0, 1)).bits.value == 8


class Saturated(Sampler):
    """Draws that are 1 as often as the pictures are."""

    def draw(self, inputs, windows, samples, seed, valid):
        random = np.random.default_rng(5)
        shape = (len(windows), samples, 1, *windows.size)
        return random.normal(0.9, 0.2, shape).clip(0, 1).astype(np.float32)


def test_values_that_are_clipped_alike_count_as_calibrated(rng):
    pictures = rng.normal(0.9, 0.2, (12, 1, 18, 18)).clip(0, 1).astype(np.float32)
    found = scores(Saturated(), pictures)
    for level, coverage in zip(INTERVALS, found.coverage, strict=True):
        assert abs(coverage.value - level) < 4 * coverage.error


def test_kinds_of_places_are_what_they_are_called(rng):
    flat = np.full((1, 8, 8), 0.5) + 0.001 * rng.random((1, 8, 8))
    edge = np.zeros((1, 8, 8))
    edge[:, :, 4:] = 1
    noise = rng.random((1, 8, 8))
    assert sites.kinds(np.stack([noise, edge, flat])) == {"smooth": 2, "edged": 1, "textured": 0}


def test_chosen_windows_have_their_margin_and_miss_the_air(rng):
    volume = np.zeros((1, 9, 9, 20), dtype=np.float32)
    volume[..., 8:] = rng.random((1, 9, 9, 12))
    found = _chosen(volume, 3, 2, 30, 0)
    assert found.starts.min() >= 2
    assert (found.starts + 3 + 2).max() <= 20
    assert (found.starts[:, 2] > 5).all()
    with pytest.raises(SettingError, match="9×9×20 has no room for a window of 7 with a margin"):
        _chosen(volume, 7, 2, 30, 0)
    with pytest.raises(SettingError, match="every window of an input is flat"):
        _chosen(np.zeros((1, 9, 9, 20), dtype=np.float32), 3, 2, 30, 0)


def test_too_few_inputs_tell_nothing(rng):
    values = telling.features(rng.random((6, 3, 6, 6)), 1)
    area, error = telling.area_under_the_curve(values, values, np.zeros(6, dtype=int))
    assert np.isnan(area)
    assert np.isnan(error)
    with pytest.raises(SettingError, match="no inputs"):
        scores(normal(), [])
    with pytest.raises(SettingError, match="samples=1: expected"):
        Check(4, 1, 9, 1, 0)


def test_the_command_prints_a_table_and_draws_a_sheet(tmp_path, rng):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sites, "chosen", _chosen)
        (tmp_path / "pictures").mkdir()
        for n in range(6):
            noise = rng.integers(0, 255, size=(20, 24, 3)).astype(np.uint8)
            Image.fromarray(noise).save(tmp_path / f"pictures/{n}.png")
        words = ["sampler", "check", "conditional", "inpaint:ns", "--on", tmp_path / "pictures"]
        asked = [*words, "--window", 4, "--samples", 8, "-o", tmp_path / "sheet.png"]
        done = CliRunner().invoke(cli.app, list(map(str, asked)))
    assert done.exit_code == 0, done.exception
    lines = done.stdout.splitlines()
    assert "120 windows of 4 with a margin of 2 in 6 pictures; up to 8 draws" in lines[1]
    assert lines[5].startswith("| `conditional` | ")
    assert lines[6].startswith("| `inpaint:ns` | – | ")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.info["Software"] == "preddiff"
        assert sheet.width > 300


def test_the_command_checks_volumes(scans, cohort, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sites, "chosen", _chosen)
        folder = scans / "scans"
        words = ["sampler", "check", f"marginal:{folder}", "--on", folder, "--margin", 1]
        asked = [*words, "--windows", 5, "-o", tmp_path / "sheet.png"]
        done = CliRunner().invoke(cli.app, list(map(str, asked)))
        refused = CliRunner().invoke(cli.app, [*map(str, words), "--model", "embedded"])
    assert done.exit_code == 0, done.exception
    assert " volumes; up to " in done.stdout
    assert "--model is for pictures" in str(refused.exception)
