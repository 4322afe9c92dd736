"""Settings as keywords."""

import numpy as np
import pytest
from model import NAMES, TEXT, predict

import lipex


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"sampels": 10}, "unknown setting `sampels`; did you mean `samples`?"),
        ({"lamda": 10}, "did you mean `lambda_`?"),
        ({"batchsize": 10}, "did you mean `batch_size`?"),
        ({"clas_names": ["a"]}, "did you mean `class_names`?"),
        ({"batch-size": 10}, "did you mean `batch_size`?"),
        ({"samples": [3]}, "samples = \\[3\\]: a text, a number"),
        ({"max_tokens": 3}, "max_tokens is for models in folders"),
        ({"baseline": "black"}, "baseline goes with segments"),
        ({"reference": "mean"}, "reference goes with background"),
        ({"ignore_words": "the"}, "not one text"),
    ],
    ids=str,
)
def test_unknown_names_are_type_errors(wrong, told):
    asked = []
    with pytest.raises(TypeError, match=told):
        lipex.explain_text(TEXT, lambda texts: asked.append(1), **wrong)
    assert not asked


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"samples": -1}, "samples = -1"),
        ({"samples": 2.5}, "samples = 2.5"),
        ({"divergence": "KL"}, "divergence = KL: did you mean `kl`?"),
        ({"batch_size": 0}, "batch_size = 0: at least 1"),
        ({"lambda_": -1.0}, "lambda"),
        ({"max_samples": 300}, "max_samples = 300: goes with `adaptive` alone"),
        ({"adaptive": True, "samples": 5}, "leave `samples` out \\(`max_samples` limits it\\)"),
        ({"unit": "letter"}, "unit = letter"),
        ({"flip_to": 7, "class_names": NAMES}, "flip_to = 7: there are 3 classes"),
        ({"flip_to": "god", "class_names": NAMES}, "flip_to = god: did you mean `good`?"),
    ],
    ids=str,
)
def test_values_that_cannot_be_are_value_errors(wrong, told):
    asked = []
    with pytest.raises(ValueError, match=told) as refused:
        lipex.explain_text(TEXT, lambda texts: asked.append(1), **wrong)
    assert not asked and "\n" not in str(refused.value)


def test_values_of_every_kind():
    plain = lipex.explain_text(TEXT, predict, class_names=NAMES, samples=200, lambda_=0.001, pairs=2)
    texts = dict(samples="200", lambda_="0.001", pairs="2")
    assert lipex.explain_text(TEXT, predict, class_names=NAMES, **texts) == plain
    arrays = dict(samples=np.int64(200), lambda_=np.float64(0.001), pairs=np.int32(2))
    assert lipex.explain_text(TEXT, predict, class_names=NAMES, **arrays) == plain
    # None is what is not given.
    assert lipex.explain_text(TEXT, predict, class_names=NAMES, samples=200, lambda_=0.001, pairs=2, seed=None) == plain


def test_pairs_by_number():
    e = lipex.explain_text(TEXT, predict, class_names=NAMES, select="all", pairs=[(6, 7), (1, 3)])
    assert e.settings["pairs"].startswith("given:")
    assert {names for names, _ in e.pairs} == {("wonderful", "moving"), ("not", "too")}
    together = dict(e.pairs)["not", "too"]
    # "not too" is what the model answers to both and to neither alone.
    assert together[1] > 0.5 > -0.5 > together[2] and abs(together.sum()) < 1e-9


def test_flags_and_intercepts():
    e = lipex.explain_text(TEXT, predict, class_names=NAMES, uncertainty=True, adaptive=False)
    assert e.uncertainty is not None and e.growth is None
    assert lipex.explain_text(TEXT, predict, class_names=NAMES, intercept=False).settings["intercept"] == "none"
    assert lipex.explain_text(TEXT, predict, class_names=NAMES, intercept=True).settings["intercept"] == "fitted"
    grown = lipex.explain_text(TEXT, predict, class_names=NAMES, adaptive=True, settled="1")
    assert grown.growth.looks and grown.growth["class"] == grown.predicted


def test_the_list_of_settings():
    texts, images = lipex.settings(), lipex.settings("image")
    assert {"samples", "lambda_", "batch_size", "unit"} <= set(texts) and "unit" not in images
    assert "kl" in texts["divergence"].about and texts["seed"].default == "0"
    assert texts["uncertainty"].values == ""
    with pytest.raises(ValueError, match="choose text, image or table"):
        lipex.settings("sound")


def test_keywords_for_editors_are_the_settings():
    from lipex._settings import Keywords

    assert set(Keywords.__annotations__) == {*lipex.settings(), "tokenizer", "max_tokens", "output", "sigmoid"}


def test_ignored_words_stay():
    e = lipex.explain_text(TEXT, predict, class_names=NAMES, ignore_words=["wonderful"])
    assert "wonderful" not in e.features and "moving" in e.features


def test_changes_of_one_call_are_of_that_call():
    explainer = lipex.Explainer(predict, class_names=NAMES, seed=4)
    first = explainer.explain(TEXT)
    other = explainer.explain(TEXT, seed=5, unit="sentence")
    assert other.features != first.features and explainer(TEXT) == first
    assert other == lipex.explain_text(TEXT, predict, class_names=NAMES, seed=5, unit="sentence")
    with pytest.raises(TypeError, match="did you mean `seed`"):
        explainer.explain(TEXT, sead=5)
