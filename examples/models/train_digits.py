"""Trains the small image classifier `digits/`: which digit a picture of 8×8 grey pixels shows.

    pip install -r examples/models/requirements.txt
    python examples/models/train_digits.py

The data are scikit-learn's `load_digits` (UCI; CC BY 4.0). Writes model.onnx, config.json, preprocessor_config.json,
expected.json (what onnxruntime and Pillow say of some pictures) and those pictures, enlarged to 64×64; prints the accuracy
on a fifth of the data that the training has not seen.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

OUT = Path(__file__).parent / "digits"
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def numbers(pictures):
    """0 … 255 as the graph takes them."""
    return (pictures.astype(np.float32) / 255 - 0.5) / 0.5


def main():
    data = load_digits()
    pictures = np.round(data.images * 255 / 16).astype(np.uint8)
    train, test, y_train, y_test = train_test_split(pictures, data.target, test_size=0.2, random_state=0)
    net = MLPClassifier((32,), alpha=1e-2, max_iter=400, random_state=0)
    net.fit(numbers(train).reshape(len(train), 64), y_train)
    weights = {"w1": net.coefs_[0], "b1": net.intercepts_[0], "w2": net.coefs_[1], "b2": net.intercepts_[1]}
    nodes = [
        helper.make_node("Flatten", ["pixel_values"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w1", "b1"], ["h1"]),
        helper.make_node("Relu", ["h1"], ["h2"]),
        helper.make_node("Gemm", ["h2", "w2", "b2"], ["logits"]),
    ]
    made = helper.make_graph(
        nodes, "digits", [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    OUT.mkdir(exist_ok=True)
    onnx.save(model, OUT / "model.onnx")
    config = {"model_type": "digits", "id2label": dict(enumerate(NAMES)), "label2id": {n: i for i, n in enumerate(NAMES)}}
    (OUT / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    # 4 is Pillow's box: enlarged pixels come back as they were.
    how = {"do_resize": True, "size": {"height": 8, "width": 8}, "resample": 4, "do_rescale": True,
           "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5], "image_std": [0.5]}
    (OUT / "preprocessor_config.json").write_text(json.dumps(how, indent=1) + "\n")
    session = onnxruntime.InferenceSession(OUT / "model.onnx")
    run = lambda p: session.run(None, {"pixel_values": numbers(p)[:, None]})[0]
    print("unseen", round(float((run(test).argmax(1) == y_test).mean()), 4))
    expected = []
    for digit in (3, 8):
        at = int(np.flatnonzero(y_test == digit)[0])
        large = Image.fromarray(test[at]).resize((64, 64), Image.NEAREST)
        large.save(OUT / f"{digit}.png", optimize=True)
        small = np.asarray(large.resize((8, 8), Image.BOX))
        expected.append({"file": f"{digit}.png", "logits": [round(float(x), 5) for x in run(small[None])[0]]})
    about = {"made_with": f"onnxruntime {onnxruntime.__version__} and Pillow {Image.__version__}", "pictures": expected}
    (OUT / "expected.json").write_text(json.dumps(about, indent=1) + "\n")


main()
