"""Notebooks of the gallery, as `make docs` writes them, in a kernel as Jupyter starts it."""

import base64
import io
import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image
from sphinx_gallery.gen_gallery import DEFAULT_GALLERY_CONF
from sphinx_gallery.notebook import jupyter_notebook
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def outputs_of(tmp_path_factory):
    """Run notebooks in one kernel, emptied before each: its start and imports take seconds."""
    folder = tmp_path_factory.mktemp("notebooks")
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )

    def run(name):
        blocks = split_code_and_text_blocks(EXAMPLES / f"{name}.py")[1]
        written = json.dumps(jupyter_notebook(blocks, DEFAULT_GALLERY_CONF, EXAMPLES))
        client.nb = nbformat.reads(written, as_version=4)
        client.nb.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
        for number, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, number)
        return [output for cell in client.nb.cells for output in cell.get("outputs", ())]

    with client.setup_kernel():
        yield run


@pytest.mark.parametrize(
    ("name", "pictures", "page"),
    [
        ("plot_08_scans", 2, True),
        ("plot_09_rows", 2, False),
        ("plot_11_not_said", 2, False),
        ("plot_12_captum", 1, False),
    ],
)
def test_notebooks_run_and_show_their_results(outputs_of, name, pictures, page):
    outputs = outputs_of(name)
    assert {each.output_type for each in outputs} <= {"stream", "execute_result", "display_data"}
    assert not [each.text for each in outputs if "preddiff" in each.get("text", "")]  # warnings
    shown = [each.data for each in outputs if "data" in each]
    drawn = [
        Image.open(io.BytesIO(base64.b64decode(each["image/png"])))
        for each in shown
        if "image/png" in each
    ]
    assert len(drawn) == pictures
    assert all(min(each.size) > 100 for each in drawn)
    framed = [each["text/html"] for each in shown if "<iframe" in each.get("text/html", "")]
    assert len(framed) == page
    if page:
        assert shown[-1]["text/html"] == framed[0]
        assert "image/png" in shown[-1]
