"""The site: `make docs` builds it by Sphinx, without internet; warnings are errors.

The source is the repository as it is, so that links lead to the same files as on a forge. Examples
in docs/examples run at every build.
"""

import re
from importlib import metadata

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

project = "preddiff"
author = "the preddiff authors"
release = metadata.version("preddiff")
root_doc = "docs/index"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
include_patterns = ["*.md", "docs/**.md", "docs/**.rst"]
exclude_patterns = [
    "sg_execution_times.rst",
    "docs/examples",
    ".venv",
    "build",
    "dist",
    "demo",
    "out",
    "tests",
    "src",
    "paper.md",
]
default_role = "code"

myst_heading_anchors = 6
myst_enable_extensions = ["colon_fence"]

html_theme = "pydata_sphinx_theme"
html_title = "preddiff"
html_extra_path = ["site"]  # a page at the root that leads to docs/
html_theme_options = {"show_prev_next": False, "header_links_before_dropdown": 6}
html_show_sourcelink = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say more than types
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True


def figures(block, block_vars, gallery_conf):
    """Save the figures that a block of an example has made, which no window shows."""
    known = block_vars.setdefault("drawn", set())
    paths = []
    for value in block_vars["example_globals"].values():
        if isinstance(value, Figure) and id(value) not in known:
            known.add(id(value))
            path = next(block_vars["image_path_iterator"])
            value.savefig(path, dpi=90)
            paths.append(path)
    return figure_rst(paths, gallery_conf["src_dir"])


sphinx_gallery_conf = {
    "examples_dirs": "docs/examples",
    "gallery_dirs": "docs/gallery",
    "filename_pattern": "/",
    "image_scrapers": (figures,),
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "min_reported_time": 0,
    "plot_gallery": True,
    "backreferences_dir": None,
}
suppress_warnings = ["config.cache"]


def escaped(app, what, name, obj, options, lines):
    """Escape what docstrings write plainly and reStructuredText takes for marks: *spatial, a_, |x|."""
    for number, line in enumerate(lines):
        parts = re.split(r"(``.*?``|`.*?`)", line)
        parts[::2] = [re.sub(r"(?<!\\)([*|])", r"\\\1", part) for part in parts[::2]]
        parts[::2] = [re.sub(r"(\w)_(?=\W|$)", r"\1\\_", part) for part in parts[::2]]
        lines[number] = "".join(parts)


def setup(app):
    """Have docstrings escaped before napoleon reads their sections."""
    app.connect("autodoc-process-docstring", escaped, priority=100)
