"""Packed minibatches: sorted by length, time-major, without padding."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skrnn.sequences import layout


@dataclass(frozen=True, eq=False)
class Packed:
    """A minibatch of B sequences, longest first, one step after the other.

    The steps of all sequences are N rows: those of step 0 first, and within a step
    those of the longest sequence first. As sequences end, a step has fewer rows.

    Attributes
    ----------
    rows : ndarray of shape (N, D)
        Features of each step.
    sizes : ndarray of shape (T,), int64
        Number of sequences that are active at each step.
    starts : ndarray of shape (T + 1,), int64
        First row of each step; the last entry is N.
    lengths : ndarray of shape (B,), int64
        Number of steps of each packed sequence, descending.
    order : ndarray of shape (B,), int64
        Position in the minibatch of each packed sequence.
    """

    rows: np.ndarray
    sizes: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    order: np.ndarray

    @cached_property
    def last_rows(self):
        """Row of the last step of each packed sequence, (B,)."""
        return self.starts[self.lengths - 1] + np.arange(self.lengths.size)

    @cached_property
    def reverse_rows(self):
        """Row of the mirrored step of each row, (N,).

        ``rows[reverse_rows]`` runs each sequence backwards within its own length.
        """
        return layout.find_reverse_rows(self.lengths, self.sizes, self.starts)

    @cached_property
    def sequence_of_row(self):
        """Packed sequence that each row belongs to, (N,)."""
        return layout.find_members(self.sizes, self.starts)[1]

    @cached_property
    def ranks(self):
        """Packed sequence of each position in the minibatch, (B,)."""
        return np.argsort(self.order)

    def restore(self, values):
        """Return values of the packed sequences, (B, ...), in minibatch order."""
        return values[self.ranks]

    def unpack(self, rows):
        """Split values of the packed steps, (N, ...), into one array a sequence.

        Returns
        -------
        list of ndarray of shape (length, ...)
            In minibatch order.
        """
        lengths = self.lengths[self.ranks]
        indices = layout.find_unpacked_rows(lengths, self.ranks, self.starts)
        flat = rows.take(indices, axis=0)
        bounds = [0, *np.cumsum(lengths).tolist()]
        return [flat[start:stop] for start, stop in pairwise(bounds)]

    def time_slice(self, start, stop):
        """Return steps `start` to `stop` of the sequences still active at `start`.

        They are the first ``sizes[start]`` packed sequences; the rows are a view.
        """
        stop = min(stop, self.sizes.size)
        n_active = self.sizes[start]
        first, last = self.starts[start], self.starts[stop]
        return Packed(
            rows=self.rows[first:last],
            sizes=self.sizes[start:stop],
            starts=self.starts[start : stop + 1] - first,
            lengths=np.minimum(self.lengths[:n_active], stop) - start,
            order=self.order[:n_active],
        )

    def split(self, n_shards):
        """Deal the packed sequences out to `n_shards` minibatches of about equal work.

        Parameters
        ----------
        n_shards : int
            Wanted number of shards; there are no more than sequences.

        Returns
        -------
        list of Shard
        """
        n_shards = min(n_shards, self.lengths.size)
        return [self._shard(first, n_shards) for first in range(n_shards)]

    def _shard(self, first, n_shards):
        positions = slice(first, None, n_shards)
        lengths = self.lengths[positions].copy()
        sizes, starts = layout.count_rows(lengths)
        row_indices = layout.find_shard_rows(
            sizes, starts, self.starts, first, n_shards
        )
        rows = self.rows.take(row_indices, axis=0)
        order = self.order[positions].copy()
        return Shard(
            Packed(rows, sizes, starts, lengths, order), positions, row_indices
        )


class Shard(NamedTuple):
    """A share of a packed minibatch.

    Attributes
    ----------
    packed : Packed
        The share; its `order` refers to the whole minibatch.
    positions : slice
        Its sequences among the packed sequences of the whole.
    row_indices : ndarray of shape (N,), int64
        Its rows among the rows of the whole.
    """

    packed: Packed
    positions: slice
    row_indices: np.ndarray


def pack(sequences, indices, dtype, space=None):
    """Pack the sequences at `indices`.

    Parameters
    ----------
    sequences : Sequences
        Checked sequences.
    indices : ndarray of shape (B,), int
        Which of them.
    dtype : dtype
        Type of the rows.
    space : ndarray of shape (at least N * D,), default=None
        Writable memory of type `dtype` to lay the rows in.

    Returns
    -------
    Packed
    """
    flat, flat_lengths = sequences.take(indices, dtype)
    order, sizes, starts, lengths, sources = layout.plan(flat_lengths)
    if space is not None:
        space = space[: flat.size].reshape(flat.shape)
    rows = flat.take(sources, axis=0, out=space, mode="clip")
    return Packed(rows, sizes, starts, lengths, order)
