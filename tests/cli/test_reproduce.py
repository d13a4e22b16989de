"""preddiff reproduce: claims in a page, and where the data are."""

import pytest

from preddiff import cli
from preddiff.studies.paper import reproduction


def test_claims_are_printed_and_put_into_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        reproduction, "check_claims", lambda _: iter(["**First.** 1 ± 1.", "**Second.**"])
    )
    page = tmp_path / "paper.md"
    page.write_text("before\n<!-- claims: begin -->old<!-- claims: end -->\nafter\n")
    words = ["reproduce", "claims", "--data", tmp_path, "-o", tmp_path, "--page", page]
    monkeypatch.setattr("sys.argv", ["preddiff", *map(str, words)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code in (0, None)
    assert "**First.** 1 ± 1.\n\n**Second.**" in capsys.readouterr().out
    text = page.read_text()
    assert text.startswith("before\n<!-- claims: begin -->\n")
    assert "cores (" in text.splitlines()[2]  # the machine
    assert text.endswith("**Second.**\n<!-- claims: end -->\nafter\n")
    assert "old" not in text


def complaint(words, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["preddiff", *map(str, words)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    complaints = [line for line in lines if line.startswith("preddiff: ")]
    assert len(complaints) == 1
    assert complaints == lines[-1:]
    return lines[-1]


def test_without_a_folder_of_data_it_says_how_to_name_one(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("PREDDIFF_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    words = ["reproduce", "fig1", "fig9", "claims", "-o", tmp_path / "out"]
    assert complaint(words, monkeypatch, capsys) == (
        "preddiff: fig1, claims: made from networks and pictures, but nothing says where they are; "
        "give the folder of models/ and images/imagenet/ with --data or PREDDIFF_DATA"
    )
    assert not (tmp_path / "out").exists()


def test_the_environment_names_the_folder_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PREDDIFF_DATA", str(tmp_path / "nowhere"))
    words = ["reproduce", "fig1", "-o", tmp_path / "out"]
    assert f"{tmp_path / 'nowhere'}" in complaint(words, monkeypatch, capsys)


def test_an_unknown_figure_is_one_line(monkeypatch, capsys):
    words = ["reproduce", "fig2"]
    assert "'fig2': expected all, or some of fig1, fig3" in complaint(words, monkeypatch, capsys)
