"""The parameters that a minibatch touches: all, but of an embedding a few rows."""

import numpy as np

from skrnn.sequences import Packed


def make_touched(layout, theta, state):
    """Parameters to be changed in place, minibatch by minibatch.

    Parameters
    ----------
    layout : Layout
    theta : ndarray of shape (n_parameters,)
    state : dict
        Of the optimiser; its arrays of theta's shape go with theta.

    Returns
    -------
    Touched
    """
    if layout.n_dense == layout.size:
        return Touched(theta, state)
    return TouchedRows(theta, state, layout.n_dense, layout.shapes["embedding"])


class Touched:
    """All parameters, changed where they lie.

    Attributes
    ----------
    theta : ndarray
        What a minibatch reads.
    """

    def __init__(self, theta, state):
        self.theta = theta
        self._state = state
        self._before = theta.copy()

    def take(self, packed):
        """Get ready for a minibatch; return it as `theta` is to read it."""
        return packed

    def update(self, optimizer, gradient, rate):
        """Let the optimiser take one step."""
        self._before[:] = self.theta
        optimizer.update(self.theta, gradient, self._state, rate)

    def undo(self):
        """Set the parameters back to what they were before the last update."""
        self.theta[:] = self._before


class TouchedRows(Touched):
    """All parameters but the rows of the table that a minibatch does not use.

    They are copied out and, after the update, back in: the time of an update does not
    depend on the size of the table. So a row that is not used rests, with all that the
    optimiser keeps of it, whatever momentum it has.

    Parameters
    ----------
    theta, state
        As of `make_touched`.
    n_dense : int
        Number of parameters before the table.
    shape : tuple of int
        Of the table.
    """

    def __init__(self, theta, state, n_dense, shape):
        self._whole, self._whole_state = theta, state
        self._n_dense, self._shape = n_dense, shape
        self._last = None

    def take(self, packed):
        self._rows, places = np.unique(packed.rows, return_inverse=True)
        self.theta = self._copy_out(self._whole)
        return Packed(places.reshape(-1, 1), packed.plan)

    def update(self, optimizer, gradient, rate):
        self._last = self._rows, self.theta.copy()
        whole = self._whole_state
        parts = {name: self._copy_out(whole[name]) for name in whole}
        optimizer.update(self.theta, gradient, parts, rate)
        for name, part in parts.items():
            whole[name] = self._copy_in(whole[name], part)
        self._copy_in(self._whole, self.theta)

    def undo(self):
        if self._last is not None:
            self._rows, before = self._last
            self._copy_in(self._whole, before)

    def _copy_out(self, whole):
        if not self._is_like_theta(whole):
            return whole
        rows = self._table(whole).take(self._rows, axis=0)
        return np.concatenate([whole[: self._n_dense], rows.reshape(-1)])

    def _copy_in(self, whole, part):
        if not self._is_like_theta(whole):
            return part
        whole[: self._n_dense] = part[: self._n_dense]
        rows = part[self._n_dense :].reshape(-1, self._shape[1])
        self._table(whole)[self._rows] = rows
        return whole

    def _is_like_theta(self, value):
        return isinstance(value, np.ndarray) and value.shape == self._whole.shape

    def _table(self, whole):
        return whole[self._n_dense :].reshape(self._shape)
