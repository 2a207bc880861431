"""Who takes part: skrnn and its twins, by name.

A name is a library, and its number of threads where that can be set. All have
`prepare(X, y)`, which is not timed, and `fit(data, epochs)`.
"""

from functools import partial

from peers.jax import JaxTwin
from peers.skorch import SkorchTwin
from peers.torch import Twin, Whole

from skrnn import RNNClassifier

CELLS = ("rnn", "gru", "lstm")
THREADS = (1, 2)


class Skrnn:
    """skrnn through its public API, with the twins' settings."""

    def __init__(self, cell, units, batch_size, n_jobs, **others):
        self.settings = {
            "hidden_layer_sizes": (units,),
            "cell": cell,
            "solver": "adam",
            "alpha": 0.0,
            "batch_size": batch_size,
            "learning_rate": "constant",
            "learning_rate_init": 1e-3,
            "max_grad_norm": 1.0,
            "shuffle": True,
            "random_state": 0,
            "tol": 0.0,
            "n_jobs": n_jobs,
            **others,
        }

    def prepare(self, X, y):
        """Nothing: converting and validating X and y is part of the timed fit."""
        return X, y

    def fit(self, data, epochs):
        """Train a new model for a number of epochs."""
        model = RNNClassifier(
            max_iter=epochs, n_iter_no_change=epochs + 1, **self.settings
        )
        self.model = model.fit(*data)
        if model.n_iter_ != epochs:
            raise RuntimeError(f"skrnn ran {model.n_iter_} epochs, not {epochs}.")
        self.loss_curve = model.loss_curve_
        return self


def torches(cell, units, batch_size, feed=Whole):
    """PyTorch with each number of threads."""
    return {f"torch {n}": Twin(cell, units, batch_size, n, feed) for n in THREADS}


def skorches(cell, units, batch_size):
    """skorch with each number of threads."""
    return {f"skorch {n}": SkorchTwin(cell, units, batch_size, n) for n in THREADS}


def jaxes(cell, units, batch_size):
    """JAX, which always uses all cores."""
    return {"jax": JaxTwin(cell, units, batch_size)}


def skrnns(cell, units, batch_size):
    """skrnn with each number of threads."""
    return {f"skrnn {n}": Skrnn(cell, units, batch_size, n) for n in THREADS}


def warm_fits(contenders, X, y):
    """Functions of a number of epochs, by name; all have run once, to compile."""
    fits = {n: partial(c.fit, c.prepare(X, y)) for n, c in contenders.items()}
    for fit in fits.values():
        fit(1)
    return fits
