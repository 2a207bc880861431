"""Adaptive moment estimation."""

import numpy as np

from skrnn.optimizers.base import (
    StochasticOptimizer,
    check_fraction,
    check_positive,
    flush,
    run,
)


class Adam(StochasticOptimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    ::

        m = beta_1 m + (1 - beta_1) g
        v = beta_2 v + (1 - beta_2) g^2
        theta = theta - learning_rate m_hat / (sqrt(v_hat) + epsilon)

        m_hat = m / (1 - beta_1^t)
        v_hat = v / (1 - beta_2^t)

    where t counts the updates from 1.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the mean gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the mean squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator; positive.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    buffers = ("m", "v")

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def check(self):
        check_fraction(self, "beta_1")
        check_fraction(self, "beta_2")
        check_positive(self, "epsilon")

    def update(self, theta, gradient, state, learning_rate):
        state["t"] += 1
        run(
            adam_step,
            theta,
            (gradient, state["m"], state["v"]),
            state["t"],
            learning_rate,
            self.beta_1,
            self.beta_2,
            self.epsilon,
        )


def adam_step(theta, gradient, m, v, limit, t, learning_rate, beta_1, beta_2, epsilon):
    # Numerator and denominator are both multiplied by `scale`: one division is saved.
    real = theta.dtype.type
    scale = np.sqrt(1 - beta_2**t)
    rate = real(learning_rate * scale / (1 - beta_1**t))
    epsilon = real(epsilon * scale)
    keep_m, add_m = real(beta_1), real(1 - beta_1)
    keep_v, add_v = real(beta_2), real(1 - beta_2)
    limit, root_limit = real(limit), real(np.sqrt(limit))
    for i in range(theta.size):
        g = gradient[i]
        squared = flush(g, root_limit) * g
        mean = flush(keep_m * m[i] + add_m * g, limit)
        variance = flush(keep_v * v[i] + add_v * squared, limit)
        m[i] = mean
        v[i] = variance
        theta[i] -= rate * mean / (np.sqrt(variance) + epsilon)
