"""Writes operators.json: tiny graphs, an operator each, with inputs and what onnxruntime makes of them.

    pip install onnx onnxruntime numpy
    python operators.py
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(17)
cases = []


def number(*shape, low=-2.0, high=2.0):
    return rng.uniform(low, high, shape).astype(np.float32)


def whole(*values):
    return np.array(values, dtype=np.int64)


def case(operator, inputs, constants=None, opset=18, name="", outputs=1, **attributes):
    """One node; `inputs` are fed, `constants` (by position) are initialisers, None is left out."""
    constants = constants or {}
    names, initialisers, fed = [], [], {}
    values = list(inputs)
    for position, value in sorted(constants.items()):
        values.insert(position, ("constant", value))
    for i, value in enumerate(values):
        if value is None:
            names.append("")
        elif isinstance(value, tuple):
            names.append(f"c{i}")
            initialisers.append(numpy_helper.from_array(np.asarray(value[1]), f"c{i}"))
        else:
            names.append(f"x{i}")
            fed[f"x{i}"] = np.asarray(value)
    made = ["y"] + [f"y{i}" for i in range(1, outputs)]
    node = helper.make_node(operator, names, made, name="/it", **attributes)
    kinds = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}
    ports = [helper.make_tensor_value_info(n, kinds[str(v.dtype)], list(v.shape)) for n, v in fed.items()]
    nodes, last = [node], "y"
    if outputs > 1:
        last = made[-1]
    graph = helper.make_graph(nodes, "g", ports, [onnx.ValueInfoProto(name=last)], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    found = onnxruntime.InferenceSession(model.SerializeToString()).run([last], fed)[0]
    tell = lambda v: {
        "shape": list(v.shape),
        "whole": v.dtype != np.float32,
        "values": [float(x) if v.dtype == np.float32 else int(x) for x in v.ravel()],
    }
    cases.append(
        {
            "name": f"{operator} {name}".strip(),
            "operator": operator,
            "onnx": model.SerializeToString().hex(),
            "inputs": {n: tell(v) for n, v in fed.items()},
            "output": last,
            "value": tell(found),
        }
    )


for operator in ["Add", "Sub", "Mul", "Div"]:
    case(operator, [number(2, 3, 4), number(3, 1, low=0.5)], name="repeated")
    case(operator, [number(2, 3), number(2, 3, low=0.5)], name="alike")
    case(operator, [whole(7, -8, 9), whole(2, 3, -4)], name="whole")
case("Pow", [number(2, 3, low=0.2)], {1: np.float32(2.0)}, name="square")
case("Pow", [number(2, 3, low=0.2)], {1: np.float32(1.7)})
case("Min", [number(2, 3), number(3)])
case("Max", [number(2, 3), number(3), number(2, 1)])
for operator in ["Exp", "Neg", "Abs", "Erf", "Tanh", "Sigmoid", "Softplus", "Relu", "LeakyRelu"]:
    case(operator, [number(2, 5, low=-3.0, high=3.0)])
for operator in ["Sqrt", "Log"]:
    case(operator, [number(2, 5, low=0.1)])
case("LeakyRelu", [number(7)], alpha=0.3, name="steeper")
case("HardSigmoid", [number(9, low=-4.0, high=4.0)])
case("HardSwish", [number(9, low=-5.0, high=5.0)])
case("Clip", [number(9, low=-4.0, high=9.0)], {1: np.float32(0.0), 2: np.float32(6.0)})
case("Clip", [number(9)], opset=6, min=-0.5, max=0.7, name="old")
case("Clip", [number(9), None], {2: np.float32(0.3)}, name="one bound")
case("Gelu", [number(2, 5, low=-3.0, high=3.0)], opset=20)
case("Gelu", [number(2, 5, low=-3.0, high=3.0)], opset=20, approximate="tanh", name="tanh")
case("Where", [number(2, 3) > 0, number(2, 3), number(3)])
case("MatMul", [number(2, 3), number(3, 4)])
case("MatMul", [number(5, 2, 3), number(3, 4)], name="one matrix")
case("MatMul", [number(2, 1, 2, 3), number(5, 3, 4)], name="batches")
case("MatMul", [number(3), number(2, 3, 4)], name="vector left")
case("MatMul", [number(2, 3, 4), number(4)], name="vector right")
case("Gemm", [number(2, 3), number(3, 4), number(4)], alpha=0.7, beta=1.3)
case("Gemm", [number(3, 2), number(4, 3), number(2, 1)], transA=1, transB=1, name="turned")
case("Gemm", [number(2, 3), number(3, 4)], name="no sum")
case("Conv", [number(2, 3, 5, 6), number(4, 3, 3, 2), number(4)])
case("Conv", [number(1, 4, 6, 5), number(6, 2, 3, 3)], group=2, strides=[2, 1], pads=[0, 1, 2, 1], name="groups")
case("Conv", [number(1, 3, 6, 7), number(3, 1, 3, 3), number(3)], group=3, strides=[2, 2], pads=[0, 0, 1, 1], name="depthwise")
case("Conv", [number(1, 2, 5, 5), number(4, 1, 3, 3)], group=2, pads=[1, 1, 1, 1], name="depthwise twice")
case("Conv", [number(1, 3, 4, 5), number(2, 3, 1, 1), number(2)], name="one pixel")
case("Conv", [number(1, 3, 4, 5), number(2, 3, 1, 1)], strides=[2, 2], name="one pixel in steps")
case("Conv", [number(1, 2, 9, 9), number(3, 2, 3, 3)], dilations=[2, 3], name="dilated")
case("Conv", [number(2, 3, 9), number(4, 3, 3), number(4)], pads=[2, 0], strides=[2], name="one axis")
case("Conv", [number(1, 2, 6, 5), number(3, 2, 3, 2)], auto_pad="SAME_UPPER", strides=[2, 2], name="same")
case("MaxPool", [number(1, 2, 5, 6)], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
case("MaxPool", [number(1, 2, 6, 6)], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, name="up")
case("MaxPool", [number(2, 2, 7)], kernel_shape=[2], strides=[2], name="one axis")
case("AveragePool", [number(1, 2, 5, 6)], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
case("AveragePool", [number(1, 2, 5, 6)], kernel_shape=[3, 2], pads=[1, 1, 1, 1], count_include_pad=1, name="padded")
case("GlobalAveragePool", [number(2, 3, 4, 5)])
for operator in ["ReduceSum", "ReduceMean", "ReduceMax"]:
    case(operator, [number(2, 3, 4)], {} if operator != "ReduceSum" else {1: whole(1)}, opset=13, name="older",
         **({"axes": [1]} if operator != "ReduceSum" else {}))
    case(operator, [number(2, 3, 4)], {1: whole(-1, 0)}, keepdims=0, name="dropped")
    case(operator, [number(2, 3)], name="all")
case("ReduceSum", [whole(3, 4, 5)], {1: whole(0)}, name="whole")
case("ArgMax", [number(2, 3, 4)], axis=1)
case("ArgMax", [number(2, 3)], axis=-1, keepdims=0, name="dropped")
case("Softmax", [number(2, 3, 4)])
case("Softmax", [number(2, 3, 4)], axis=1, name="middle")
case("Softmax", [number(2, 3, 2)], opset=11, axis=1, name="old")
case("LogSoftmax", [number(2, 3, 4)], axis=1)
case("LogSoftmax", [number(2, 3, 2)], opset=11, name="old")
case("Gather", [number(4, 3)], {1: whole(2, 0, -1)})
case("Gather", [number(2, 4, 3)], {1: np.array([[1, 3], [0, 1]])}, axis=1, name="middle")
case("Slice", [number(5, 6)], {1: whole(1, -4), 2: whole(4, 10**9), 3: whole(0, 1)})
case("Slice", [number(5, 6)], {1: whole(-1, 0), 2: whole(-(10**9), 5), 3: whole(0, 1), 4: whole(-2, 3)}, name="steps")
case("Slice", [number(5, 6)], opset=9, starts=[1], ends=[3], axes=[1], name="old")
case("Concat", [number(2, 3), number(2, 1), number(2, 2)], axis=1)
case("Concat", [whole(1, 2), whole(3)], axis=0, name="whole")
case("Reshape", [number(2, 3, 4)], {1: whole(0, -1, 2)})
case("Flatten", [number(2, 3, 4)], axis=2)
case("Squeeze", [number(2, 1, 3, 1)], {1: whole(-1)})
case("Squeeze", [number(2, 1, 3, 1)], name="all")
case("Unsqueeze", [number(2, 3)], {1: whole(0, -1)})
case("Unsqueeze", [number(2, 3)], opset=11, axes=[1], name="old")
case("Transpose", [number(2, 3, 4)], perm=[1, 2, 0])
case("Transpose", [number(2, 3)], name="all")
case("Expand", [number(3, 1)], {1: whole(2, 1, 4)})
case("Pad", [number(2, 3)], {1: whole(1, 0, 0, 2), 2: np.float32(0.5)})
case("Pad", [number(2, 5)], {1: whole(0, 3, 0, 2)}, mode="reflect", name="reflected")
case("Pad", [number(2, 3)], {1: whole(0, 2, 1, -1)}, mode="edge", name="edge")
case("Cast", [whole(1, 0, 3)], to=TensorProto.FLOAT)
case("Cast", [number(4)], to=TensorProto.INT64, name="whole")
case("Cast", [number(4)], to=TensorProto.FLOAT, name="same")
case("Identity", [number(2, 3)])
case("Dropout", [number(2, 3)])
case("Shape", [number(2, 3, 4)])
case("Shape", [number(2, 3, 4)], start=1, end=-1, name="part")
case("Range", [np.array(2, dtype=np.int64), np.array(11, dtype=np.int64), np.array(3, dtype=np.int64)])
case("Equal", [whole(1, 2, 3), whole(2)])
case("Less", [number(2, 3), number(3)])
case("Greater", [whole(1, 2, 3), whole(2)])
case("Not", [number(4) > 0])
case("And", [number(2, 3) > 0, number(3) > 0])
case("Or", [number(2, 3) > 0, number(3) > 0])
case("ConstantOfShape", [whole(2, 3)], value=numpy_helper.from_array(np.array([1.5], dtype=np.float32)))
case("Trilu", [number(2, 3, 4)], {1: np.array(1, dtype=np.int64)})
case("Trilu", [number(3, 3)], upper=0, name="lower")
case("LayerNormalization", [number(2, 3, 4), number(4), number(4)])
case("LayerNormalization", [number(2, 3, 4), number(3, 4)], axis=1, epsilon=0.1, name="two axes")
case("BatchNormalization", [number(2, 3, 4, 2)], {i: number(3, low=0.3) for i in range(1, 5)})
case("BatchNormalization", [number(2, 3)], {i: number(3, low=0.3) for i in range(1, 5)}, name="rows")
case("Split", [number(2, 7)], {1: whole(2, 4, 1)}, axis=1, outputs=3)
case("Split", [number(2, 6)], axis=1, outputs=3, opset=13, name="even")
case("Constant", [], value=numpy_helper.from_array(number(2, 2)))

case("AveragePool", [number(1, 2, 6, 6)], kernel_shape=[4, 4], strides=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1, ceil_mode=1,
     opset=19, name="padded, beyond")
case("Clip", [number(9)], {1: np.float32(0.9), 2: np.float32(-0.4)}, name="crossed bounds")

Path(__file__).with_name("operators.json").write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")
print(len(cases), "cases")
