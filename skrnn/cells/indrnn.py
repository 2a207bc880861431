"""Independently recurrent network."""

from skrnn.cells.base import Cell
from skrnn.cells.rnn import ACTIVATIONS, bind_activation

activate, d_activate = ACTIVATIONS["tanh"]


class IndRNN(Cell):
    """Independently recurrent cell (Li et al., 2018).

    ::

        h_t = f(W_ih x_t + b_ih + u h_(t-1)),    f = tanh or relu

    Each unit sees its own past only, through one weight u. Units mix in the next
    layer: use two layers or more. The weights u start uniform in [0, 1], which spreads
    the units' memory over all time scales.

    Parameters
    ----------
    activation : {"tanh", "relu"}, default="tanh"
        The function f; the paper's deep networks use relu.

    References
    ----------
    S. Li, W. Li, C. Cook, C. Zhu and Y. Gao, "Independently recurrent neural network
    (IndRNN): building a longer and deeper RNN", CVPR 2018.
    """

    x_gates = ("a",)
    taped = ("h",)
    unit_vectors = ("u",)
    activations = ("tanh", "relu")

    def __init__(self, activation="tanh"):
        self.activation = activation

    def bindings(self):
        return bind_activation(self.activation)

    @staticmethod
    def forward(ax, ah, carry, unit):
        h = activate(ax[0] + unit[0] * carry[0])
        return (h,), (h,)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        da = d_activate(d_carry[0], tape[0])
        return (da,), (), (da * unit[0],), (da * carry[0],)

    def initial_unit_vector(self, rng, name, n_units):
        return rng.uniform(0.0, 1.0, n_units)
