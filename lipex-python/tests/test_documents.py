"""What the documents say runs."""

import contextlib
import io
import os
import re

import pytest
from conftest import ROOT


def blocks(document):
    text = (ROOT / document).read_text(encoding="utf8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document, least", [("docs/python.md", 5), ("lipex-python/README.md", 1)])
def test_blocks_run_one_after_the_other(document, least, monkeypatch):
    monkeypatch.chdir(ROOT)
    code = blocks(document)
    assert len(code) >= least
    place = {}
    with contextlib.redirect_stdout(io.StringIO()) as told:
        for block in code:
            exec(compile(block, document, "exec"), place)
    assert "wonderful" in told.getvalue() and os.getcwd() == str(ROOT)


def test_tables_beyond_one_machine(monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(ROOT)
    # The blocks after the first want an engine: tests/test_engines.py runs what they say.
    exec(compile(blocks("docs/beyond-one-machine.md")[0], "docs/beyond-one-machine.md", "exec"), {})
    told = capsys.readouterr().out
    assert "'explanation', 'error']" in told and "ValueError: the text is null" in told


def test_what_is_said_to_be_printed_is():
    text = (ROOT / "docs/python.md").read_text(encoding="utf8")
    assert "unknown setting `sampels`; did you mean `samples`?" in text
    import lipex

    with pytest.raises(TypeError) as refused:
        lipex.Explainer(lambda texts: texts, sampels=10)
    assert str(refused.value) in text
