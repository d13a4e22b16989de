"""The command line as a whole: help, documentation, and what it loads."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import preddiff
from preddiff import cli
from preddiff.errors import EngineWarning


def commands(app, path=()):
    """Every command below a typer application, with the words that lead to it."""
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from (((name, n), c) for n, c in command.commands.items())
        else:
            yield (*path, name), command


@pytest.mark.parametrize(("words", "command"), list(commands(cli.app)), ids=str)
def test_every_command_has_an_example_and_every_option_help(words, command):
    text = CliRunner().invoke(cli.app, [*words, "--help"]).stdout
    assert "Example: preddiff" in text
    for parameter in command.params:
        if parameter.name != "help":
            assert parameter.help, f"{words} {parameter.name}"


def test_every_option_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    for words, command in commands(cli.app):
        assert f"preddiff {' '.join(words)}" in text
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option != "--help":
                    assert option in text, option


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from typer.testing import CliRunner; from preddiff import cli; "
        "assert CliRunner().invoke(cli.app, ['--help']).exit_code == 0; "
        "print({'torch', 'numpy', 'matplotlib', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_the_version_is_printed():
    done = CliRunner().invoke(cli.app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"preddiff {preddiff.__version__}\n")


def test_a_warning_is_printed_once_in_a_command(capsys, monkeypatch):
    def command(*_arguments, **_settings):
        for text in ("slow", "large", "slow"):
            warnings.warn(EngineWarning(text), stacklevel=1)

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(cli, "app", command)
    for _ in range(2):
        with warnings.catch_warnings(action="always"), pytest.raises(SystemExit):
            cli.main()
        assert capsys.readouterr().err == "preddiff: slow\npreddiff: large\n"
