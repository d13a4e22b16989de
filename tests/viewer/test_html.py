"""From a template to one file under a strict policy."""

import base64
import gzip
import hashlib
import re

import pytest

from preddiff.viewer import html

TEMPLATE = (
    '<meta content="{{ policy }}"><style>{{ style }}</style>{{ name }}'
    "{% for script in scripts %}<script>{{ script }}</script>{% endfor %}"
    "<script type=text/plain>{{ library }}</script>"
)


@pytest.fixture
def fill(monkeypatch):
    files = {"page.j2": TEMPLATE, "own.css": "b{}", "own.js": "go()", "big.js": "library()"}
    monkeypatch.setattr(html, "static_text", lambda name: files.get(name, f"/* {name} */"))
    return lambda name="", **settings: html.fill_template(
        "page.j2", {"name": name}, styles=("own.css",), scripts=("own.js",), **settings
    )


def hash_of(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_what_is_in_the_page_and_nothing_else(fill):
    text = fill()
    policy = dict(each.split(" ", 1) for each in re.search('content="(.*?)"', text)[1].split("; "))
    scripts = re.findall("<script>(.*?)</script>", text)
    assert scripts[-1] == "go()"
    assert policy == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": hash_of(re.search("<style>(.*?)</style>", text)[1]),
        "script-src": " ".join(map(hash_of, scripts)),
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_a_live_page_may_ask_its_own_server(fill):
    assert "connect-src 'self'" in fill(connects=True)


def test_fields_are_escaped(fill):
    assert "&lt;script&gt;" in fill("<script>")


def test_a_library_is_packed_and_allowed_by_the_hash_of_what_it_unpacks_to(fill):
    text = fill(library="big.js")
    packed = re.search("<script type=text/plain>(.*?)</script>", text)[1]
    assert gzip.decompress(base64.b64decode(packed)).decode() == "library()"
    assert hash_of("library()") in text
