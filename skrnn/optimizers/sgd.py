"""Stochastic gradient descent with momentum."""

import numpy as np

from skrnn.optimizers.base import (
    StochasticOptimizer,
    check_fraction,
    flush,
    run,
)


class SGD(StochasticOptimizer):
    """Stochastic gradient descent with Nesterov's or with plain momentum.

    ::

        b = momentum b + g
        theta = theta - learning_rate (g + momentum b)    nesterov=True
        theta = theta - learning_rate b                   nesterov=False

    Parameters
    ----------
    momentum : float, default=0.9
        Decay of the sum of gradients, in [0, 1). With 0 this is plain gradient descent.
    nesterov : bool, default=True
        Look one step ahead.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of
    initialization and momentum in deep learning", ICML 2013.
    """

    buffers = ("b",)

    def __init__(self, momentum=0.9, nesterov=True):
        self.momentum = momentum
        self.nesterov = nesterov

    def check(self):
        check_fraction(self, "momentum")
        if not isinstance(self.nesterov, (bool, np.bool_)):
            raise ValueError(f"nesterov must be True or False, got {self.nesterov!r}.")

    def update(self, theta, gradient, state, learning_rate):
        state["t"] += 1
        kernel = nesterov_step if self.nesterov else momentum_step
        run(kernel, theta, (gradient, state["b"]), learning_rate, self.momentum)


def nesterov_step(theta, gradient, b, limit, learning_rate, momentum):
    real = theta.dtype.type
    limit, rate, momentum = real(limit), real(learning_rate), real(momentum)
    for i in range(theta.size):
        velocity = flush(momentum * b[i] + gradient[i], limit)
        b[i] = velocity
        theta[i] -= rate * (gradient[i] + momentum * velocity)


def momentum_step(theta, gradient, b, limit, learning_rate, momentum):
    real = theta.dtype.type
    limit, rate, momentum = real(limit), real(learning_rate), real(momentum)
    for i in range(theta.size):
        velocity = flush(momentum * b[i] + gradient[i], limit)
        b[i] = velocity
        theta[i] -= rate * velocity
