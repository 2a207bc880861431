"""What every loss offers, and the averaging that most of them share."""

from abc import ABC, abstractmethod

import numpy as np


class WrongTarget(ValueError):
    """A loss refuses a target.

    Attributes
    ----------
    rule : str
        What the targets must be.
    value : number
    position : tuple of int
        Its place in y: row, and column if there are several.
    """

    def __init__(self, rule, value, position):
        self.rule, self.value, self.position = rule, value, position
        column = "".join(f" in column {j}" for j in position[1:])
        super().__init__(f"y[{position[0]}] must be {rule}, got {value}{column}.")


class Loss(ABC):
    """A loss of raw scores; the shapes are stated once, in the package docstring.

    Attributes
    ----------
    out_activation : str
        Name of the output transform, as ``MLPClassifier.out_activation_`` has it.
    raw_per_target : int
        Raw columns that one target column needs.
    """

    raw_per_target = 1

    def n_raw(self, n_targets):
        """Return K, the raw columns that `n_targets` columns of y need."""
        return n_targets * self.raw_per_target

    def n_own_rows(self, n_raw):
        """Rows of parameters of its own that the loss reads below those of `raw`."""
        return 0

    def check_targets(self, y):
        """Raise ValueError, naming the first place, where the loss refuses y."""
        refuse_first(y, ~np.isfinite(y), "finite")

    @abstractmethod
    def value_and_gradient(self, raw, y, w):
        """Return ``sum_i w_i l_i`` as a float, and its gradient in `raw`."""

    @abstractmethod
    def predict(self, raw):
        """Return the predictions, or the probabilities, that `raw` stands for."""

    @abstractmethod
    def initial_raw(self, y, w):
        """Return the (K,) constant raw scores that minimise the weighted loss."""


class ColumnMeanLoss(Loss):
    """A loss that is the mean, over raw columns, of one term per column."""

    @abstractmethod
    def _terms(self, raw, y):
        """Return (B, K) terms and the gradient of their plain sum in `raw`.

        `y` comes as (B, n) in the dtype of `raw`.
        """

    def value_and_gradient(self, raw, y, w):
        n_rows, n_columns = raw.shape
        y = y.reshape(n_rows, n_columns // self.raw_per_target)
        share = w / n_columns
        with np.errstate(under="ignore"):
            terms, slopes = self._terms(raw, y.astype(raw.dtype, copy=False))
            value = (terms.sum(axis=1, dtype=np.float64) * share).sum()
            d_raw = slopes * share.astype(raw.dtype, copy=False)[:, np.newaxis]
            return float(value), d_raw.astype(raw.dtype, copy=False)


def refuse_first(y, refused, rule):
    """Raise WrongTarget for the first entry of `y` where `refused` is true."""
    if refused.any():
        position = tuple(np.argwhere(refused)[0].tolist())
        n_axes = 2 if y[:1].size > 1 else 1
        raise WrongTarget(rule, y[position], position[:n_axes])


def as_columns(y):
    """Return y as float64 of shape (B, n)."""
    return y.reshape(len(y), -1).astype(np.float64, copy=False)
