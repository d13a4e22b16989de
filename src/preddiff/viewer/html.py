"""From a template to one HTML file that may do nothing but what is written in it."""

import base64
import hashlib
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from preddiff.viewer.encoding import packed_text

_STATIC = resources.files("preddiff.viewer").joinpath("static")


def html(
    template: str,
    *,
    styles: tuple[str, ...],
    scripts: tuple[str, ...],
    library: str | None = None,
    talks: bool = False,
    **facts: Any,
) -> str:
    """A template of `static/` with its styles and scripts inside.

    The template finds `policy`, a content security policy that allows these styles, these scripts
    and pictures from within the page, and nothing else; `style`; `scripts`; and the facts, which
    it escapes. A page that `talks` may ask the server that it came from. A large `library` is
    packed for the page's scripts to add: the policy knows it by the hash of what it unpacks to.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(static),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    rules = "".join(map(static, styles))
    programs = [static(name) for name in scripts]
    added = [] if library is None else [static(library)]
    server = "'self'" if talks else "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(rules)}; "
        f"script-src {' '.join(map(_hash, programs + added))}; "
        f"connect-src {server}; base-uri 'none'; form-action 'none'"
    )
    return environment.get_template(template).render(
        policy=Markup(policy),  # noqa: S704 - of hashes only
        style=Markup(rules),  # noqa: S704 - ours
        scripts=[Markup(program) for program in programs],  # noqa: S704 - ours
        library="".join(packed_text(text) for text in added),
        **facts,
    )


def static(name: str) -> str:
    """The text of a file of `static/`."""
    return _STATIC.joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """Of a style or script, as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
