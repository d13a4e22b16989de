"""Windows of one channel at a time, and scans of several channels."""

import itertools

import nibabel
import numpy as np
import pandas as pd
import pytest

import preddiff
from conftest import Softmax
from preddiff.errors import InputError, SamplerError
from preddiff.models import Linear
from preddiff.samplers import (
    ConditionalGaussian,
    Constant,
    Marginal,
    OneChannel,
    StationaryGaussian,
)

SHAPE = (2, 4, 5, 6)
VOLUME = np.random.default_rng(7).random(SHAPE).astype(np.float32)
POOL = np.random.default_rng(8).random((6, *SHAPE)).astype(np.float32)
MODEL = Softmax(SHAPE)
NAMED = {"window": 3, "stride": 2, "measure": "DP", "targets": [0]}
AFFINE = np.diag([1.0, 2.0, 3.0, 1.0])


def starts(length, size=3, stride=2):
    return sorted({*range(0, length - size + 1, stride), length - size})


def by_hand(pool, channel):
    """Mean difference of probabilities over all of a pool, window by window."""
    whole, evidence = MODEL(VOLUME[None])[0, 0], []
    for corner in itertools.product(*map(starts, SHAPE[1:])):
        box = (channel, *(slice(a, a + 3) for a in corner))
        hidden = np.repeat(VOLUME[None], len(pool), axis=0)
        hidden[(slice(None), *box)] = pool[(slice(None), *box)]
        evidence.append(whole - MODEL(hidden)[:, 0].mean())
    return np.array(evidence)


@pytest.mark.parametrize("channel", [0, 1])
def test_every_window_of_a_channel_is_that_of_a_loop(channel):
    for sampler, pool in (
        (Marginal(POOL), POOL),
        (Marginal(POOL[:, channel : channel + 1]), POOL),
        (Constant(0.5), np.full((1, *SHAPE), 0.5, np.float32)),
    ):
        e = preddiff.explain(
            MODEL, VOLUME, sampler=OneChannel(sampler, channel), samples=6, **NAMED
        )
        np.testing.assert_allclose(e.evidence.values[0], by_hand(pool, channel), atol=1e-6)
        assert e.provenance["hidden_channel"] == str(channel)


def test_the_closed_form_is_of_one_channel_too(rng):
    model = Linear(rng.normal(size=SHAPE) / 9, 0.2)
    fitted = ConditionalGaussian.fit(list(POOL) * 40, patch=4, clip=False)
    for sampler in (Constant(0.5), Marginal(POOL), fitted):
        one = OneChannel(sampler, 1)
        exact = preddiff.explain(model, VOLUME, 1, sampler=one, window=2, stride=2)
        drawn = preddiff.explain(
            model, VOLUME, 1, sampler=one, window=2, stride=2, engine="dense", samples=2000
        )
        assert exact.exactness
        off = np.abs(exact.evidence - drawn.evidence).values
        assert (off <= 5 * drawn.evidence_error.values + 1e-6).mean() > 0.95


def test_a_normal_of_all_channels_draws_one_given_the_others():
    """Two channels that are alike: what one hides is known from the other."""
    rng = np.random.default_rng(1)
    fields = rng.normal(size=(400, 1, 8, 8))
    alike = np.concatenate([fields, fields + 0.1 * rng.normal(size=fields.shape)], axis=1)
    sampler = OneChannel(ConditionalGaussian.fit(list(alike), patch=4, clip=False), 0)
    windows = preddiff.samplers.base.Windows.over((8, 8), 2, 3)
    draws = sampler.draw(alike[0].astype(np.float32), windows, 50, 0, None)
    assert draws.shape == (len(windows), 50, 2, 2, 2)
    for n, (y, x) in enumerate(windows.starts):
        own = alike[0][:, y : y + 2, x : x + 2]
        np.testing.assert_allclose(draws[n, :, 1], np.repeat(own[1:], 50, axis=0), rtol=1e-6)
        np.testing.assert_allclose(draws[n, :, 0].mean(axis=0), own[1], atol=0.15)
        assert draws[n, :, 0].std(axis=0).max() < 0.25
    filled = sampler.fill(alike[0].astype(np.float32), windows, 3, 0, None)
    np.testing.assert_array_equal(filled[:, 1], np.repeat(alike[:1, 1].astype("f4"), 3, axis=0))
    assert np.abs(filled[:, 0] - alike[0, 0]).max() > 0


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    for name, values in zip(("T1", "FLAIR"), VOLUME, strict=True):
        nibabel.save(nibabel.Nifti1Image(values.T, AFFINE), folder / f"{name}.nii.gz")
    both = nibabel.Nifti1Image(VOLUME.transpose(3, 2, 1, 0), AFFINE)
    nibabel.save(both, folder / "both.nii.gz")
    turned = nibabel.Nifti1Image(VOLUME[0].T, np.diag([2.0, 2.0, 3.0, 1.0]))
    nibabel.save(turned, folder / "other.nii.gz")
    return folder


def test_files_on_one_grid_are_channels_and_so_is_a_fourth_dimension(scans):
    named = {"sampler": "channel:each:constant:0.5", **NAMED}
    joined = preddiff.compare(MODEL, f"{scans / 'T1.nii.gz'}+{scans / 'FLAIR.nii.gz'}", **named)
    assert joined.titles == ["channel:T1:constant:0.5", "channel:FLAIR:constant:0.5"]
    fourth = preddiff.compare(MODEL, scans / "both.nii.gz", channels=["a", "b"], **named)
    grey = np.full((1, *SHAPE), 0.5, np.float32)
    for number, (one, other) in enumerate(zip(joined, fourth, strict=True)):
        np.testing.assert_array_equal(one.picture, VOLUME)
        np.testing.assert_array_equal(other.picture, VOLUME)
        np.testing.assert_allclose(one.evidence.values[0], by_hand(grey, number), atol=1e-6)
        np.testing.assert_array_equal(one.evidence, other.evidence)
    assert joined[0].provenance["input"] == "T1.nii.gz+FLAIR.nii.gz"
    assert joined[0].grid.voxel_size == (1, 2, 3)
    assert fourth[1].provenance["channels"] == ["a", "b"]


def test_the_table_says_which_channel_mattered(scans, tmp_path):
    weights = np.zeros(SHAPE)
    weights[1] = 1  # nothing depends on T1
    source = f"{scans / 'T1.nii.gz'}+{scans / 'FLAIR.nii.gz'}"
    both = preddiff.compare(
        Linear(weights, -30), source, targets=[1], sampler="channel:each:constant:0.5", window=3
    )
    table = preddiff.channel_table(both)
    assert table["name"].tolist() == ["FLAIR", "T1"]
    assert table["region"].tolist() == [1, 0]
    np.testing.assert_allclose(table["relevance"][0], both[1].relevance.mean(), rtol=1e-6)
    assert table["relevance"][1] == 0
    assert table["speaks"].tolist() == [
        "for" if table["relevance"][0] > 0 else "against",
        "unclear",
    ]
    preddiff.save(both[1], tmp_path / "flair.zarr")
    assert preddiff.verify(tmp_path / "flair.zarr", model=Linear(weights, -30)).passed
    with pytest.raises(InputError, match="expected windows in one channel"):
        preddiff.channel_table([preddiff.explain(MODEL, VOLUME, sampler="constant:0", **NAMED)])


def test_a_channel_is_named_in_any_case(scans):
    source = f"{scans / 'T1.nii.gz'}+{scans / 'FLAIR.nii.gz'}"
    grey = np.full((1, *SHAPE), 0.5, np.float32)
    for name in ("FLAIR", "flair", "Flair", "1"):
        e = preddiff.explain(MODEL, source, sampler=f"channel:{name}:constant:0.5", **NAMED)
        np.testing.assert_allclose(e.evidence.values[0], by_hand(grey, 1), atol=1e-6)
        table = preddiff.channel_table([e])
        assert e.provenance["hidden_channel"] == table["name"][0]
        assert table["region"].tolist() == [1]
        assert table["name"].tolist() == ["1" if name == "1" else "FLAIR"]
    asked = {"channels": ["t2", "T2"], **NAMED}  # an exact name counts first
    e = preddiff.explain(MODEL, scans / "both.nii.gz", sampler="channel:T2:constant:0.5", **asked)
    np.testing.assert_allclose(e.evidence.values[0], by_hand(grey, 1), atol=1e-6)
    asked["channels"] = ["Tx", "tX"]
    with pytest.raises(SamplerError, match="channel 'tx': .* no such channel; expected Tx, tX"):
        preddiff.explain(MODEL, scans / "both.nii.gz", sampler="channel:tx:constant:0.5", **asked)


def test_a_name_of_ones_own_reaches_the_table():
    e = preddiff.explain(MODEL, VOLUME, sampler=OneChannel(Constant(0.5), 1, "FLAIR"), **NAMED)
    table = preddiff.channel_table([e])
    assert table[["region", "name"]].to_numpy().tolist() == [[1, "FLAIR"]]


def test_wrong_channels_are_said_in_one_line(scans):
    def explain(sampler="constant:0", picture=VOLUME, **named):
        preddiff.explain(MODEL, picture, sampler=sampler, **NAMED | named)

    t1, other = scans / "T1.nii.gz", scans / "other.nii.gz"
    for error, message, named in [
        (SamplerError, "channel 'T1': the input has no such channel; expected 0 to 1",
            {"sampler": "channel:T1:constant:0"}),
        (SamplerError, "channel 2: the input has 2 channels, 0 to 1",
            {"sampler": "channel:2:constant:0"}),
        (SamplerError, "channel:each: is an explanation of each channel",
            {"sampler": "channel:each:constant:0"}),
        (SamplerError, "channel:1: expected channel:NUMBER:SPEC", {"sampler": "channel:1"}),
        (InputError, "other.nii.gz: a channel of 6×5×4 voxels .* the first one's",
            {"picture": f"{t1}+{other}"}),
        (InputError, "no two the same", {"picture": f"{t1}+{t1}"}),
        (InputError, "has 4 dimensions .*--channels", {"picture": scans / "both.nii.gz"}),
        (InputError, "but 3 channels are named: expected a fourth dimension with as many",
            {"picture": scans / "both.nii.gz", "channels": ["a", "b", "c"]}),
        (InputError, "channels=.'a'.: are of scans of four dimensions", {"channels": ["a"]}),
    ]:  # fmt: skip
        with pytest.raises(error, match=message) as caught:
            explain(**named)
        assert "\n" not in str(caught.value)
    with pytest.raises(
        SamplerError, match="StationaryGaussian draws all channels of a window together"
    ):
        OneChannel(StationaryGaussian.natural(6), 0)


def test_the_command_writes_a_table(scans, monkeypatch, tmp_path):
    from typer.testing import CliRunner

    from preddiff import cli

    (tmp_path / "made.py").write_text(
        "import numpy as np\nfrom preddiff.models import Linear\n"
        f"def make(): return Linear(np.ones({SHAPE}) / 50, -1)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    command = [
        "explain", f"{scans / 'T1.nii.gz'}+{scans / 'FLAIR.nii.gz'}", "--model", "made:make",
        "--sampler", "channel:each:constant:0.5", "--window", "3",
    ]  # fmt: skip
    done = CliRunner().invoke(cli.app, command)
    assert done.exception is None, done.output
    table = pd.read_csv("out/T1+FLAIR.channels.csv")
    assert set(table["name"]) == {"T1", "FLAIR"}
    assert "channel T1, class 1: " in done.output or "channel T1, class 0: " in done.output
    assert (tmp_path / "out/T1+FLAIR.html").exists()
    again = CliRunner().invoke(cli.app, command)
    assert again.exception is None, again.output
