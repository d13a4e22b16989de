"""Sound files of every kind, made by the package itself or shipped with what it needs."""

import gzip
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import torch
from PIL import Image

import preddiff
from fuzzing import model_seeds
from fuzzing.seed import Seed, content_of
from preddiff.media.grid import Grid
from preddiff.media.orientation import orientation
from preddiff.samplers import ConditionalGaussian, Constant, Located, Marginal

_SIDE = 16
_AFFINE = np.array([[2.0, 0.1, 0, -10], [-0.1, 2, 0, -20], [0, 0, 3, -30], [0, 0, 0, 1]])


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _picture(kind: str, ending: str, **settings: object) -> Seed:
    mode = str(settings.pop("mode", "RGB"))
    values = _rng().integers(0, 256, size=(12, 17, 3), dtype=np.uint8)
    image = Image.fromarray(values).convert(mode)
    if mode == "F":
        image = Image.fromarray(np.asarray(image) / np.float32(255))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "made for fuzzing"
    if kind != "GIF":
        settings["exif"] = exif
    written = io.BytesIO()
    image.save(written, kind, **settings)
    name = f"a.{ending}"
    return Seed({name: written.getvalue()}, name)


def _png() -> Iterator[Seed]:
    for mode in ("RGB", "RGBA", "P", "1", "L", "I;16"):
        yield _picture("PNG", "png", mode=mode)


def _jpeg() -> Iterator[Seed]:
    for settings in ({}, {"progressive": True}, {"mode": "L"}, {"mode": "CMYK"}):
        yield _picture("JPEG", "jpg", **settings)


def _tiff() -> Iterator[Seed]:
    packed = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd")
    for compression in packed:
        yield _picture("TIFF", "tif", compression=compression)
    yield _picture("TIFF", "tif", mode="F")
    yield _picture("TIFF", "tif", mode="1", compression="group4")


def _gif() -> Iterator[Seed]:
    yield _picture("GIF", "gif", mode="P")
    yield _picture("GIF", "gif", mode="L", comment=b"hello")


def _webp() -> Iterator[Seed]:
    yield _picture("WEBP", "webp")
    yield _picture("WEBP", "webp", lossless=True, mode="RGBA")


def _volume(kind: type, dtype: type = np.int16) -> bytes:
    values = _rng().integers(0, 100, size=(5, 6, 4)).astype(dtype)
    image = kind(values, _AFFINE)
    if hasattr(image.header, "extensions"):
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"hello" * 9))
    return bytes(image.to_bytes())


def _nifti() -> Iterator[Seed]:
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        for dtype in (np.int16, np.float32):
            yield Seed({"a.nii": _volume(kind, dtype)}, "a.nii")
    yield Seed({"a.mgh": _volume(nibabel.MGHImage, np.float32)}, "a.mgh")
    analyze = nibabel.Spm99AnalyzeImage(_rng().integers(0, 9, (5, 6, 4)).astype(np.int16), _AFFINE)
    with tempfile.TemporaryDirectory() as folder:
        analyze.to_filename(Path(folder, "a.img"))
        yield Seed(content_of(Path(folder)), "a.img")


def _nifti_gz() -> Iterator[Seed]:
    for kind, name in ((nibabel.Nifti1Image, "a.nii.gz"), (nibabel.Nifti2Image, "a.nii.gz"),
                       (nibabel.MGHImage, "a.mgz")):  # fmt: skip
        yield Seed({name: gzip.compress(_volume(kind, np.float32), mtime=0)}, name)


def _dicom() -> Iterator[Seed]:
    """Series of two slices, of files that pydicom ships in every way of packing pixels."""
    import pydicom
    from pydicom.data import get_testdata_file

    shipped = ("MR_small", "MR_small_RLE", "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless",
               "MR_small_expb", "MR_small_implicit", "CT_small", "JPEG2000")  # fmt: skip
    for name in shipped:
        files = {}
        for number in range(2):
            one = pydicom.dcmread(str(get_testdata_file(f"{name}.dcm")))
            one.ImagePositionPatient, one.InstanceNumber = [0, 0, 5 * number], number
            one.ImageOrientationPatient, one.PixelSpacing = [1, 0, 0, 0, 1, 0], [1, 1]
            one.SliceThickness = one.SpacingBetweenSlices = 5
            files[f"s/{number}.dcm"] = _written(one)
        yield Seed(files, "s")
    deflated = pydicom.dcmread(str(get_testdata_file("MR_small.dcm")))
    deflated.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    yield Seed({"one.dcm": _written(deflated)}, "one.dcm")


def _written(data: object) -> bytes:
    import pydicom

    written = io.BytesIO()
    pydicom.dcmwrite(written, data, enforce_file_format=False)  # type: ignore[arg-type]
    return written.getvalue()


def _sampler() -> Iterator[Seed]:
    rng = _rng()
    pictures = rng.random((30, 3, 6, 6)).astype(np.float32)
    scans = rng.random((12, 1, 6, 6, 6)).astype(np.float32)
    grid = nibabel.Nifti1Image(np.zeros((6, 6, 6), np.float32), _AFFINE)
    located = Located.fit(scans, patch=3, grid=(2, 2, 2))
    located.scan_grid = Grid((6, 6, 6), *orientation(grid, "a"))
    samplers = (ConditionalGaussian.fit(pictures, patch=4), Marginal(pictures[:4]),
                Constant([0.1, 0.2, 0.3]), located)  # fmt: skip
    for sampler in samplers:
        with tempfile.TemporaryDirectory() as name:
            sampler.save(Path(name, "a.npz"))
            yield Seed(content_of(Path(name)), "a.npz")


def _checkpoint() -> Iterator[Seed]:
    from fuzzing.readers import checkpoint

    with tempfile.TemporaryDirectory() as name:
        kept, begun = checkpoint(Path(name, "a.npz"))
        kept._write(begun, {"engine": "dense", "precision": "float32", "batch": 8}, finished=False)
        yield Seed(content_of(Path(name)), "a.npz")


def _result() -> Iterator[Seed]:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * _SIDE**2, 4)).eval()
    model = preddiff.load_model(network, output="logits")
    picture = _rng().random((3, _SIDE, _SIDE)).astype(np.float32)
    settings = {"window": 4, "stride": 3, "samples": 2}
    explanation = preddiff.explain(
        model, picture, [1, 2], sampler=Constant(0.5), baselines=["occlusion"], **settings
    )
    scan = nibabel.Nifti1Image(_rng().random((6, 7, 5)).astype(np.float32), _AFFINE)
    of_scan = preddiff.explain(_of_scan, scan, 1, sampler=Constant(0.5), **settings)
    for one in (explanation, of_scan):
        with tempfile.TemporaryDirectory() as name:
            preddiff.save(one, Path(name, "a.zarr"))
            yield Seed(content_of(Path(name)), "a.zarr")


def _of_scan(inputs: np.ndarray) -> np.ndarray:
    mean = inputs.reshape(len(inputs), -1).mean(axis=1)
    return np.stack([mean, 1 - mean], axis=1)


def _csv() -> Iterator[Seed]:
    rows = [f"{n}.nii,{'ab'[n % 2]},s{n},site{n % 2},{20 + n}" for n in range(6)]
    scans = {f"beside/{n}.nii": b"" for n in range(6)}
    for delimiter, name in ((",", "t.csv"), (";", "t.csv"), ("\t", "t.tsv")):
        lines = ["path,group,subject,site,age", *(f"beside/{row}" for row in rows)]
        text = "\n".join(lines).replace(",", delimiter) + "\n"
        yield Seed({name: text.encode("utf-8-sig"), **scans}, name)


def _settings() -> Iterator[Seed]:
    settings = {
        "input_size": [8, 8], "channels": 3, "resize": "short side 9 (bilinear), centre crop",
        "scale": 255, "channel_order": "BGR", "mean": [1, 2, 3.5], "std": "4,5,6",
        "layout": "NCHW", "labels_file": "labels.txt", "output": "logits",
    }  # fmt: skip
    files = {"how.json": json.dumps(settings).encode(), "labels.txt": b"ant\nbee\ncat\n"}
    yield Seed(files, "how.json")


SEEDS: dict[str, Callable[[], Iterator[Seed]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "tiff": _tiff,
    "gif": _gif,
    "webp": _webp,
    "nifti": _nifti,
    "nifti.gz": _nifti_gz,
    "dicom": _dicom,
    **model_seeds.SEEDS,
    "sampler": _sampler,
    "checkpoint": _checkpoint,
    "result": _result,
    "csv": _csv,
    "json": _settings,
}
"""From the name of a kind to its sound files."""
