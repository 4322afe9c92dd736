"""Trains the small classifier of rows `iris/`: which of three irises has such sepals and petals.

    pip install -r examples/models/requirements.txt
    python examples/models/train_iris.py

The data are scikit-learn's `load_iris` (Fisher, 1936; public domain). Writes model.onnx (one input of four numbers a row),
config.json and iris.csv, the whole table with its answers; prints how often it is right on a fifth that the training has not seen.
"""

import csv
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

OUT = Path(__file__).parent / "iris"
COLUMNS = ["sepal length", "sepal width", "petal length", "petal width"]


def main():
    data = load_iris()
    names = [str(name) for name in data.target_names]
    train, test, y_train, y_test = train_test_split(data.data, data.target, test_size=0.2, random_state=0)
    scaler = StandardScaler().fit(train)
    net = MLPClassifier((8,), alpha=1e-2, max_iter=3000, random_state=0).fit(scaler.transform(train), y_train)
    weights = {"mean": scaler.mean_, "scale": scaler.scale_, "w1": net.coefs_[0], "b1": net.intercepts_[0],
               "w2": net.coefs_[1], "b2": net.intercepts_[1]}
    nodes = [
        helper.make_node("Sub", ["row", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "w1", "b1"], ["h1"]),
        helper.make_node("Relu", ["h1"], ["h2"]),
        helper.make_node("Gemm", ["h2", "w2", "b2"], ["logits"]),
    ]
    made = helper.make_graph(
        nodes, "iris", [helper.make_tensor_value_info("row", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    OUT.mkdir(exist_ok=True)
    onnx.save(model, OUT / "model.onnx")
    config = {"model_type": "iris", "id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}}
    (OUT / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    with open(OUT / "iris.csv", "w", newline="", encoding="utf-8") as f:
        write = csv.writer(f, lineterminator="\n")
        write.writerow(COLUMNS + ["iris"])
        write.writerows([*map(float, row), names[y]] for row, y in zip(data.data, data.target))
    session = onnxruntime.InferenceSession(OUT / "model.onnx")
    run = lambda rows: session.run(None, {"row": rows.astype(np.float32)})[0]
    print("unseen", round(float((run(test).argmax(1) == y_test).mean()), 4))
    logits = lambda i: [round(float(x), 5) for x in run(data.data[i:i + 1])[0]]
    expected = [{"row": i, "values": [*map(float, data.data[i])], "logits": logits(i)} for i in (0, 70, 149)]
    (OUT / "expected.json").write_text(json.dumps({"made_with": f"onnxruntime {onnxruntime.__version__}", "rows": expected}, indent=1) + "\n")


main()
