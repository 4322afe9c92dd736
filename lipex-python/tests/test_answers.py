"""What a callable may give, and what is refused."""

import numpy as np
import pytest
from model import NAMES, TEXT, logits, predict

import lipex


class Tensor:
    """What torch's tensors do that is asked of them: with a gradient `numpy()` refuses, and so it does for bfloat16."""

    def __init__(self, rows, grad=True, kind="bfloat16"):
        self.rows, self.grad, self.kind = rows, grad, kind

    def detach(self):
        return Tensor(self.rows, False, self.kind)

    def double(self):
        return Tensor(self.rows, self.grad, "float64")

    def cpu(self):
        return self

    def numpy(self):
        assert not self.grad and self.kind == "float64"
        return np.array(self.rows, dtype=np.float64)


class OnlyDlpack:
    """Offers its memory and nothing else."""

    def __init__(self, rows):
        self.rows = np.array(rows)

    def __dlpack__(self, **keywords):
        return self.rows.__dlpack__(**keywords)

    def __dlpack_device__(self):
        return self.rows.__dlpack_device__()


class OnlyArray:
    def __init__(self, rows):
        self.rows = rows

    def __array__(self, dtype=None, copy=None):
        return np.array(self.rows, dtype=dtype)


def strided(rows):
    wide = np.zeros((len(rows), 2 * rows.shape[1]))
    wide[:, ::2] = rows
    return wide[:, ::2]


def read_only(rows):
    rows = np.array(rows)
    rows.flags.writeable = False
    return rows


KINDS = {
    "f64": lambda rows: rows,
    "lists": lambda rows: rows.tolist(),
    "tuples": lambda rows: tuple(map(tuple, rows.tolist())),
    "fortran": np.asfortranarray,
    "strided": strided,
    "read-only": read_only,
    "dlpack": OnlyDlpack,
    "array": OnlyArray,
    "tensor": Tensor,
}


@pytest.fixture(scope="module")
def plain():
    return lipex.explain_text(TEXT, predict, class_names=NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_nine_kinds_of_answers_give_the_same_bits(plain, kind):
    e = lipex.explain_text(TEXT, lambda texts: KINDS[kind](predict(texts)), class_names=NAMES)
    assert e == plain


@pytest.mark.parametrize("kind, off", [(np.float32, 1e-4), (np.float16, 1e-2)])
def test_narrower_numbers_are_near(plain, kind, off):
    e = lipex.explain_text(TEXT, lambda texts: predict(texts).astype(kind), class_names=NAMES, pairs="none")
    full = lipex.explain_text(TEXT, predict, class_names=NAMES, pairs="none")
    assert np.abs(e.matrix - full.matrix).max() < off
    assert np.abs(e.probabilities - plain.probabilities).max() < off


def test_logits_of_log_probabilities_are_the_probabilities(plain):
    e = lipex.explain_text(TEXT, lambda texts: np.log(predict(texts)), class_names=NAMES, outputs="logits")
    assert np.abs(e.matrix - plain.matrix).max() < 1e-5 and np.abs(e.probabilities - plain.probabilities).max() < 1e-7
    raw = lipex.explain_text(TEXT, logits, class_names=NAMES, outputs="logits")
    assert np.abs(raw.matrix - plain.matrix).max() < 1e-4


def test_classes_are_numbered_without_names(plain):
    asked = []
    e = lipex.explain_text(TEXT, lambda texts: asked.append(len(texts)) or predict(texts))
    assert e.classes == ["0", "1", "2"]
    # No more calls than with names: the first answer tells how many there are.
    named = []
    lipex.explain_text(TEXT, lambda texts: named.append(len(texts)) or predict(texts), class_names=NAMES)
    assert asked == named and sum(asked) == e.calls.inputs + 1


def test_names_of_any_kind(plain):
    for names in (
        tuple(NAMES),
        np.array(NAMES),
        {2: "good", 0: "bad", 1: "dull"},
        {"0": "bad", "1": "dull", "2": "good"},
    ):
        assert lipex.explain_text(TEXT, predict, class_names=names) == plain
    with pytest.raises(TypeError, match="not one text"):
        lipex.explain_text(TEXT, predict, class_names="bad")


def changed(**places):
    """The model with something wrong in the row after the first."""

    def wrong(texts):
        rows = predict(texts)
        if len(rows) > 1:
            rows[1] = places["row"]
        return rows

    return wrong


REFUSED = {
    "nan": (changed(row=[np.nan, 0.5, 0.5]), "class 0 has NaN"),
    "sum": (changed(row=[1.0, 0.5, 0.5]), "sums to 2"),
    "negative": (changed(row=[-0.5, 1.0, 0.5]), "-0.5"),
    "two columns": (lambda texts: predict(texts)[:, :2], "expected 3, got 2"),
    "a row too few": (lambda texts: predict(texts)[:-1], "rows from the model: expected"),
    "one dimension": (lambda texts: predict(texts)[:, 0], r"gave shape \(\d+,\)"),
    "none": (lambda texts: None, "no .n, C. array|gave NoneType"),
    "dicts": (lambda texts: [{"label": "bad"} for _ in texts], "no .n, C. array|gave shape"),
    "a dict": (lambda texts: {"bad": 1.0}, "gave a dict"),
    "words": (lambda texts: [["a", "b", "c"] for _ in texts], "no .n, C. array of numbers"),
    "ragged": (lambda texts: [[0.5, 0.5], [1.0]], "no .n, C. array of numbers"),
    "complex": (lambda texts: predict(texts) + 0j, "complex"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_answers_are_one_line(case):
    model, told = REFUSED[case]
    with pytest.raises(ValueError, match=told) as refused:
        lipex.explain_text(TEXT, model, class_names=NAMES)
    assert "\n" not in str(refused.value)


def test_independent_labels():
    def tags(texts):
        return 1 / (1 + np.exp(-logits(texts)))

    e = lipex.explain_text(TEXT, tags, class_names=NAMES, outputs="independent")
    assert e.link == "logistic" and e.probabilities.sum() > 1
    with pytest.raises(ValueError, match="choose probabilities, logits or independent"):
        lipex.explain_text(TEXT, tags, outputs="sigmoid")
