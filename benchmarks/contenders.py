"""Who takes part: skrnn and its PyTorch twin, with one and with two threads.

All have `prepare(X, y)`, which is not timed, `fit(data, epochs)` and `predict(X)`.
"""

from peers import Twin, Whole

from skrnn import RNNClassifier

CELLS = ("rnn", "gru", "lstm")
THREADS = (1, 2)


class Skrnn:
    """skrnn through its public API, with the twin's settings."""

    def __init__(self, cell, units, batch_size, n_jobs):
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

    def predict(self, X):
        """The class of each sequence, validation included."""
        return self.model.predict(X)


def twins(cell, units, batch_size, feed=Whole):
    """The PyTorch contenders, by name."""
    return {f"torch {n}": Twin(cell, units, batch_size, n, feed) for n in THREADS}


def skrnns(cell, units, batch_size):
    """The skrnn contenders, by name."""
    return {f"skrnn {n}": Skrnn(cell, units, batch_size, n) for n in THREADS}


def everyone(cell, units, batch_size):
    """All contenders, by name."""
    return twins(cell, units, batch_size) | skrnns(cell, units, batch_size)
