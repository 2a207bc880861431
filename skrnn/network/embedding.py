"""Vectors of token ids: what a network reads in place of features."""

import numpy as np
from scipy.sparse import csc_array

from skrnn.sequences import UNKNOWN, Packed


class Embedding:
    """A table with a vector for each token id.

    It is the last part of theta, so that a theta with some of the rows only is one of
    the same network, if ids count those rows.

    Parameters
    ----------
    n_ids : int
        Ids are below it.
    dim : int
        Numbers E in a vector.
    trainable : bool
        Whether the gradient reaches the table.
    """

    def __init__(self, n_ids, dim, trainable):
        self.n_ids = n_ids
        self.dim = dim
        self.trainable = trainable

    def shapes(self):
        """Shapes of the parameters by name."""
        return {"embedding": (self.n_ids, self.dim)}

    def initialise(self, views, rng):
        """Fill the table; padding and the unknown token are zero."""
        table = views["embedding"]
        table[:] = self.draw(rng, table.size, table.dtype).reshape(table.shape)
        table[: UNKNOWN + 1] = 0.0

    @staticmethod
    def draw(rng, size, dtype):
        """Numbers of new vectors, flat: uniform in +-1, about what inputs should be."""
        numbers = rng.random(size, dtype)
        numbers *= 2.0
        numbers -= 1.0
        return numbers

    def forward(self, views, packed, space):
        """The packed minibatch with vectors, (N, E), in place of ids, (N, 1)."""
        room = space.array("vectors", (packed.plan.n_rows, self.dim))
        return Packed(self.look_up(views, packed.rows, room), packed.plan)

    def look_up(self, views, ids, out=None):
        """Vectors, (n, E), of ids, (n, 1)."""
        return views["embedding"].take(ids[:, 0], axis=0, out=out, mode="clip")

    def backward(self, gradient, packed, d_vectors):
        """Add the gradient with respect to the vectors, (N, E), to the table's."""
        table, ids = gradient["embedding"], packed.rows[:, 0]
        ones, columns = np.ones(ids.size, table.dtype), np.arange(ids.size + 1)
        shape = len(table), ids.size
        table += csc_array((ones, ids, columns), shape=shape) @ d_vectors
