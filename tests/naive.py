"""A slow and obvious recurrent network: the oracle of the numerical tests.

It is written from the papers' equations and shares no code with skrnn: one sequence at
a time, one step at a time, nothing packed. Parameters are a dict by PyTorch's names.

All of it also takes complex numbers, which gives derivatives that are exact to the last
digits: for real x and v, ``f(x + 1e-30j * v).imag / 1e-30`` is the derivative of f at x
along v, without a difference that could cancel (Squire and Trapp, 1998).
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.where(a.real > 0, a, 0)


def gates(p, kind, v, n_gates):
    """The `n_gates` pre-activations that v gives through ``weight_{kind}``."""
    return np.split(p[f"weight_{kind}"] @ v + p[f"bias_{kind}"], n_gates)


# A step maps a layer's parameters p, the input x of a step, the state before it and the
# factors `mask` of the recurrent input to the state after it. The state is a list whose
# first entry is the output h.


def elman(f):
    def step(p, x, state, mask):
        (h,) = state
        (from_x,), (from_h,) = gates(p, "ih", x, 1), gates(p, "hh", mask * h, 1)
        return [f(from_x + from_h)]

    return step


def lstm(p, x, state, mask):
    h, c = state
    x_i, x_f, x_g, x_o = gates(p, "ih", x, 4)
    h_i, h_f, h_g, h_o = gates(p, "hh", mask * h, 4)
    i, f, o = sigmoid(x_i + h_i), sigmoid(x_f + h_f), sigmoid(x_o + h_o)
    c = f * c + i * np.tanh(x_g + h_g)
    return [o * np.tanh(c), c]


def peephole_lstm(p, x, state, mask):
    h, c_before = state
    x_i, x_f, x_g, x_o = gates(p, "ih", x, 4)
    h_i, h_f, h_g, h_o = gates(p, "hh", mask * h, 4)
    i = sigmoid(x_i + h_i + p["weight_p_i"] * c_before)
    f = sigmoid(x_f + h_f + p["weight_p_f"] * c_before)
    c = f * c_before + i * np.tanh(x_g + h_g)
    o = sigmoid(x_o + h_o + p["weight_p_o"] * c)
    return [o * np.tanh(c), c]


def gru(p, x, state, mask):
    (h,) = state
    x_r, x_z, x_n = gates(p, "ih", x, 3)
    h_r, h_z, h_n = gates(p, "hh", mask * h, 3)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return [(1 - z) * n + z * h]


def mingru(p, x, state, mask):
    (h,) = state
    x_z, candidate = gates(p, "ih", x, 2)
    z = sigmoid(x_z)
    return [(1 - z) * h + z * candidate]


def indrnn(f):
    def step(p, x, state, mask):
        (h,) = state
        (from_x,) = gates(p, "ih", x, 1)
        return [f(from_x + p["weight_u"] * h)]

    return step


STEPS = {
    ("rnn", "tanh"): elman(np.tanh),
    ("rnn", "relu"): elman(relu),
    ("lstm", "tanh"): lstm,
    ("peephole_lstm", "tanh"): peephole_lstm,
    ("gru", "tanh"): gru,
    ("mingru", "tanh"): mingru,
    ("indrnn", "tanh"): indrnn(np.tanh),
    ("indrnn", "relu"): indrnn(relu),
}


def step_of_algebra(forward, n_x_gates, n_h_gates, unit_vectors):
    """The step of a cell that has no equations here, from its own `forward`."""

    def step(p, x, state, mask):
        ax = gates(p, "ih", x, n_x_gates)
        ah = gates(p, "hh", mask * state[0], n_h_gates) if n_h_gates else []
        unit = [p[f"weight_{name}"] for name in unit_vectors]
        return list(forward(tuple(ax), tuple(ah), tuple(state), tuple(unit))[0])

    return step


class NaiveNetwork:
    """Levels of recurrent layers, a pooling and a linear head.

    With parameters "embedding" the sequences are ids of its rows.

    Parameters
    ----------
    step : callable
        See `STEPS`.
    n_carried : int
        Arrays in the state of a layer.
    hidden_layer_sizes : tuple of int
    bidirectional : bool
    pooling : {"last", "mean", "max", "attention", "steps"}
    bptt_steps : int or None
        Derivatives do not cross the borders of chunks of that many steps: the state
        carried over a border is a constant.
    """

    def __init__(
        self, step, n_carried, hidden_layer_sizes, bidirectional, pooling, bptt_steps
    ):
        self.step = step
        self.n_carried = n_carried
        self.hidden_layer_sizes = hidden_layer_sizes
        self.directions = ["", "_reverse"] if bidirectional else [""]
        self.pooling = pooling
        self.bptt_steps = bptt_steps

    def zero_state(self):
        """State of one sequence before its first step: a list for each layer."""
        return [
            [np.zeros(n_units) for _ in range(self.n_carried)]
            for n_units in self.hidden_layer_sizes
            for _ in self.directions
        ]

    def no_masks(self):
        """Masks that change nothing."""
        n_levels = len(self.hidden_layer_sizes)
        return {
            "between": [1.0] * n_levels,
            "recurrent": [1.0] * (n_levels * len(self.directions)),
            "head": 1.0,
        }

    def raw_scores(self, p, sequences, masks=None):
        """Raw scores of some sequences, (n_sequences, K), or of their steps."""
        masks = masks or [self.no_masks() for _ in sequences]
        if "embedding" in p:
            sequences = [p["embedding"][ids[:, 0]] for ids in sequences]
        scores = [
            (mask["head"] * self.pool(p, x, mask)) @ p["head_weight"].T + p["head_bias"]
            for x, mask in zip(sequences, masks, strict=True)
        ]
        return np.concatenate(scores) if self.pooling == "steps" else np.array(scores)

    def pool(self, p, x, masks):
        """What the head reads, (F,), or (T, F) to answer each step."""
        outputs, state = self.run(p, x, self.zero_state(), masks)
        if self.pooling == "steps":
            return outputs
        if self.pooling == "mean":
            return sum(outputs) / len(outputs)
        if self.pooling == "max":
            top = outputs.real.argmax(axis=0)
            return np.array([outputs[t, f] for f, t in enumerate(top)])
        if self.pooling == "attention":
            return attention(p, outputs) @ outputs
        return self.last_output(state)

    def last_output(self, state):
        """Final outputs of the top level's layers side by side, (F,)."""
        return np.concatenate([layer[0] for layer in state[-len(self.directions) :]])

    def run(self, p, x, state, masks):
        """Outputs of the top level (T, F) and the final state, for one sequence."""
        size = self.bptt_steps or len(x)
        outputs = []
        for start in range(0, len(x), size):
            if start > 0:
                state = [[part.real for part in layer] for layer in state]
            chunk, state = self.run_levels(p, x[start : start + size], state, masks)
            outputs.append(chunk)
        return np.concatenate(outputs), state

    def run_levels(self, p, x, state, masks):
        final = []
        for level in range(len(self.hidden_layer_sizes)):
            x = [row * masks["between"][level] for row in x]
            columns = []
            for direction in self.directions:
                k = len(final)
                outputs, last = self.run_layer(
                    layer_parameters(p, f"_l{level}{direction}"),
                    x[::-1] if direction else x,
                    state[k],
                    masks["recurrent"][k],
                )
                columns.append(outputs[::-1] if direction else outputs)
                final.append(last)
            x = np.concatenate(columns, axis=1)
        return x, final

    def run_layer(self, p, x, state, mask):
        outputs = []
        for row in x:
            state = self.step(p, row, state, mask)
            outputs.append(state[0])
        return np.array(outputs), state


def attention(p, outputs):
    """Weight of each step in attention pooling, (T,)."""
    scores = np.array(
        [
            p["attention_score_weight"]
            @ np.tanh(p["attention_weight"] @ h + p["attention_bias"])
            for h in outputs
        ]
    )
    weights = np.exp(scores)
    return weights / weights.sum()


def layer_parameters(p, suffix):
    """Parameters of one layer, named without the suffix."""
    return {
        name.removesuffix(suffix): array
        for name, array in p.items()
        if name.endswith(suffix)
    }


def derivative(f, x, v):
    """Derivative of the real-valued f at x along v, exact to rounding."""
    return f(x + 1e-30j * v).imag / 1e-30


def gradient(f, x):
    """Gradient of the real-valued f at the vector x, entry by entry."""
    return np.array([derivative(f, x, v) for v in np.eye(x.size)])
