"""Long short-term memory whose gates see the memory cell."""

from skrnn.cells.algebra import sigmoid, tanh
from skrnn.cells.base import Cell


class PeepholeLSTM(Cell):
    """Long short-term memory with peephole connections (Gers and Schmidhuber, 2000).

    ::

        i = sigmoid(W_ii x_t + b_ii + W_hi h_(t-1) + b_hi + p_i c_(t-1))
        f = sigmoid(W_if x_t + b_if + W_hf h_(t-1) + b_hf + p_f c_(t-1))
        g = tanh(W_ig x_t + b_ig + W_hg h_(t-1) + b_hg)
        c_t = f c_(t-1) + i g
        o = sigmoid(W_io x_t + b_io + W_ho h_(t-1) + b_ho + p_o c_t)
        h_t = o tanh(c_t)

    The weights p, one per unit and gate, let a gate see the memory even while the
    output gate is closed, which helps to count and to keep time. They start at 0, as
    the plain LSTM.

    References
    ----------
    F. A. Gers and J. Schmidhuber, "Recurrent nets that time and count", IJCNN 2000.
    """

    x_gates = h_gates = ("i", "f", "g", "o")
    carried = ("h", "c")
    taped = ("i", "f", "g", "o", "c")
    unit_vectors = ("p_i", "p_f", "p_o")
    x_bias = {"f": 1.0}
    additive = True

    @staticmethod
    def forward(ax, ah, carry, unit):
        i = sigmoid(ax[0] + ah[0] + unit[0] * carry[1])
        f = sigmoid(ax[1] + ah[1] + unit[1] * carry[1])
        g = tanh(ax[2] + ah[2])
        c = f * carry[1] + i * g
        o = sigmoid(ax[3] + ah[3] + unit[2] * c)
        return (o * tanh(c), c), (i, f, g, o, c)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        dh, dc = d_carry
        i, f, g, o, c = tape
        tanh_c = tanh(c)
        da_o = dh * tanh_c * o * (1.0 - o)
        dc += dh * o * (1.0 - tanh_c * tanh_c) + da_o * unit[2]
        da_i = dc * g * i * (1.0 - i)
        da_f = dc * carry[1] * f * (1.0 - f)
        da = (da_i, da_f, dc * i * (1.0 - g * g), da_o)
        dc_before = dc * f + da_i * unit[0] + da_f * unit[1]
        d_unit = (da_i * carry[1], da_f * carry[1], da_o * c)
        return da, da, (0.0, dc_before), d_unit
