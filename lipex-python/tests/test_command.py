"""The package says what the command says, to the bit."""

import sys

import numpy as np
import pytest
from conftest import HERE, ROOT, without_times
from model import NAMES, TEXT, predict

import lipex

PROGRAM = f"command:{sys.executable} {HERE / 'model.py'}"
DEMO = "I was so happy until the rain came and spoilt the party, and then I was not happy"


def options(settings):
    """Keywords as the command's options."""
    line = []
    for name, value in settings.items():
        line += [f"--{name.rstrip('_').replace('_', '-')}"] + ([] if value is True else [str(value)])
    return line


SETTINGS = [
    *[{"preset": name} for name in ("lipex", "paper", "lime", "authors", "kernel-shap")],
    *[{"unit": unit} for unit in ("word", "occurrence", "sentence")],
    {"divergence": "kl", "seed": 3, "unit": "occurrence", "samples": 500},
    {"uncertainty": True, "seed": 5, "samples": 300},
    {"adaptive": True, "settled": "2:0.2"},
    {"pairs": 3, "intercept": "fitted", "lambda_": 0.001, "threads": 2},
    {"removed": "mask:_", "split": "lime", "surrogate": "ridge", "select": "highest:4"},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_texts(command, settings):
    by_command = command("text", DEMO, *options(settings))
    assert without_times(lipex.explain_text(DEMO, "demo", **settings).to_json()) == by_command


@pytest.mark.parametrize("settings", [{}, {"preset": "lime", "seed": 2}, {"unit": "sentence"}], ids=str)
def test_callables(command, settings):
    by_command = command("text", TEXT, "--model", PROGRAM, *options(settings))
    e = lipex.explain_text(TEXT, predict, class_names=NAMES, **settings)
    assert without_times(e.to_json()) == by_command


def test_flips(command):
    by_command = command("text", DEMO, "--flip-to", "sadness")
    e = lipex.explain_text(DEMO, "demo", flip_to="sadness")
    assert without_times(e.to_json()) == by_command
    assert e.flip.remove is None or e.flip.model[e.class_index("sadness")] == by_command["flip"]["model"][5]
    again = lipex.explain_text(DEMO, "demo", flip_to=e.class_index("sadness"))
    assert again == e


def test_folders(command):
    folder = ROOT / "examples/models/emotions"
    text = "I was so happy until the rain came"
    e = lipex.explain_text(text, f"onnx:{folder}", samples=200)
    assert without_times(e.to_json()) == command("text", text, "--model", f"onnx:{folder}", "--samples", "200")


def test_images(command):
    matplotlib = pytest.importorskip("matplotlib.image")
    folder, digit = ROOT / "examples/models/digits", ROOT / "examples/models/digits/3.png"
    pixels = matplotlib.imread(digit)
    pixels = (np.atleast_3d(pixels)[..., :3] * 255).round().astype(np.uint8)
    pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    e = lipex.explain_image(pixels, f"onnx:{folder}", segments="grid:8x8", baseline="black", samples=200)
    line = ("--segments", "grid:8x8", "--baseline", "black", "--model", f"onnx:{folder}", "--samples", "200")
    assert without_times(e.to_json()) == command("image", str(digit), *line)


def test_tables(command):
    iris = ROOT / "examples/models/iris"
    lines = (iris / "iris.csv").read_text().splitlines()
    columns = lines[0].split(",")[:4]
    rows = np.array([[float(v) for v in line.split(",")[:4]] for line in lines[1:]])
    background = np.delete(rows, 70, axis=0)
    e = lipex.explain_table(rows[70], f"onnx:{iris}", background=background, columns=columns)
    by_command = command(
        "tabular", str(iris / "iris.csv"), "--row", "70", "--ignore-columns", "iris", "--model", f"onnx:{iris}"
    )
    assert without_times(e.to_json()) == by_command
