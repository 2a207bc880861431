"""What an optimiser is, and what its kernels share."""

import functools
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator

from skrnn.jit import specialise


class Optimizer(BaseEstimator):
    """Hyper-parameters of a way to minimise a function of one flat vector.

    Attributes
    ----------
    full_batch : bool
        Whether it needs the exact objective (`LBFGS.minimize`), or works with one
        noisy gradient at a time (`StochasticOptimizer.init` and `update`).
    buffers : tuple of str
        Names of the arrays, shaped like theta, that it keeps from update to update.
    """

    full_batch: bool
    buffers = ()

    def state_bytes(self, size, dtype):
        """Memory for what it keeps of `size` parameters."""
        return len(self.buffers) * size * np.dtype(dtype).itemsize

    def check(self):
        """Raise a ValueError for a hyper-parameter out of range."""
        raise NotImplementedError("an optimizer must define `check`")


class StochasticOptimizer(Optimizer):
    """An optimiser that takes one step for each gradient.

    A new one is a subclass that names its `buffers` and writes `check` and `update`.
    """

    full_batch = False

    def init(self, theta):
        """State before the first update.

        Returns
        -------
        dict
            ``"t"``, the number of updates so far, and an array for each of `buffers`.
        """
        return {"t": 0, **{name: np.zeros_like(theta) for name in self.buffers}}

    def update(self, theta, gradient, state, learning_rate):
        """Take one step: change `theta` and `state` in place.

        Parameters
        ----------
        theta, gradient : ndarray, shape (n_parameters,)
            C-contiguous and of one dtype, float32 or float64.
        state : dict
            As returned by `init`.
        learning_rate : float
        """
        raise NotImplementedError("a stochastic optimizer must define `update`")


def run(kernel, theta, arrays, *scalars):
    """Call ``kernel(theta, *arrays, limit, *scalars)``, compiled.

    The arrays must match `theta`; the limit is the magnitude that counts as 0. Scalars
    cross the border as float64, so that a kernel has one signature for each dtype. It
    rounds them to the dtype of theta after the arithmetic among them.
    """
    for array in arrays:
        if array.shape != theta.shape or array.dtype != theta.dtype:
            raise ValueError(
                f"gradient and state must be {theta.dtype} of shape {theta.shape} "
                f"like theta, got {array.dtype} of shape {array.shape}."
            )
    limit = negligible(theta.dtype)
    specialise(kernel, theta.dtype)(theta, *arrays, limit, *map(float, scalars))


@functools.cache
def negligible(dtype):
    """Magnitude that counts as 0 in a kernel: 5e-31 in float32, 6e-247 in float64.

    A buffer whose gradient has died decays into the subnormal numbers and stays there;
    a processor handles those 20 to 40 times slower. Both limits lie far below anything
    that moves a parameter.
    """
    return float(np.finfo(dtype).tiny ** 0.8)


def flush(x, limit):
    """x, or 0 where it is smaller than `limit`."""
    return 0.0 if abs(x) < limit else x


def check_fraction(optimizer, name):
    """Require a number in [0, 1)."""
    value = getattr(optimizer, name)
    if not (isinstance(value, Real) and 0 <= value < 1):
        raise ValueError(f"{name} must be in [0, 1), got {value!r}.")


def check_positive(optimizer, name):
    """Require a positive, finite number."""
    value = getattr(optimizer, name)
    if not (isinstance(value, Real) and 0 < value < np.inf):
        raise ValueError(f"{name} must be a positive number, got {value!r}.")


def check_count(optimizer, name):
    """Require an integer of at least 1."""
    value = getattr(optimizer, name)
    if not (isinstance(value, Integral) and value >= 1):
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")
