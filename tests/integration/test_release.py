"""The version is stated once, and tags follow it."""

import subprocess
from pathlib import Path

import pytest
import release

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path):
    """Return a function that calls Git in a repository with one commit, of version 1.2."""
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2"\n')

    def git(*arguments):
        who = ("-c", "user.name=someone", "-c", "user.email=someone@example.org")
        subprocess.run(("git", *who, *arguments), cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    return git


def test_this_commit_has_no_tag_of_another_version():
    assert release.problem(ROOT) is None


def test_without_tags_or_git_the_version_is_as_it_is_stated(repository, tmp_path):
    assert release.stated(tmp_path) == "1.2"
    assert release.problem(tmp_path) is None
    repository("tag", "v1.2")
    assert release.problem(tmp_path) is None
    (tmp_path / ".git").rename(tmp_path / "elsewhere")
    assert release.problem(tmp_path) is None


def test_a_tag_of_another_version_is_refused(repository, tmp_path):
    repository("tag", "v1.3")
    assert release.problem(tmp_path) == (
        "pyproject.toml says 1.2, but this commit has the tag v1.3: move one"
    )


def test_what_is_released_does_not_change(repository, tmp_path):
    repository("tag", "-m", "release", "v1.2")  # with a message: an object of its own
    assert release.problem(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2" \n')
    assert "files have changed since" in release.problem(tmp_path)
    repository("commit", "-am", "second")
    assert "the tag v1.2 of another commit" in release.problem(tmp_path)


def test_whatever_states_the_version_agrees():
    version = release.stated(ROOT)
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f'\n  version: "{version}"\n' in (ROOT / "conda" / "recipe.yaml").read_text()
