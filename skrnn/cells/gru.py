"""Gated recurrent unit."""

from skrnn.cells.algebra import sigmoid, tanh
from skrnn.cells.base import Cell


class GRU(Cell):
    """Gated recurrent unit, with the reset gate after the product.

    ::

        r = sigmoid(W_ir x_t + b_ir + W_hr h_(t-1) + b_hr)    reset gate
        z = sigmoid(W_iz x_t + b_iz + W_hz h_(t-1) + b_hz)    update gate
        n = tanh(W_in x_t + b_in + r (W_hn h_(t-1) + b_hn))   candidate
        h_t = (1 - z) n + z h_(t-1)

    Cho et al. reset the state before the product, ``W_hn (r h_(t-1))``. Resetting
    after it, as here and in cuDNN, lets one product serve all gates.

    References
    ----------
    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", EMNLP 2014.
    """

    x_gates = h_gates = ("r", "z", "n")
    taped = ("r", "z", "n", "ah_n")

    @staticmethod
    def forward(ax, ah, carry, unit):
        r = sigmoid(ax[0] + ah[0])
        z = sigmoid(ax[1] + ah[1])
        n = tanh(ax[2] + r * ah[2])
        return (n + z * (carry[0] - n),), (r, z, n, ah[2])

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        dh = d_carry[0]
        r, z, n, ah_n = tape
        da_n = dh * (1.0 - z) * (1.0 - n * n)
        da_r = da_n * ah_n * r * (1.0 - r)
        da_z = dh * (carry[0] - n) * z * (1.0 - z)
        return (da_r, da_z, da_n), (da_r, da_z, da_n * r), (dh * z,), ()
