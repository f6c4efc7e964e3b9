"""The smallest net that reads a trait off a picture, in the form of the starter pack's."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 4


def trait_net(folder, name, gemm=True):
    """Write a net and its card into *folder*.

    Features are the mean colour; the list "colour" reads which channel is the strongest. *gemm*: whether the
    last layer is one node or a product and a sum.
    """
    pool = helper.make_node("GlobalAveragePool", ["image"], ["pooled"])
    flat = helper.make_node("Flatten", ["pooled"], ["mixed"])
    last = (
        [helper.make_node("Gemm", ["mixed", "weight"], ["colour"])]
        if gemm
        else [
            helper.make_node("MatMul", ["mixed", "weight"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["colour"]),
        ]
    )
    graph = helper.make_graph(
        [pool, flat, *last],
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("colour", TensorProto.FLOAT, ["n", 3])],
        [
            numpy_helper.from_array(np.eye(3, dtype=np.float32), "weight"),
            numpy_helper.from_array(np.zeros(3, np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / f"{name}.onnx")
    card = {"crop": {"size_px": SIDE}, "labels": {"colour": ["red", "green", "blue"]}}
    (folder / f"{name}.json").write_text(json.dumps(card))
