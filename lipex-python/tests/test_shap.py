"""What shap's plots are given. Without shap these tests say that they are skipped."""

import numpy as np
import pytest
from model import NAMES, TEXT, predict

import lipex

shap = pytest.importorskip("shap")
SHORT = "wonderful and moving, not too long, not dull"


@pytest.fixture(scope="module")
def e():
    return lipex.explain_text(TEXT, predict, class_names=NAMES)


def test_tokens_add_up_to_the_score(e):
    told = e.to_shap()
    tokens = list(told.data[0])
    assert "".join(tokens) == TEXT and told.values.shape == (1, len(tokens), 3)
    scores = told.base_values[0] + told.values[0].sum(axis=0)
    assert np.abs(scores - (e.intercept + e.matrix.sum(axis=1))).max() < 1e-12
    linear = lipex.explain_text(TEXT, predict, class_names=NAMES, pairs="none")
    told = linear.to_shap()
    scores = told.base_values[0] + told.values[0].sum(axis=0)
    answer = np.exp(scores) / np.exp(scores).sum()
    assert np.abs(answer - linear.surrogate_probabilities).max() < 1e-12
    # A word that stands twice shares its weight out.
    twice = [i for i, token in enumerate(tokens) if token.startswith("wonderful")]
    share = e.matrix[2, e.kept.index(e.features.index("wonderful"))]
    assert len(twice) == 2 and all(abs(e.to_shap().values[0, i, 2] - share / 2) < 1e-15 for i in twice)


def test_features(e):
    told = e.to_shap(per="feature")
    assert told.values.shape == (len(e.kept), 3) and list(told.output_names) == NAMES
    assert list(told[:, "good"].feature_names) == [e.features[j] for j in e.kept]
    with pytest.raises(ValueError, match='choose "token" or "feature"'):
        e.to_shap(per="word")


def test_plots_return(e):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    tokens, features = e.to_shap(), e.to_shap(per="feature")
    page = shap.plots.text(tokens, display=False)
    assert "wonderful" in page and "good" in page
    assert "wonderful" in shap.plots.text(tokens[:, :, "good"], display=False)
    axes = shap.plots.bar(features[:, "good"], show=False)
    widths = sorted(abs(bar.get_width()) for bar in axes.patches if bar.get_width())
    assert abs(widths[-1] - np.abs(e.matrix[2]).max()) < 1e-9
    shap.plots.waterfall(features[:, "good"], show=False)
    pyplot.close("all")


def test_kernel_shap_is_kernel_explainer():
    e = lipex.explain_text(SHORT, predict, class_names=NAMES, preset="kernel-shap", unit="occurrence", select="all")
    words = [SHORT[a:b] for spans in e.spans for a, b in spans]

    def of_masks(masks):
        texts = [" ".join(word for word, keep in zip(words, mask) if keep) for mask in masks]
        return predict(texts)

    kernel = shap.KernelExplainer(of_masks, np.zeros((1, len(words))))
    values = np.array(kernel.shap_values(np.ones((1, len(words))), silent=True)).reshape(len(words), 3)
    told = e.to_shap(per="feature")
    assert np.abs(told.values - values).max() < 1e-6
    assert np.abs(told.base_values + told.values.sum(axis=0) - e.probabilities).max() < 1e-6
