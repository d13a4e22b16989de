"""From a template to one HTML file that can do nothing but what is written in it."""

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources

import jinja2
from markupsafe import Markup

from preddiff.viewer.encoding import pack_text

_SHARED_STYLES = ("page.css",)
_SHARED_SCRIPTS = ("select.js", "unpack.js", "evidence_colours.js")  # before those that use them
_STATIC = resources.files("preddiff.viewer").joinpath("static")


def fill_template(
    template: str,
    fields: Mapping[str, object],
    *,
    styles: tuple[str, ...],
    scripts: tuple[str, ...],
    library: str | None = None,
    connects: bool = False,
) -> str:
    """Return a template of `static/` with its styles, scripts and fields filled in.

    The template gets `policy`, a content security policy that allows these styles, these scripts
    and embedded images, and nothing else; `style`; `scripts`; `library`; and the fields, which are
    escaped.

    Parameters
    ----------
    styles, scripts : files of `static/` that follow those of all pages.
    connects : whether the page may send requests to the server that it came from.
    library : a large script, which is compressed; the page's own scripts unpack and add it.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(static_text),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    style = "".join(map(static_text, _SHARED_STYLES + styles))
    script_texts = [static_text(name) for name in _SHARED_SCRIPTS + scripts]
    libraries = [] if library is None else [static_text(library)]
    # Labels, names and settings come from other people's files. Should one ever get past the
    # escaping, it still cannot run: a browser executes a script only if its text has one of these
    # hashes, 'unsafe-inline' is not granted, and no data can leave the page, as it may connect to
    # nothing. A library is compressed here; the policy names the hash of what it unpacks to.
    server = "'self'" if connects else "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_policy_hash(style)}; "
        f"script-src {' '.join(map(_policy_hash, script_texts + libraries))}; "
        f"connect-src {server}; base-uri 'none'; form-action 'none'"
    )
    return environment.get_template(template).render(
        policy=Markup(policy),  # noqa: S704 - of hashes only
        style=Markup(style),  # noqa: S704 - ours
        scripts=[Markup(text) for text in script_texts],  # noqa: S704 - ours
        library="".join(pack_text(text) for text in libraries),
        **fields,
    )


def static_text(name: str) -> str:
    """Return the text of a file of `static/`."""
    return _STATIC.joinpath(name).read_text("utf-8")


def _policy_hash(text: str) -> str:
    """Return the hash by which a policy allows a style or script: of its text, byte for byte."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
