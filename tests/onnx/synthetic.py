"""Writes the tiny ONNX files of the tests beside this script: python3 tests/onnx/synthetic.py

Needs the packages onnx and numpy. The files are in the repository; run it only to change them.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

HERE = Path(__file__).parent
PHOTO = ["n", 3, "height", "width"]


def tensor(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def write(name, nodes, inputs, outputs, weights=(), known=True):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(weights))
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    if known:
        checker.check_model(model)
    save(model, HERE / f"{name}.onnx")


# 19 planes, one weight each: plane 0 sees blue, 1 red, 17 green, the others nothing.
weights = np.zeros((19, 3, 1, 1), np.float32)
weights[0, 2] = weights[1, 0] = weights[17, 1] = 4
write(
    "planes19",
    [helper.make_node("Conv", ["photo", "weights"], ["scores"], kernel_shape=[1, 1])],
    [tensor("photo", PHOTO)],
    [tensor("scores", ["n", 19, "height", "width"])],
    [numpy_helper.from_array(weights, "weights")],
)
# The logarithm of what is never positive.
write(
    "not_finite",
    [
        helper.make_node("Abs", ["photo"], ["size"]),
        helper.make_node("Neg", ["size"], ["below"]),
        helper.make_node("Log", ["below"], ["scores"]),
    ],
    [tensor("photo", PHOTO)],
    [tensor("scores", PHOTO)],
)
# Three numbers for a photo, and a second output with a name.
write(
    "flat",
    [
        helper.make_node("GlobalAveragePool", ["photo"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["numbers"]),
    ],
    [tensor("photo", [1, 3, 16, 16])],
    [tensor("numbers", [1, 3]), tensor("mean", [1, 3, 1, 1])],
)
write(
    "unknown_operator",
    [helper.make_node("Frobnicate", ["photo"], ["scores"])],
    [tensor("photo", PHOTO)],
    [tensor("scores", PHOTO)],
    known=False,
)
write(
    "two_inputs",
    [helper.make_node("Add", ["photo", "more"], ["scores"])],
    [tensor("photo", PHOTO), tensor("more", PHOTO)],
    [tensor("scores", PHOTO)],
)
