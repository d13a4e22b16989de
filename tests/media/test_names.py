"""Names of results: different inputs never share one."""

import pytest

from preddiff.media.names import named, result_name


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("a/cat.jpg", "cat"),
        ("cat.v2.JPG", "cat.v2"),
        ("scan.nii.gz", "scan"),
        ("A.NII.GZ", "A"),
        ("scan.hdr", "scan"),
        ("1.2.840.55.1", "1.2.840.55.1"),
        ("caf\udce9.jpg", "caf%E9"),
    ],
)
def test_only_known_endings_are_cut(name, result):
    assert result_name(name) == result


def test_two_patients_never_share_a_result(tmp_path, monkeypatch):
    for uid in ("1.2.840.55.1", "1.2.840.55.2", "sub.01.nii", "sub.02.nii"):
        (tmp_path / uid).mkdir()
        assert result_name(tmp_path / uid) == uid
        monkeypatch.chdir(tmp_path / uid)
        assert result_name(".") == uid
        assert result_name("..") == tmp_path.name
        assert named(".").name == uid
    assert result_name("/") == "scan"
