"""ONNX Runtime on the weights of a fitted skrnn model."""

import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper

ORDER = {"rnn": (0,), "gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}  # ONNX's order of gates
OPTIONS = {"rnn": {}, "gru": {"linear_before_reset": 1}, "lstm": {}}


class OnnxTwin:
    """An ONNX graph of one recurrent layer and a linear head.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
    weights : dict of str to ndarray
        The `weights_` of a skrnn model.
    threads : int
    """

    def __init__(self, cell, weights, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            _model(cell, weights).SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )

    def scores(self, X):
        """Raw scores of the sequences in a 3-D array."""
        return self.session.run(["scores"], {"X": X})[0]

    def predict(self, X):
        """The class of each sequence in a 3-D array."""
        return self.scores(X).argmax(1)


def _model(cell, weights):
    """Transpose, recurrent layer, head; the runtime wants the steps first."""
    units, n_features = (
        weights["weight_hh_l0"].shape[1],
        weights["weight_ih_l0"].shape[1],
    )
    values = {
        "W": _reordered(cell, weights["weight_ih_l0"])[None],
        "R": _reordered(cell, weights["weight_hh_l0"])[None],
        "B": np.concatenate(
            [_reordered(cell, weights[f"bias_{k}_l0"]) for k in ("ih", "hh")]
        )[None],
        "head_weight": weights["head_weight"],
        "head_bias": weights["head_bias"],
        "axis": np.array([0]),
    }
    nodes = [
        helper.make_node("Transpose", ["X"], ["steps"], perm=[1, 0, 2]),
        helper.make_node(
            cell.upper(),
            ["steps", "W", "R", "B"],
            ["", "last"],
            hidden_size=units,
            **OPTIONS[cell],
        ),
        helper.make_node("Squeeze", ["last", "axis"], ["states"]),
        helper.make_node(
            "Gemm", ["states", "head_weight", "head_bias"], ["scores"], transB=1
        ),
    ]
    real = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        cell,
        [helper.make_tensor_value_info("X", real, ["batch", "steps", n_features])],
        [helper.make_tensor_value_info("scores", real, ["batch", None])],
        [numpy_helper.from_array(v.copy(), name) for name, v in values.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    checker.check_model(model)
    return model


def _reordered(cell, stacked):
    """Rows of the gates in ONNX's order; skrnn stacks them as PyTorch does."""
    gates = np.split(stacked, len(ORDER[cell]))
    return np.concatenate([gates[k] for k in ORDER[cell]])
