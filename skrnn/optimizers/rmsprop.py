"""Root mean square propagation."""

import numpy as np

from skrnn.optimizers.base import (
    StochasticOptimizer,
    check_fraction,
    check_positive,
    flush,
    run,
)


class RMSprop(StochasticOptimizer):
    """RMSprop: the gradient over the root of its mean square.

    ::

        v = rho v + (1 - rho) g^2
        theta = theta - learning_rate g / (sqrt(v) + epsilon)

    Parameters
    ----------
    rho : float, default=0.9
        Decay of the mean squared gradient, in [0, 1). Hinton's value; PyTorch calls it
        ``alpha`` and starts from 0.99.
    epsilon : float, default=1e-8
        Added to the denominator; positive.

    References
    ----------
    T. Tieleman and G. Hinton, "Lecture 6.5: rmsprop", Coursera: Neural Networks for
    Machine Learning, 2012.
    """

    buffers = ("v",)

    def __init__(self, rho=0.9, epsilon=1e-8):
        self.rho = rho
        self.epsilon = epsilon

    def check(self):
        check_fraction(self, "rho")
        check_positive(self, "epsilon")

    def update(self, theta, gradient, state, learning_rate):
        state["t"] += 1
        arrays = gradient, state["v"]
        run(rmsprop_step, theta, arrays, learning_rate, self.rho, self.epsilon)


def rmsprop_step(theta, gradient, v, limit, learning_rate, rho, epsilon):
    real = theta.dtype.type
    rate, epsilon = real(learning_rate), real(epsilon)
    keep, add = real(rho), real(1 - rho)
    limit, root_limit = real(limit), real(np.sqrt(limit))
    for i in range(theta.size):
        g = gradient[i]
        squared = flush(g, root_limit) * g
        variance = flush(keep * v[i] + add * squared, limit)
        v[i] = variance
        theta[i] -= rate * g / (np.sqrt(variance) + epsilon)
