"""Limited-memory BFGS, on the whole batch."""

import numpy as np
from scipy import optimize

from skrnn.optimizers.base import Optimizer, check_count

SMALLEST_GAIN = 2.2e-9


class LBFGS(Optimizer):
    """L-BFGS: a quasi-Newton method for small data, run by SciPy.

    It needs the exact objective, so it takes neither minibatches nor a learning rate.

    Parameters
    ----------
    max_fun : int, default=15000
        Largest number of evaluations of the objective.
    memory : int, default=10
        Number of past steps that stand for the curvature.

    References
    ----------
    R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A limited memory algorithm for bound
    constrained optimization", SIAM Journal on Scientific Computing 16 (5), 1995.
    """

    full_batch = True

    def __init__(self, max_fun=15000, memory=10):
        self.max_fun = max_fun
        self.memory = memory

    def check(self):
        check_count(self, "max_fun")
        check_count(self, "memory")

    def state_bytes(self, size, dtype):
        """SciPy keeps pairs of vectors, and five more, in float64."""
        return (2 * self.memory + 5) * size * 8

    def minimize(self, objective, theta, *, max_iter, tol, callback=None):
        """Minimise `objective`, starting from `theta`.

        The search itself runs in float64; `objective` and `callback` see arrays of
        the dtype of theta. It also ends when an iteration gains less than 2.2e-9
        relative to the objective (1.2e-6 in float32, near its rounding error).

        Parameters
        ----------
        objective : callable
            ``objective(theta) -> (value, gradient)``.
        theta : ndarray, shape (n_parameters,)
            Left as it is.
        max_iter : int
            Largest number of iterations.
        tol : float
            Stop when no entry of the gradient is larger.
        callback : callable, optional
            ``callback(theta, value)``, called after each iteration; True stops.

        Returns
        -------
        theta : ndarray
            The best parameters found.
        n_iter : int
        converged : bool
            True when a tolerance was met or `callback` asked to stop; False when
            `max_iter` or `max_fun` ran out, or no better point was found.
        message : str
            Why it ended.
        """
        stopped = False

        def evaluate(x):
            value, gradient = objective(x.astype(theta.dtype))
            return float(value), np.array(gradient, dtype=np.float64)

        def after_iteration(intermediate_result):  # SciPy looks for this very name
            nonlocal stopped
            x, value = intermediate_result.x, intermediate_result.fun
            stopped = bool(callback(x.astype(theta.dtype), float(value)))
            if stopped:
                raise StopIteration

        result = optimize.minimize(
            evaluate,
            theta.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=after_iteration if callback else None,
            options=self._options(theta.dtype, max_iter, tol),
        )
        message = "stopped by the callback" if stopped else str(result.message)
        converged = stopped or bool(result.success)
        return result.x.astype(theta.dtype), int(result.nit), converged, message

    def _options(self, dtype, max_iter, tol):
        return {
            "maxcor": self.memory,
            "maxfun": self.max_fun,
            "maxiter": max_iter,
            "gtol": tol,
            "ftol": max(SMALLEST_GAIN, 10 * float(np.finfo(dtype).eps)),
        }
