"""Images and rows of tables."""

import pickle

import numpy as np
import pytest

import lipex

GREEN_CORNER = np.zeros((24, 36, 3), np.uint8)
GREEN_CORNER[:12, 24:, 1] = 240
GREEN_CORNER[12:, :12, 0] = 200


def how_green(images):
    """(n, 2): "other" and "green"."""
    assert images.dtype == np.uint8 and images.shape[1:] == (24, 36, 3)
    green = np.minimum(images[..., 1].mean(axis=(1, 2)) / 40, 1)
    return np.stack([1 - green, green], axis=1)


def explain(**settings):
    keywords = dict(segments="grid:2x3", baseline="black", class_names=["other", "green"])
    return lipex.explain_image(GREEN_CORNER, how_green, **{**keywords, **settings})


def test_an_image():
    e = explain()
    assert e.top_k("green", 1)[0][0] == "r1c3" and e.predicted_name == "green"
    assert e.regions[2].box == [24, 0, 36, 12] and e.regions[2].pixels == 144
    assert abs(e.without("r1c3")[1]) < 0.05


def test_segments_of_every_kind():
    ids = np.add.outer(np.arange(24) // 12 * 3, np.arange(36) // 12)
    by_array = explain(segments=ids)
    assert by_array.features == list("012345")
    seen = []
    by_callable = explain(segments=lambda image: seen.append(image.shape) or ids.astype(np.uint8))
    assert by_callable == by_array and seen == [(24, 36, 3)]
    assert np.array_equal(by_array.matrix, explain().matrix)
    assert len(explain(segments="slic:4", baseline="blur").features) >= 2
    assert explain(segments=np.asfortranarray(ids)) == by_array


def test_images_that_are_none():
    for image in (GREEN_CORNER.astype(float), GREEN_CORNER[..., 0], GREEN_CORNER[..., :2]):
        with pytest.raises(ValueError, match="array .height, width, 3. of uint8, not shape"):
            lipex.explain_image(image, how_green, segments="grid:2x3")
    for wrong, told in (
        (dict(segments="tiles"), "segments = tiles: choose"),
        (dict(segments=np.zeros((3, 3), int)), "an id a pixel, not shape"),
        (dict(segments=np.zeros((24, 36))), "of float64"),
        (dict(segments=np.zeros((24, 36), int)), "one segment"),
        (dict(baseline="sky"), "baseline = sky"),
        (dict(baseline=GREEN_CORNER[:3]), "image of the same shape"),
        (dict(unit="word"), "is of texts alone"),
    ):
        with pytest.raises(ValueError, match=told):
            explain(**wrong)


def test_another_picture_as_baseline():
    assert np.array_equal(explain(baseline=np.zeros_like(GREEN_CORNER)).matrix, explain().matrix)


def test_pictures_are_shown_and_kept_in_pickles():
    e = explain()
    again = pickle.loads(pickle.dumps(e))
    assert again == e and again.to_html() == e.to_html() and "data:image/png" in e.to_html()
    tinted = e.overlay("green")
    assert tinted.dtype == np.uint8 and tinted.shape[2] == 3 and np.array_equal(tinted, again.overlay(1))
    # Blue over what is green, and not over the rest.
    top, left = tinted.shape[0] // 2, tinted.shape[1] * 2 // 3
    blue = tinted[..., 2].astype(int) - tinted[..., 0]
    assert blue[:top, left:].mean() > 50 > abs(blue[top:, :left].mean())
    with pytest.raises(ValueError, match="no picture is known"):
        lipex.Explanation.from_json(e.to_json()).overlay()


BACKGROUND = np.array([[20.0, 0.0, 5.0], [40.0, 1.0, 5.0], [60.0, 0.0, 5.0], [30.0, 1.0, 5.0]])


def old(rows):
    p = np.asarray(rows, dtype=float)[:, 0] / 100
    return np.stack([1 - p, p], axis=1)


def test_a_row():
    e = lipex.explain_table(
        [80.0, 1.0, 5.0], old, background=BACKGROUND, columns=["age", "member", "same"], class_names=["no", "yes"],
        preset="kernel-shap",
    )  # fmt: skip
    shares = dict(e.as_list("yes"))
    # .8 less the mean of the background's.
    assert abs(shares["age = 80"] - (0.8 - 0.375)) < 1e-6
    assert all(abs(value) < 1e-6 for name, value in shares.items() if name != "age = 80")
    assert e.settings["reference"] == "sample:100"
    mean = lipex.explain_table([80.0, 1.0, 5.0], old, background=BACKGROUND, reference="mean", preset="kernel-shap")
    assert abs(dict(mean.as_list(1))["x0 = 80"] - (0.8 - 0.375)) < 1e-6


def test_rows_of_every_kind():
    pandas = pytest.importorskip("pandas")
    columns = ["age", "town"]
    frame = pandas.DataFrame({"age": [20, 40, 60], "town": ["Ulm", "Bonn", "Ulm"]})
    seen = []

    def model(rows):
        seen.append(rows)
        p = rows["age"].to_numpy() / 100 + (rows["town"] == "Bonn").to_numpy() * 0.1
        return np.stack([1 - p, p], axis=1)

    row = frame.iloc[1]
    e = lipex.explain_table(row, model, background=frame.drop(index=1))
    assert list(seen[0].columns) == columns and seen[0]["age"].dtype == frame["age"].dtype
    assert e.features == ["age = 40", "town = Bonn"] and e.as_list(1)[1][1] != 0

    def lists(rows):
        p = np.array([r["age"] / 100 + (r["town"] == "Bonn") * 0.1 for r in rows])
        return np.stack([1 - p, p], axis=1)

    table = {"age": [20, 60], "town": ["Ulm", "Ulm"]}
    same = lipex.explain_table({"town": "Bonn", "age": 40}, lists, background=table)
    assert same == e
    arrays = lipex.explain_table(
        [40, "Bonn"], lambda rows: lists([dict(zip(columns, r)) for r in rows]), columns=columns,
        background=np.array([[20, "Ulm"], [60, "Ulm"]], dtype=object),
    )  # fmt: skip
    assert arrays == e


def test_missing_values():
    seen = []

    def model(rows):
        seen.append(rows)
        return old(np.nan_to_num(rows, nan=50.0))

    lipex.explain_table([80.0, np.nan], model, background=[[20.0, 1.0], [None, 2.0]])
    assert any(np.isnan(rows).any() for rows in seen) and seen[0].dtype == np.float64


def test_rows_that_are_none():
    for wrong, told in (
        (dict(row=[1.0]), "values of row 0|x0|column"),
        (dict(background=[]), "a table without values"),
        (dict(reference="zero"), "reference = zero"),
    ):
        given = {"row": [80.0, 1.0], "background": [[20.0, 1.0], [30.0, 0.0]], "reference": None, **wrong}
        with pytest.raises(ValueError, match=told):
            lipex.explain_table(given["row"], old, background=given["background"], reference=given["reference"])
    with pytest.raises(ValueError, match="no column 'town'"):
        lipex.explain_table({"age": 3}, old, background={"age": [3], "town": ["Ulm"]})
