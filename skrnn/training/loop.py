"""The epoch loop, for stochastic and for full-batch solvers.

Both call ``after_epoch(epoch, theta)`` when an epoch is over and stop if it returns
True.
"""

import contextlib
import math
import time

import numpy as np

from skrnn.optimizers import clip_norm
from skrnn.training.divergence import NonFiniteLoss, check_finite
from skrnn.training.record import Epoch
from skrnn.training.touched import make_touched


def fit_stochastic(
    objective,
    data,
    theta,
    optimizer,
    state,
    schedule,
    after_epoch,
    *,
    epochs,
    batch_size,
    shuffle,
    max_grad_norm,
    seed,
):
    """Update `theta` and the optimiser's `state` in place, minibatch by minibatch.

    Parameters
    ----------
    objective : Objective
    data : TrainingData
    theta : ndarray of shape (n_parameters,)
    optimizer : StochasticOptimizer
    state : dict
    schedule : Schedule
    after_epoch : callable
    epochs : range
        Numbers of the epochs to run, from 0. An epoch's order and dropout depend on
        `seed` and on its number only; the schedule begins with the first of them.
    batch_size : int
    shuffle : bool
    max_grad_norm : float or None
    seed : int

    Raises
    ------
    NonFiniteLoss
        With `theta` set back to the last weights whose loss was finite.
    """
    limit = 0.9 * math.sqrt(np.finfo(theta.dtype).max)  # solvers square the gradient
    if max_grad_norm is not None:
        limit = min(limit, max_grad_norm)
    n, n_batches = len(data), math.ceil(len(data) / batch_size)
    touched = make_touched(objective.network, theta, state)
    with _kept_sound(theta, touched):
        for number in epochs:
            began = time.perf_counter()
            rng = np.random.default_rng((seed, number))
            order = rng.permutation(n) if shuffle else np.arange(n)
            loss = norm = input_norm = 0.0
            for k in range(n_batches):
                batch = order[k * batch_size : (k + 1) * batch_size]
                value, gradient = _evaluate(objective, touched, data, batch, rng)
                batch_norm = clip_norm(gradient, limit)
                check_finite(value + batch_norm)
                rate = schedule(number - epochs.start + k / n_batches)
                touched.update(optimizer, gradient, rate)
                loss += value * batch.size / n
                norm += batch_norm / n_batches
                input_norm += objective.input_gradient_norm / n_batches
            seconds = time.perf_counter() - began
            epoch = Epoch(number + 1, loss, norm, input_norm, rate, n, seconds)
            if after_epoch(epoch, theta):
                break
        shards = touched.take(objective.pack(data, batch))
        last = objective.value(touched.theta, shards, data, batch)
        check_finite(last, after_epoch=True)


def _evaluate(objective, touched, data, batch, rng):
    """Loss and gradient of a minibatch, which is not kept beyond that."""
    shards = touched.take(objective.pack(data, batch))
    return objective(touched.theta, shards, data, batch, rng)


@contextlib.contextmanager
def _kept_sound(theta, touched):
    """Undo the last update when it went wrong, or was broken off by Ctrl-C."""
    try:
        yield
    except NonFiniteLoss:
        touched.undo()
        raise
    except KeyboardInterrupt:
        if touched.is_torn or not np.isfinite(theta).all():
            touched.undo()
        raise


def fit_full_batch(
    objective, data, theta, optimizer, after_epoch, *, epochs, tol, seed
):
    """Update `theta` in place with a solver that sees all data at once.

    An epoch is an iteration of the solver. Dropout masks are drawn once, since the
    solver needs a function that does not change.

    Parameters
    ----------
    objective, data, theta, after_epoch, epochs, seed
        As of `fit_stochastic`.
    optimizer : LBFGS
    tol : float
        Largest entry of the gradient at a minimum.

    Returns
    -------
    converged : bool
    """
    everything = np.arange(len(data))
    shards = objective.pack(data, everything)
    run = _Iterations(epochs.start, len(data), theta, after_epoch)

    def evaluate(point):
        rng = np.random.default_rng((seed, epochs.start))
        point = point.astype(theta.dtype)
        value, gradient = objective(point, shards, data, everything, rng)
        run.gradient_norm = clip_norm(gradient, math.inf)
        run.input_gradient_norm = objective.input_gradient_norm
        check_finite(value + run.gradient_norm)
        return value, gradient

    try:
        converged = optimizer.minimize(
            evaluate, theta.copy(), max_iter=len(epochs), tol=tol, callback=run
        )[2]
        if run.number == epochs.start:
            run(theta, evaluate(theta)[0])
        return converged
    finally:
        objective = shards = data = run = None  # old versions of SciPy keep `evaluate`


class _Iterations:
    """Callback of a full-batch solver: keeps, counts and reports its iterations."""

    def __init__(self, n_done, n_sequences, theta, after_epoch):
        self.number = n_done
        self.n_sequences = n_sequences
        self.theta = theta
        self.after_epoch = after_epoch
        self.gradient_norm = self.input_gradient_norm = math.nan
        self.began = time.perf_counter()

    def __call__(self, point, value):
        self.theta[:] = point
        self.number += 1
        seconds = time.perf_counter() - self.began
        self.began = time.perf_counter()
        epoch = Epoch(
            self.number,
            value,
            self.gradient_norm,
            self.input_gradient_norm,
            math.nan,
            self.n_sequences,
            seconds,
        )
        return self.after_epoch(epoch, self.theta)
