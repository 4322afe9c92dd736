"""lipex.lime beside PyPI lime 0.2.0.1 on the same masks. Skipped without lime."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
from model import NAMES, TEXT, predict

import lipex.lime as ours

CLOSE = 1e-7
LONG = TEXT + "; the acting is dreadful, the music moving, and the dog, who is not in it for long, steals every scene"


def same(one, other):
    """Explanations by LIME's attributes."""
    assert one.available_labels() == other.available_labels()
    assert list(one.class_names) == list(other.class_names)
    for label in one.available_labels():
        mine, limes = one.local_exp[label], other.local_exp[label]
        assert [j for j, _ in mine] == [int(j) for j, _ in limes] and len(mine) > 0
        assert max(abs(a - b) for (_, a), (_, b) in zip(mine, limes)) < CLOSE
        assert abs(one.intercept[label] - other.intercept[label]) < CLOSE
        assert [name for name, _ in one.as_list(label)] == [name for name, _ in other.as_list(label)]
    assert abs(one.score - other.score) < CLOSE and np.abs(one.local_pred - other.local_pred).max() < CLOSE
    assert np.abs(one.predict_proba - other.predict_proba).max() < CLOSE


@pytest.fixture(scope="module")
def theirs():
    return pytest.importorskip("lime.lime_text")


@pytest.mark.parametrize(
    "settings, asked",
    [
        ({}, {}),
        ({}, {"num_features": 6}),
        ({}, {"labels": [0, 2], "num_features": 4}),
        ({}, {"top_labels": 2, "num_samples": 800}),
        ({"bow": False}, {"top_labels": 3, "num_features": 6, "num_samples": 1500}),
        ({"bow": False, "mask_string": "xx"}, {"num_samples": 1000}),
        ({"kernel_width": 60}, {"num_features": 5, "num_samples": 1000}),
        ({"feature_selection": "none"}, {"num_samples": 1000}),
        ({"feature_selection": "highest_weights"}, {"num_features": 3, "num_samples": 1000}),
        ({"feature_selection": "lasso_path"}, {"num_features": 5, "num_samples": 1000}),
        ({"class_names": None}, {"num_samples": 500}),
    ],
    ids=str,
)
def test_texts(theirs, settings, asked):
    settings = {"class_names": NAMES, "random_state": 0, **settings}
    mine = ours.LimeTextExplainer(**settings).explain_instance(LONG, predict, **asked)
    limes = theirs.LimeTextExplainer(**settings).explain_instance(LONG, predict, **asked)
    same(mine, limes)
    for label in mine.available_labels():
        assert [n for n, _ in mine.as_list(label, positions=True)] == [
            n for n, _ in limes.as_list(label, positions=True)
        ]


def test_later_calls_go_on_with_the_generator(theirs):
    mine, limes = ours.LimeTextExplainer(random_state=3), theirs.LimeTextExplainer(random_state=3)
    for text in (TEXT, LONG, TEXT):
        same(
            mine.explain_instance(text, predict, num_samples=600),
            limes.explain_instance(text, predict, num_samples=600),
        )
    shared = [np.random.RandomState(8) for _ in range(2)]
    mine, limes = ours.LimeTextExplainer(random_state=shared[0]), theirs.LimeTextExplainer(random_state=shared[1])
    same(mine.explain_instance(TEXT, predict), limes.explain_instance(TEXT, predict))
    assert shared[0].randint(1 << 30) == shared[1].randint(1 << 30)
    # Without a seed both take NumPy's own generator.
    np.random.seed(5)
    unseeded = ours.LimeTextExplainer().explain_instance(TEXT, predict)
    np.random.seed(5)
    same(unseeded, theirs.LimeTextExplainer().explain_instance(TEXT, predict))


def test_what_is_printed(theirs):
    told = []
    for module in (ours, theirs):
        with redirect_stdout(io.StringIO()) as out:
            module.LimeTextExplainer(verbose=True, random_state=0).explain_instance(TEXT, predict, labels=(0, 1))
        told.append([line.split()[0] for line in out.getvalue().splitlines()])
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: ours.LimeTextExplainer(kernel=lambda d: d), "kernel: lipex.lime does not take it"),
        (lambda: ours.LimeTextExplainer(split_expression=" "), "split_expression"),
        (lambda: ours.LimeTextExplainer(char_level=True), "char_level"),
        (lambda: ours.LimeTextExplainer().explain_instance(TEXT, predict, distance_metric="l2"), "distance_metric"),
        (lambda: ours.LimeTextExplainer().explain_instance(TEXT, predict, model_regressor=1), "model_regressor"),
        (lambda: ours.LimeImageExplainer(kernel=lambda d: d), "kernel"),
        (lambda: ours.LimeTabularExplainer(np.eye(3), mode="regression"), "mode = 'regression'"),
        (lambda: ours.LimeTabularExplainer(np.eye(3), discretizer="entropy"), "discretizer = 'entropy'"),
        (lambda: ours.LimeTabularExplainer(np.eye(3), discretize_continuous=False), "discretize_continuous = False"),
    ],
)
def test_what_is_not_taken_is_one_line(make, told):
    with pytest.raises(NotImplementedError) as refused:
        make()
    assert told in str(refused.value) and "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="choose auto, forward_selection"):
        ours.LimeTextExplainer(feature_selection="best").explain_instance(TEXT, predict)
    with pytest.raises(ValueError, match="there is no class 7"):
        ours.LimeTextExplainer().explain_instance(TEXT, predict, labels=[7])


def test_pages_and_figures(tmp_path):
    e = ours.LimeTextExplainer(class_names=NAMES, random_state=0).explain_instance(TEXT, predict, top_labels=2)
    e.save_to_file(str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf8")
    assert page == e.as_html() and page.startswith("<!DOCTYPE html>") and len(page) < 200_000
    assert "sandbox" in e._repr_html_()
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    axes = e.as_pyplot_figure(label=e.available_labels()[0]).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [v for _, v in e.as_list(e.available_labels()[0])][::-1]
    pyplot.close("all")


def picture(kind=np.uint8):
    y, x = np.mgrid[:30, :40]
    rgb = np.stack([x * 6, y * 8, (x + y) * 3], axis=-1) % 256
    return rgb.astype(np.uint8) if kind == np.uint8 else rgb / 255.0


def tiles(image):
    return np.add.outer(np.arange(30) // 10 * 4, np.arange(40) // 10)


def colours(images):
    means = np.asarray(images, dtype=float).mean(axis=(1, 2))
    scores = np.exp(np.asarray(images, dtype=float)[:, ::7, ::5].reshape(len(images), -1)[:, :3] / 300 + means / 200)
    return scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    "kind, asked",
    [
        (np.uint8, {}),
        (np.uint8, {"hide_color": 0, "num_features": 5}),
        (np.uint8, {"hide_color": (9, 80, 200), "top_labels": None, "labels": (0, 2), "batch_size": 64}),
        (np.uint8, {"random_seed": 4, "num_features": 1000}),
        (float, {"hide_color": 0.0}),
        (float, {}),
    ],
    ids=str,
)
def test_images(kind, asked):
    lime_image = pytest.importorskip("lime.lime_image")
    asked = {"num_samples": 300, "segmentation_fn": tiles, **asked}
    mine, limes = ours.LimeImageExplainer(random_state=2), lime_image.LimeImageExplainer(random_state=2)
    for _ in range(2):
        one = mine.explain_instance(picture(kind), colours, **asked)
        other = limes.explain_instance(picture(kind), colours, **asked)
        assert [int(c) for c in getattr(other, "top_labels", [])] == (one.top_labels or [])
        for label, limes_own in other.local_exp.items():
            assert [j for j, _ in one.local_exp[int(label)]] == [int(j) for j, _ in limes_own]
            assert max(abs(a - b) for (_, a), (_, b) in zip(one.local_exp[int(label)], limes_own)) < CLOSE
            assert abs(one.intercept[int(label)] - other.intercept[label]) < CLOSE
            for shown in (
                {},
                {"positive_only": False},
                {"hide_rest": True, "num_features": 3},
                {"positive_only": False, "negative_only": True},
            ):
                for a, b in zip(one.get_image_and_mask(int(label), **shown), other.get_image_and_mask(label, **shown)):
                    assert np.array_equal(a, b)
        assert abs(one.score - other.score) < CLOSE and np.abs(one.local_pred - other.local_pred).max() < CLOSE


def test_limes_own_segments():
    lime_image = pytest.importorskip("lime.lime_image")
    asked = dict(num_samples=100, hide_color=0)
    one = ours.LimeImageExplainer(random_state=1).explain_instance(picture(), colours, **asked)
    other = lime_image.LimeImageExplainer(random_state=1).explain_instance(picture(), colours, **asked)
    assert np.array_equal(one.segments, other.segments)
    label = one.top_labels[0]
    assert max(abs(a - b) for (_, a), (_, b) in zip(one.local_exp[label], other.local_exp[label])) < CLOSE


DATA = np.random.RandomState(1).normal(size=(300, 4)) * [1, 10, 0.1, 5] + [0, 50, 1, 0]


def likely(rows):
    p = 1 / (1 + np.exp(-(rows[:, 0] + (rows[:, 1] - 50) / 10 - rows[:, 0] * rows[:, 3] / 5)))
    return np.stack([1 - p, p], axis=1)


@pytest.mark.parametrize(
    "settings, asked",
    [
        ({}, {}),
        ({"discretizer": "decile", "class_names": ["no", "yes"]}, {"num_features": 3, "labels": (0, 1)}),
        ({"kernel_width": 1.0, "feature_names": list("abcd")}, {"top_labels": 2, "num_samples": 800}),
    ],
    ids=str,
)
def test_tables(settings, asked):
    lime_tabular = pytest.importorskip("lime.lime_tabular")
    mine = ours.LimeTabularExplainer(DATA, random_state=0, **settings)
    limes = lime_tabular.LimeTabularExplainer(DATA, random_state=0, **settings)
    for row in (DATA[3], DATA[50]):
        same(mine.explain_instance(row, likely, **asked), limes.explain_instance(row, likely, **asked))


def test_bins_without_spread():
    lime_tabular = pytest.importorskip("lime.lime_tabular")
    # Most of a column is its least value, so that the first bin has nothing else.
    data = DATA.copy()
    data[:, 2] -= data[:, 2].min()
    data[:200, 2] = 0
    mine = ours.LimeTabularExplainer(data, random_state=0)
    limes = lime_tabular.LimeTabularExplainer(data, random_state=0)
    same(mine.explain_instance(data[3], likely), limes.explain_instance(data[3], likely))


@pytest.mark.parametrize("continuous", [True, False])
def test_tables_with_categories(continuous):
    lime_tabular = pytest.importorskip("lime.lime_tabular")
    data = DATA.copy()
    columns = [1, 3] if continuous else [0, 1, 2, 3]
    for j in columns:
        data[:, j] = np.random.RandomState(j).randint(0, 4, len(data))
    settings = dict(
        categorical_features=columns, categorical_names={1: list("wxyz")}, discretize_continuous=continuous,
        feature_names=["p", "q", "r", "s"], random_state=4,
    )  # fmt: skip
    mine = ours.LimeTabularExplainer(data, **settings)
    limes = lime_tabular.LimeTabularExplainer(data, **settings)
    same(mine.explain_instance(data[7], likely), limes.explain_instance(data[7], likely))
