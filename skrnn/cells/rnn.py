"""The simple recurrent network."""

import numpy as np

from skrnn.cells.algebra import relu, tanh
from skrnn.cells.base import Cell


def d_tanh(dh, h):
    """Gradient of the pre-activation, from the gradient dh of h = tanh(a)."""
    return dh - dh * h * h


def d_relu(dh, h):
    """Gradient of the pre-activation, from the gradient dh of h = max(a, 0)."""
    return dh if h > 0.0 else 0.0


ACTIVATIONS = {"tanh": (tanh, d_tanh), "relu": (relu, d_relu)}

activate, d_activate = ACTIVATIONS["tanh"]


def bind_activation(name):
    """The activation called `name` and its gradient, as a cell's bindings."""
    if name not in ACTIVATIONS:
        choices = ", ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"activation must be one of {choices}, got {name!r}.")
    return dict(zip(("activate", "d_activate"), ACTIVATIONS[name], strict=True))


class RNN(Cell):
    """Simple recurrent cell (Elman, 1990).

    ::

        h_t = f(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh),    f = tanh or relu

    With relu the recurrent weights start at the identity (Le, Jaitly and Hinton,
    2015), so that the state is first kept and then learnt to be changed.

    Parameters
    ----------
    activation : {"tanh", "relu"}, default="tanh"
        The function f.

    References
    ----------
    J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990.
    Q. V. Le, N. Jaitly and G. E. Hinton, "A simple way to initialize recurrent
    networks of rectified linear units", arXiv:1504.00941, 2015.
    """

    x_gates = h_gates = ("a",)
    taped = ("h",)
    additive = True
    activations = ("tanh", "relu")

    def __init__(self, activation="tanh"):
        self.activation = activation

    def bindings(self):
        return bind_activation(self.activation)

    @staticmethod
    def forward(ax, ah, carry, unit):
        h = activate(ax[0] + ah[0])
        return (h,), (h,)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        da = d_activate(d_carry[0], tape[0])
        return (da,), (da,), (0.0,), ()

    def initial_weight_hh(self, rng, n_units):
        if self.activation == "relu":
            return np.eye(n_units)
        return super().initial_weight_hh(rng, n_units)
