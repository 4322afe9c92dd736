"""Tables of explanations: the same rows however a table is cut. Skipped without pyarrow."""

import json
import pickle

import numpy as np
import pytest
from conftest import HERE, ROOT
from model import NAMES, predict

import lipex

pa = pytest.importorskip("pyarrow")
import lipex.batch  # noqa: E402

WORDS = "a wonderful film and moving not too long dreadful acting music story scene".split()
TEXTS = [" ".join(np.random.RandomState(i).choice(WORDS, 7)) for i in range(48)] + [None, "  "]
TABLE = pa.table({"id": list(range(50)), "text": TEXTS, "other": ["x"] * 50})


def make():
    return predict


@pytest.fixture(scope="module")
def explain():
    return lipex.batch.Explain(make, class_names=NAMES, samples=200)


@pytest.fixture(scope="module")
def whole(explain):
    return explain(TABLE)


def test_columns(whole):
    assert whole.column_names == ["id", *lipex.batch.schema().names]
    assert whole.schema.metadata == {b"lipex.schema": b"lipex.batch/1"}
    rows = whole.to_pylist()
    assert [row["id"] for row in rows] == list(range(50))
    failed = [row for row in rows if row["error"]]
    assert [row["id"] for row in failed] == [48, 49]
    assert failed[0]["error"] == "ValueError: the text is null" and "no words" in failed[1]["error"]
    assert all(value is None for row in failed for name, value in row.items() if name not in ("id", "error"))
    e = lipex.explain_text(TEXTS[3], predict, class_names=NAMES, samples=200)
    row = rows[3]
    assert row["explanation"] == e.to_json_canonical() and row["matrix"] == e.matrix.tolist()
    assert row["predicted"] == e.predicted_name and row["kept"] == e.kept and row["inputs"] == e.calls.inputs
    assert row["tv_unseen"] == e.fidelity.out_of_fold.tv and lipex.Explanation.from_json(row["explanation"]) == e


@pytest.mark.parametrize("pieces", [1, 4, 50])
def test_pieces_in_any_order_are_the_whole(explain, whole, pieces):
    order = np.random.RandomState(pieces).permutation(50)
    made = [explain(TABLE.take(part.tolist())) for part in np.array_split(order, pieces)]
    assert pa.concat_tables(made).sort_by("id") == whole


def test_kinds_of_tables(explain, whole):
    batch = TABLE.combine_chunks().to_batches()[0]
    assert pa.Table.from_batches([explain(batch)]) == whole
    assert explain(TABLE.to_pydict()) == whole
    arrays = {"id": np.arange(50), "text": np.array([np.nan if t is None else t for t in TEXTS], dtype=object)}
    assert explain(arrays) == whole
    pandas = pytest.importorskip("pandas")
    frame = explain(TABLE.to_pandas())
    assert isinstance(frame, pandas.DataFrame) and frame["explanation"][3] == whole["explanation"][3].as_py()
    assert explain(batch.slice(0, 0)).num_rows == 0 and explain(batch.slice(0, 0)).schema.names == whole.schema.names


def test_the_commands_rows(explain, whole, command, tmp_path):
    """`lipex batch` writes the same rows of the same model; the columns are docs/batch.md's."""
    import os
    import subprocess
    import sys

    own = os.environ.get("LIPEX") or next(
        str(p) for p in (ROOT / "target/debug/lipex", ROOT / "target/release/lipex") if p.is_file()
    )
    table, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    table.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in enumerate(TEXTS[:6])))
    program = f"command:{sys.executable} {HERE / 'model.py'}"
    line = [
        own,
        "batch",
        str(table),
        "--text-column",
        "text",
        "--id-column",
        "id",
        "--model",
        program,
        "--samples",
        "200",
        "-o",
        str(out),
    ]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(text) for text in out.read_text().splitlines()]
    for row in rows:
        assert row.pop("row") == row["id"]
    assert rows == whole.slice(0, 6).to_pylist()


def test_mistakes(explain):
    with pytest.raises(ValueError, match="no column 'text'; there are id"):
        explain(pa.table({"id": [1]}))
    with pytest.raises(TypeError, match="not one text"):
        lipex.batch.Explain(make, keep="id")
    with pytest.raises(ValueError, match="error is a column of the result"):
        lipex.batch.Explain(make, keep=["error"])
    with pytest.raises(TypeError, match="did you mean `samples`"):
        lipex.batch.Explain(make, sampels=3)
    with pytest.raises(TypeError, match="not list"):
        explain([1])


def test_spark_s_iterator_and_pickles(explain, whole):
    batches = TABLE.to_batches(max_chunksize=16)
    made = list(lipex.batch.spark(make, class_names=NAMES, samples=200)([*batches, batches[0].slice(0, 0)]))
    assert pa.Table.from_batches(made) == whole
    assert pickle.loads(pickle.dumps(explain))(TABLE.slice(0, 2)) == whole.slice(0, 2)


def test_spark_columns_are_the_schema():
    told = {"array<string>": pa.list_(pa.string()), "string": pa.string(), "array<int>": pa.list_(pa.int32()),
            "array<array<double>>": pa.list_(pa.list_(pa.float64())), "array<double>": pa.list_(pa.float64()),
            "double": pa.float64(), "int": pa.int32()}  # fmt: skip
    columns = [column.split(" ") for column in lipex.batch.SPARK.split(", ")]
    assert pa.schema([(name, told[kind]) for name, kind in columns]).equals(lipex.batch.schema())
