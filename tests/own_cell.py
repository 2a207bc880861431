"""A cell and an optimiser of a user's own, in a module that others can import."""

from skrnn import Cell
from skrnn.cells import tanh
from skrnn.optimizers import StochasticOptimizer

share = None  # stands for what `bindings` says


class Leaky(Cell):
    """h_t = keep h_(t-1) + (1 - keep) tanh(a_x)."""

    x_gates = ("a",)
    taped = ("n",)

    def __init__(self, keep=0.5):
        self.keep = keep

    def bindings(self):
        return {"share": float(self.keep)}

    @staticmethod
    def forward(ax, ah, carry, unit):
        n = tanh(ax[0])
        return (share * carry[0] + (1.0 - share) * n,), (n,)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        dn = d_carry[0] * (1.0 - share)
        return (dn * (1.0 - tape[0] * tape[0]),), (), (d_carry[0] * share,), ()


class Averaged(StochasticOptimizer):
    """Gradient descent with a state of another form than the library's own."""

    def check(self):
        pass

    def init(self, theta):
        return {"anything": [theta.copy()]}

    def update(self, theta, gradient, state, learning_rate):
        theta -= learning_rate * gradient
        state["anything"].append(theta.copy())
