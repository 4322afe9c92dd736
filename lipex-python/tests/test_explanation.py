"""Readings, files and displays of an explanation."""

import csv
import html.parser
import io
import json
import xml.etree.ElementTree as tree

import numpy as np
import pytest
from model import NAMES, TEXT, predict

import lipex


@pytest.fixture(scope="module")
def e():
    return lipex.explain_text(TEXT, predict, class_names=NAMES, uncertainty=True, samples=300)


def surrogate(document, removed=()):
    """What docs/json.md says that the surrogate answers."""
    z = np.ones(len(document["features"]))
    z[list(removed)] = 0
    terms = [np.prod([z[j] - 1 for j in term]) for term in document["terms"]]
    scores = np.array(document["base"]["values"]) + np.array(document["coefficients"]) @ terms
    q = np.exp(scores - scores.max())
    return q / q.sum()


def test_what_was_found(e):
    d = e.document
    assert e.matrix.shape == (3, len(e.kept)) and e.matrix.tolist() == d["matrix"]
    assert e.intercept.tolist() == d["intercept"] and e.classes == NAMES
    assert e.features[1] == "wonderful" and e.spans[1] == [(2, 11), (63, 72)]
    assert all(TEXT[a:b].lower() == name.lower() for name, spans in zip(e.features, e.spans) for a, b in spans)
    assert np.abs(e.probabilities - predict([TEXT])[0]).max() < 1e-7
    assert e.predicted == int(np.argmax(e.probabilities)) and e.predicted_name == "good"
    assert np.abs(e.surrogate_probabilities - surrogate(d)).max() < 1e-12
    assert e.fidelity.out_of_fold.tv == d["fidelity"]["out_of_fold"]["tv"] < 0.1
    assert e.verdict.grade in ("good", "fair", "poor") and e.verdict.reasons[0].told
    assert np.array(e.uncertainty.std_error).shape == e.matrix.shape
    assert e.calls.masks == 300 and e.settings["samples"] == "300" and e.text == TEXT and e.regions[0] is None
    with pytest.raises(AttributeError, match="there are out_of_fold, near"):
        e.fidelity.r3


def test_readings(e):
    d, good = e.document, NAMES.index("good")
    names = [e.features[j] for j in e.kept]
    by_hand = dict(zip(names, e.matrix[good]))
    assert e.top_k("good", 1, "supporting")[0][0] == "wonderful" and e.top_k(good) == e.top_k("good")
    assert dict(e.as_list("good")) == by_hand and len(e.as_list("good", 2)) == 2
    assert [abs(v) for _, v in e.as_list()] == sorted((abs(v) for v in by_hand.values()), reverse=True)
    assert {names.index(e.features[j]) for j, _ in e.as_map()[good]} == set(range(len(names)))
    contrast = dict(e.contrast("good", "bad"))
    assert all(abs(contrast[n] - (e.matrix[2, p] - e.matrix[0, p])) < 1e-15 for p, n in enumerate(names))
    for removed in (["wonderful"], ["wonderful", "not"], [1], []):
        numbers = [j if isinstance(j, int) else e.features.index(j) for j in removed]
        assert np.abs(e.without(removed) - surrogate(d, numbers)).max() < 1e-12
    assert np.array_equal(e.without("wonderful"), e.without(["wonderful"]))
    features, after = e.what_would_change("bad")
    assert features[0] == "wonderful" and int(np.argmax(after)) == 0
    assert np.abs(e.without(features) - after).max() < 1e-12
    removal = e.what_to_remove()
    assert removal[0][0] == "wonderful" and removal[0][1] == d["removal"]["surrogate"][0]


def test_labels_that_are_none(e):
    for wrong, told in (("god", "did you mean `good`"), (3, "there are 3 classes"), (-1, "there are 3 classes")):
        with pytest.raises(ValueError, match=told):
            e.top_k(wrong)
    with pytest.raises(ValueError, match="choose supporting"):
        e.top_k("good", rank="loud")
    with pytest.raises(ValueError, match="none of that name"):
        e.without("splendid")
    with pytest.raises(ValueError, match="features, from 0"):
        e.without([99])


def test_json_goes_round(e):
    again = lipex.Explanation.from_json(e.to_json())
    assert again.to_json() == e.to_json() and again == e and again != "e"
    assert lipex.Explanation.from_json(e.to_json_canonical()) == e
    assert "\n" not in e.to_json_canonical()
    other = json.loads(e.to_json())
    other["text"] = other["text"].replace("film", "song")
    assert lipex.Explanation.from_json(json.dumps(other)) != e
    for broken, told in (("{", "JSON"), ('{"schema": "lipex.explanation/9"}', "lipex.explanation/9"), ("[]", "JSON")):
        with pytest.raises(ValueError, match=told) as refused:
            lipex.Explanation.from_json(broken)
        assert "\n" not in str(refused.value)


def test_pages_figures_tables(e):
    page = e.to_html()
    assert page.startswith("<!DOCTYPE html>") and "wonderful" in page and "://" not in page
    assert e.to_html(classes=["bad"], contrast=("bad", "dull")) != page
    svg = tree.fromstring(e.to_svg(["good", 0]))
    assert svg.tag.endswith("svg")
    rows = list(csv.DictReader(io.StringIO(e.to_csv())))
    assert len(rows) and any("wonderful" in row.values() for row in rows)


def test_notebooks(e):
    tags = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(e._repr_html_())
    [(tag, attributes)] = tags
    assert tag == "iframe" and attributes["sandbox"] == "allow-scripts" and attributes["srcdoc"] == e.to_html()
    bundle = e._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert set(e._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(e._repr_mimebundle_(exclude=["text/html"])) == {"image/svg+xml", "text/plain"}
    assert repr(e).startswith("Explanation(good 0.") and "wonderful +" in repr(e)


def test_frames_and_plots(e):
    frame = pytest.importorskip("pandas") and e.to_frame()
    assert list(frame.columns) == NAMES and np.array_equal(frame.to_numpy(), e.matrix.T)
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    axes = e.plot("good", 4)
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == [value for _, value in e.as_list("good", 4)][::-1]
    assert [label.get_text() for label in axes.get_yticklabels()] == [name for name, _ in e.as_list("good", 4)][::-1]
    assert e.plot(ax=axes) is axes
    pyplot.close("all")


def test_nothing_is_imported_before_it_is_asked_for():
    import subprocess
    import sys

    late = ("pandas", "matplotlib", "shap", "pyarrow", "torch", "tqdm", "scipy")
    seen = f"import lipex, lipex.batch, lipex.lime, sys; print([m for m in {late} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_kernel_shap_adds_up():
    e = lipex.explain_text("wonderful and moving, not too long", predict, class_names=NAMES, preset="kernel-shap")
    assert e.link == "identity"
    assert np.abs(e.intercept + e.matrix.sum(axis=1) - e.probabilities).max() < 1e-12


def test_trees_are_read_too():
    e = lipex.explain_text(TEXT, predict, class_names=NAMES, surrogate="tree")
    assert e.intercept is None and e.pairs == [] and e.matrix.shape == (3, len(e.kept))
    assert e.top_k("good", 1)[0][0] == "wonderful" and e.to_html() and repr(e)
    assert abs(e.without("wonderful").sum() - 1) < 1e-6 and lipex.Explanation.from_json(e.to_json()) == e
    pytest.importorskip("shap")
    with pytest.raises(ValueError, match="no linear surrogate"):
        e.to_shap()
