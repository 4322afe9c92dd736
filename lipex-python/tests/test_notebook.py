"""The notebook in examples/ runs, on the ONNX folder beside it. Without jupyter this test says that it is skipped."""

import pytest
from conftest import ROOT

nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")


def test_the_notebook_runs():
    import nbformat

    place = ROOT / "examples"
    notebook = nbformat.read(place / "emotions.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(place)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert len(pages) == 1 and pages[0].startswith('<iframe sandbox="allow-scripts"')
    assert "image/svg+xml" in outputs[0]["data"]
    printed = "".join(output.get("text", "") for output in outputs)
    assert "against" in printed and "LIME " in printed and " ± " in printed
