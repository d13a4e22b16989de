import json
import logging
import threading

import numpy as np
import pytest
import xarray as xr

import preddiff
from conftest import Softmax
from preddiff.errors import ResultError
from preddiff.results.content import content_sha256


@pytest.fixture
def explanation(rng):
    picture = rng.random((3, 12, 10))
    return preddiff.explain(
        Softmax(picture.shape), picture, targets="top2", window=4, stride=3, samples=3
    )


def test_what_is_saved_is_loaded(tmp_path, explanation):
    preddiff.save(explanation, tmp_path / "a.zarr")
    loaded = preddiff.load(tmp_path / "a.zarr")
    xr.testing.assert_identical(loaded.data.drop_attrs(), explanation.data.drop_attrs())
    told = {"preddiff_format": 1, "content_sha256": content_sha256(explanation.data)}
    assert loaded.provenance == {**explanation.provenance, **told}
    assert loaded.labels == explanation.labels


def test_xarray_reads_it_as_docs_format_says(tmp_path, explanation):
    preddiff.save(explanation, tmp_path / "a.zarr")
    with xr.open_zarr(tmp_path / "a.zarr", chunks=None) as data:
        assert set(data.variables) == {
            "relevance", "standard_error", "importance", "importance_error", "coverage",
            "prediction", "evidence", "evidence_error", "window_start", "picture", "target",
            "label", "axis", "y", "x",
        }  # fmt: skip
        assert data.window_start.dims == ("window", "axis")
        assert data.attrs["unit"] == "bits"


def test_a_result_is_replaced_but_nothing_else_is(tmp_path, explanation):
    path = tmp_path / "a.zarr"
    preddiff.save(explanation, path)
    preddiff.save(explanation, path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "dear.txt").write_text("dear")
    with pytest.raises(ResultError, match="exists and is not a result"):
        preddiff.save(explanation, tmp_path / "photos")
    assert (tmp_path / "photos" / "dear.txt").exists()


def test_interrupted_writing_leaves_the_old_result(tmp_path, explanation, monkeypatch):
    path = tmp_path / "a.zarr"
    preddiff.save(explanation, path)

    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_zarr", interrupt)
    with pytest.raises(KeyboardInterrupt):
        preddiff.save(explanation, path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
    preddiff.load(path)


def test_a_folder_that_cannot_be_written(tmp_path, explanation):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="cannot be written .*; choose another folder"):
        preddiff.save(explanation, tmp_path / "file" / "a.zarr")


def test_what_is_no_result_is_refused(tmp_path, explanation):
    with pytest.raises(ResultError, match="no such result"):
        preddiff.load(tmp_path / "none.zarr")
    with pytest.raises(ResultError, match="not a result of preddiff"):
        preddiff.load(tmp_path)
    preddiff.save(explanation, tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "evidence" / ".zarray").write_text("{")
    with pytest.raises(ResultError, match="damaged"):
        preddiff.load(tmp_path / "a.zarr")


def test_a_newer_format_is_refused(tmp_path, explanation):
    preddiff.save(explanation, tmp_path / "a.zarr")
    attributes = tmp_path / "a.zarr" / ".zattrs"
    attributes.write_text(json.dumps({**json.loads(attributes.read_text()), "preddiff_format": 2}))
    with pytest.raises(ResultError, match="format 2, this version reads up to 1; upgrade"):
        preddiff.load(tmp_path / "a.zarr")


def test_a_missing_array_is_named(tmp_path, explanation):
    import shutil

    preddiff.save(explanation, tmp_path / "a.zarr")
    shutil.rmtree(tmp_path / "a.zarr" / "coverage")
    with pytest.raises(ResultError, match="coverage missing"):
        preddiff.load(tmp_path / "a.zarr")


REQUIRED = (
    "relevance", "standard_error", "coverage", "prediction", "evidence", "evidence_error",
    "window_start", "picture", "target", "label", "axis",
)  # fmt: skip


@pytest.mark.parametrize("name", REQUIRED)
def test_each_array_that_the_format_requires_is_missed(tmp_path, explanation, name):
    """A result without its corners used to load, and to fail where the page was made."""
    kept = explanation.data.drop_vars(name)
    preddiff.save(preddiff.Explanation(kept), tmp_path / "a.zarr")
    with pytest.raises(ResultError) as refused:
        preddiff.load(tmp_path / "a.zarr")
    assert str(refused.value) == (
        f"{tmp_path / 'a.zarr'}: not as docs/format.md says ({name} missing); "
        "run the analysis again"
    )


def test_several_missing_arrays_are_named_on_one_line(tmp_path, explanation):
    kept = explanation.data.drop_vars(["window_start", "evidence"])
    preddiff.save(preddiff.Explanation(kept), tmp_path / "a.zarr")
    with pytest.raises(ResultError, match=r"\(evidence, window_start missing\)"):
        preddiff.load(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda data: data.assign(relevance=data.relevance.rename(target="t")),
            r"relevance has \(t, y, x\), expected \(target, y, x\)",
        ),
        (
            lambda data: data.assign(standard_error=data.standard_error.transpose()),
            r"standard_error has \(x, y, target\), expected \(target, y, x\)",
        ),
        (
            lambda data: data.assign(evidence=data.evidence.rename(window="w")),
            r"evidence has \(target, w\), expected \(target, window\)",
        ),
        (
            lambda data: data.assign(window_start=data.window_start[:, 0].drop_vars("axis")),
            r"window_start has \(window\), expected \(window, axis\)",
        ),
        (
            lambda data: data.assign(prediction=data.prediction.astype(str)),
            r"prediction holds <U\d+, expected numbers",
        ),
        (
            lambda data: data.assign_coords(axis=["x", "y"]),
            r"axis names \(x, y\), expected \(y, x\)",
        ),
        (
            lambda data: data.assign(picture=("channel", np.zeros(3))),
            r"picture has \(channel\), expected a channel and spatial axes",
        ),
        (
            lambda data: data.assign(relevance=data.relevance * 1e300),
            r"relevance has values beyond 3.4e\+38",
        ),
        (
            lambda data: data.drop_vars("importance_error"),
            "importance is there without importance_error",
        ),
        (
            lambda data: data.assign(importance=data.importance[0]),
            "importance is no map on the axes of relevance",
        ),
        (
            lambda data: data.assign(importance_error=data.importance_error.astype(str)),
            r"importance_error holds <U\d+, expected numbers",
        ),
    ],
)
def test_arrays_along_other_axes_or_of_another_kind_are_refused(
    tmp_path, explanation, change, said
):
    preddiff.save(preddiff.Explanation(change(explanation.data)), tmp_path / "a.zarr")
    with pytest.raises(ResultError, match=f"not as docs/format.md says .{said}.; run the analysis"):
        preddiff.load(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    "change", [{"filters": [{"id": "pickle"}]}, {"compressor": {"id": "pickle"}}, {"dtype": "|O"}]
)
def test_nothing_unpickles(tmp_path, explanation, change):
    preddiff.save(explanation, tmp_path / "a.zarr")
    array = tmp_path / "a.zarr" / "relevance" / ".zarray"
    array.write_text(json.dumps({**json.loads(array.read_text()), **change}))
    with pytest.raises(ResultError, match="relevance is stored in a way .* that could run code"):
        preddiff.load(tmp_path / "a.zarr")


@pytest.mark.parametrize("metadata", ["[]", '{"compressor": "zlib", "filters": null}', "{}"])
def test_metadata_that_are_none(tmp_path, explanation, metadata):
    preddiff.save(explanation, tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "relevance" / ".zarray").write_text(metadata)
    with pytest.raises(ResultError, match="damaged"):
        preddiff.load(tmp_path / "a.zarr")


def test_what_is_odd_is_refused_without_a_word_of_other_libraries(tmp_path, explanation):
    path = preddiff.save(explanation, tmp_path / "a.zarr")
    (path / "note.txt").write_text("no array")
    assert preddiff.load(path).labels == explanation.labels
    attributes = path / "standard_error" / ".zattrs"
    twice = json.loads(attributes.read_text()) | {"_ARRAY_DIMENSIONS": ["target", "x", "x"]}
    attributes.write_text(json.dumps(twice))
    with pytest.raises(ResultError, match="a.zarr: "):
        preddiff.load(path)


def test_links_are_refused(tmp_path, explanation):
    preddiff.save(explanation, tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "relevance").rename(tmp_path / "elsewhere")
    (tmp_path / "a.zarr" / "relevance").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResultError, match="holds a link"):
        preddiff.load(tmp_path / "a.zarr")


def test_readers_of_a_result_that_is_being_replaced_get_the_old_or_the_new(tmp_path, explanation):
    path = tmp_path / "cat.zarr"
    preddiff.save(explanation, path)
    writers = [threading.Thread(target=replace, args=(explanation, path)) for _ in range(2)]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        assert preddiff.load(path).data.equals(explanation.data)
        reads += 1
    assert reads > 1
    assert list(tmp_path.iterdir()) == [path]


def replace(explanation, path):
    for _ in range(10):
        preddiff.save(explanation, path)


def test_a_result_that_was_replaced_by_a_program_that_died_is_found(tmp_path, explanation):
    path, staging = tmp_path / "cat.zarr", tmp_path / ".preddiff.0123abcd"
    (staging / "old").mkdir(parents=True)
    (staging / "lock").touch()
    preddiff.save(explanation, staging / "old" / "cat.zarr")
    assert preddiff.load(path).data.equals(explanation.data)
    assert list(tmp_path.iterdir()) == [path]


def test_what_zarr_gave_up_reading_is_not_logged_later(tmp_path, explanation, caplog):
    preddiff.save(explanation, tmp_path / "a.zarr")
    preddiff.load(tmp_path / "a.zarr")
    logger = logging.getLogger("asyncio")
    logger.error("Task exception was never retrieved\nfuture: <Task coro=<f() at zarr/core/g.py>>")
    logger.error("Task exception was never retrieved\nfuture: <Task coro=<f() at mine.py>>")
    assert [record.getMessage()[-8:] for record in caplog.records] == ["ine.py>>"]


def test_a_copy_without_some_numbers_is_incomplete_and_never_wrong(tmp_path, explanation):
    """Zarr takes the fill value for what it does not find."""
    path = tmp_path / "a.zarr"
    preddiff.save(explanation, path)
    chunks = [p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")]
    refused = 0
    for chunk in chunks:
        content = chunk.read_bytes()
        chunk.unlink()
        try:
            loaded = preddiff.load(path)
        except ResultError:
            refused += 1
        else:
            xr.testing.assert_identical(loaded.data.drop_attrs(), explanation.data.drop_attrs())
        chunk.write_bytes(content)
    assert refused > 10
