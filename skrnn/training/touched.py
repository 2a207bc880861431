"""The parameters that a minibatch touches: all, but of an embedding a few rows."""

import copy

import numpy as np

from skrnn.sequences import Packed
from skrnn.training.divergence import check_finite


def make_touched(network, theta, state):
    """Parameters to be changed in place, minibatch by minibatch.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
    state : dict
        Of the optimiser; its arrays go with theta, entry by entry.

    Returns
    -------
    Touched

    Raises
    ------
    ValueError
        When the optimiser keeps arrays that are not shaped like theta, of which no
        rows can be taken.
    """
    if network.embedding is None:
        return Touched(theta, state)
    for name, value in state.items():
        if isinstance(value, np.ndarray) and value.shape != theta.shape:
            raise ValueError(
                f"solver must keep arrays of the shape of theta, {theta.shape}, with "
                f"embedding_dim, got {value.shape} for {name!r} of its state."
            )
    return TouchedRows(network, theta, state)


class Touched:
    """All parameters, changed where they lie.

    Attributes
    ----------
    theta : ndarray
        What a minibatch reads.
    is_torn : bool
        Whether an update was broken off, so that it must be undone.
    """

    is_torn = False

    def __init__(self, theta, state):
        self.theta = theta
        self._state = state
        self._before = theta.copy()

    def take(self, shards):
        """Get ready for a minibatch; return its shards as `theta` is to read them."""
        return shards

    def update(self, optimizer, gradient, rate):
        """Let the optimiser take one step.

        Raises
        ------
        NonFiniteLoss
            When the rows of a table become infinite or NaN; they are not kept. Of all
            other parameters the next loss tells.
        """
        self._before[:] = self.theta
        optimizer.update(self.theta, gradient, self._state, rate)

    def undo(self):
        """Set the parameters back to what they were before the last update."""
        self.theta[:] = self._before


class TouchedRows(Touched):
    """All parameters but the rows of the table that a minibatch does not use.

    They are copied out and, after the update, back in: the time of an update does not
    depend on the size of the table. So a row that is not used rests, with all that the
    optimiser keeps of it, whatever momentum it has. The rows of a table that is not
    trainable are only read.
    """

    def __init__(self, network, theta, state):
        self._whole, self._whole_state = theta, state
        self._n_dense = network.layout.n_dense
        self._shape = network.layout.shapes["embedding"]
        self._trainable = network.embedding.trainable
        self._last = None

    def take(self, shards):
        ids = np.concatenate([shard.rows for shard in shards])
        rows, places = np.unique(ids, return_inverse=True)
        self.theta = self._copy_out(self._whole, rows)
        self._rows = rows if self._trainable else rows[:0]
        ends = np.cumsum([len(shard.rows) for shard in shards])
        parts = np.split(places.reshape(-1, 1), ends[:-1])
        return [
            Packed(part, shard.plan, shard.positions)
            for part, shard in zip(parts, shards, strict=True)
        ]

    def update(self, optimizer, gradient, rate):
        n_changed = self._n_dense + self._rows.size * self._shape[1]
        part = self.theta[:n_changed]
        state = self._parts()
        self._last = self._rows, part.copy(), copy.deepcopy(state)
        optimizer.update(part, gradient[:n_changed], state, rate)
        check_finite(float(np.abs(part).max()))
        self._put_back(self._rows, part, state)

    def undo(self):
        if self._last is not None:
            self._put_back(*self._last)

    def _parts(self):
        """What the optimiser keeps of the parameters that are about to change."""
        return {
            name: self._copy_out(value, self._rows)
            if isinstance(value, np.ndarray)
            else value
            for name, value in self._whole_state.items()
        }

    def _put_back(self, rows, theta, state):
        self.is_torn = True
        for name, part in state.items():
            if isinstance(part, np.ndarray):
                self._copy_in(self._whole_state[name], rows, part)
            else:
                self._whole_state[name] = part
        self._copy_in(self._whole, rows, theta)
        self.is_torn = False

    def _copy_out(self, whole, rows):
        vectors = self._table(whole).take(rows, axis=0)
        return np.concatenate([whole[: self._n_dense], vectors.reshape(-1)])

    def _copy_in(self, whole, rows, part):
        whole[: self._n_dense] = part[: self._n_dense]
        self._table(whole)[rows] = part[self._n_dense :].reshape(-1, self._shape[1])

    def _table(self, whole):
        return whole[self._n_dense :].reshape(self._shape)
