"""Minimal gated unit without a recurrent product."""

from skrnn.cells.algebra import sigmoid
from skrnn.cells.base import Cell


class MinGRU(Cell):
    """Minimal gated recurrent unit (Feng et al., 2024).

    ::

        z = sigmoid(W_iz x_t + b_iz)    update gate
        n = W_in x_t + b_in             candidate
        h_t = (1 - z) h_(t-1) + z n

    Gate and candidate see the input only, so a step has no matrix product and costs a
    fraction of the others. What the gate cannot know, the state so far, has to come
    from a layer below: use two layers or more.

    References
    ----------
    L. Feng, F. Tung, M. O. Ahmed, Y. Bengio and H. Hajimirsadeghi, "Were RNNs all we
    needed?", arXiv:2410.01201, 2024, section 3.1.
    """

    x_gates = ("z", "n")
    taped = ("z", "n")

    @staticmethod
    def forward(ax, ah, carry, unit):
        z = sigmoid(ax[0])
        n = ax[1]
        return (carry[0] + z * (n - carry[0]),), (z, n)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        dh = d_carry[0]
        z, n = tape
        da_z = dh * (n - carry[0]) * z * (1.0 - z)
        return (da_z, dh * z), (), (dh * (1.0 - z),), ()
