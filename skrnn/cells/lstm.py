"""Long short-term memory."""

from skrnn.cells.algebra import sigmoid, tanh
from skrnn.cells.base import Cell


class LSTM(Cell):
    """Long short-term memory with a forget gate.

    ::

        i = sigmoid(W_ii x_t + b_ii + W_hi h_(t-1) + b_hi)    input gate
        f = sigmoid(W_if x_t + b_if + W_hf h_(t-1) + b_hf)    forget gate
        g = tanh(W_ig x_t + b_ig + W_hg h_(t-1) + b_hg)       candidate
        o = sigmoid(W_io x_t + b_io + W_ho h_(t-1) + b_ho)    output gate
        c_t = f c_(t-1) + i g
        h_t = o tanh(c_t)

    The gradient travels along c through the factor f alone; the forget gate's bias
    starts at 1, so that it first passes on (Jozefowicz, Zaremba and Sutskever, 2015).

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9,
    1997. F. A. Gers, J. Schmidhuber and F. Cummins, "Learning to forget", Neural
    Computation 12, 2000.
    """

    x_gates = h_gates = ("i", "f", "g", "o")
    carried = ("h", "c")
    taped = ("i", "f", "g", "o", "tanh_c")
    x_bias = {"f": 1.0}
    additive = True

    @staticmethod
    def forward(ax, ah, carry, unit):
        i = sigmoid(ax[0] + ah[0])
        f = sigmoid(ax[1] + ah[1])
        g = tanh(ax[2] + ah[2])
        o = sigmoid(ax[3] + ah[3])
        c = f * carry[1] + i * g
        tanh_c = tanh(c)
        return (o * tanh_c, c), (i, f, g, o, tanh_c)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        dh, dc = d_carry
        i, f, g, o, tanh_c = tape
        dc += dh * o * (1.0 - tanh_c * tanh_c)
        da = (
            dc * g * i * (1.0 - i),
            dc * carry[1] * f * (1.0 - f),
            dc * i * (1.0 - g * g),
            dh * tanh_c * o * (1.0 - o),
        )
        return da, da, (0.0, dc * f), ()
