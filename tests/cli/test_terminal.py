"""Whatever commands print goes through one function, which escapes control characters."""

from pathlib import Path

from preddiff.cli import terminal


def test_one_line_whoever_wrote_it(capsys):
    terminal.echo("a\x1b[2J\nb")
    terminal.echo("c\x07", err=True)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("a\\x1b[2J\\nb\n", "c\\x07\n")


def test_no_command_prints_past_it():
    for path in Path(terminal.__file__).parent.glob("*.py"):
        assert path.name == "terminal.py" or "typer.echo" not in path.read_text()
