"""Hold the version that this commit states against its tags: `python scripts/release.py`.

`pyproject.toml` is the only source of the version: it is the same in a clone without tags, in an
archive without Git, and in an editable installation whose commits have moved on. A tag must follow
it. Prints what is wrong and ends with status 1: if the commit has a tag of another version, or its
version is the tag of another commit or of files that have changed since.
"""

import subprocess
import sys
import tomllib
from pathlib import Path


def stated(root: Path) -> str:
    """Return the version in `pyproject.toml`."""
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def problem(root: Path) -> str | None:
    """Return what is wrong with the version of the commit that is checked out; None if nothing."""
    here = _git(root, "rev-parse", "HEAD")
    if here is None:
        return None  # an archive, which says no more than its pyproject.toml
    version = stated(root)
    tags = [
        tag for tag in (_git(root, "tag", "--points-at", "HEAD") or "").split() if tag[0] == "v"
    ]
    if tags and f"v{version}" not in tags:
        return f"pyproject.toml says {version}, but this commit has the tag {tags[0]}: move one"
    tagged = _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/v{version}^{{commit}}")
    if tagged is not None and tagged != here:
        return f"{version} is released, as the tag v{version} of another commit: raise the version"
    if tagged is not None and _git(root, "status", "--porcelain", "--untracked-files=no"):
        return f"{version} is released, and files have changed since: commit, and raise the version"
    return None


def _git(root: Path, *arguments: str) -> str | None:
    """Return what Git answers; None if it is not there, or this is no repository of it."""
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


if __name__ == "__main__":
    wrong = problem(Path(__file__).parents[1])
    sys.exit(wrong and f"{Path(__file__).name}: {wrong}")
