"""Which row is which: the index arithmetic of packed minibatches."""

import functools
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from skrnn.lazy import cached_property

BLOCK_ROWS = 128  # a block has the steps that begin within so many rows
MAX_REMEMBERED = 2**16  # rows


@dataclass(frozen=True, eq=False)
class Plan:
    """Where the steps of B sequences lie, longest sequence first.

    They have N steps in all; row ``starts[t] + b`` is step t of packed sequence b, and
    the first ``sizes[t]`` sequences are active at step t. Minibatches with the same
    plan, the very same object, can be run in the same place. No array may be written
    to.

    Attributes
    ----------
    sizes : ndarray of shape (T,), int64
        Number of sequences that are active at each step.
    starts : ndarray of shape (T + 1,), int64
        First row of each step; the last entry is N.
    lengths : ndarray of shape (B,), int64
        Number of steps of each packed sequence, descending.
    order : ndarray of shape (B,), int64
        Position in the minibatch of each packed sequence.
    """

    sizes: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    order: np.ndarray

    @cached_property
    def n_sequences(self):
        """Number of sequences, B."""
        return self.lengths.size

    @cached_property
    def n_rows(self):
        """Number of rows, N."""
        return int(self.starts[-1])

    @cached_property
    def is_equal(self):
        """Whether all lengths are equal."""
        return self.n_rows == self.sizes.size * self.lengths.size

    @cached_property
    def blocks(self):
        """First step of each block of about `BLOCK_ROWS` rows, and T.

        A block has fewer than ``BLOCK_ROWS + B`` rows, for which the loops have room.
        """
        numbers = self.starts[:-1] // BLOCK_ROWS
        (before,) = np.nonzero(numbers[1:] > numbers[:-1])
        return np.concatenate([[0], before + 1, [self.sizes.size]])

    @cached_property
    def last_rows(self):
        """Row of the last step of each packed sequence, (B,)."""
        return self.starts[self.lengths - 1] + np.arange(self.lengths.size)

    @cached_property
    def reverse_rows(self):
        """Row of the mirrored step of each row, (N,).

        ``rows[reverse_rows]`` runs each sequence backwards within its own length.
        """
        step, member = self._members
        return self.starts[self.lengths[member] - 1 - step] + member

    @property
    def step_of_row(self):
        """Step that each row belongs to, (N,)."""
        return self._members[0]

    @property
    def sequence_of_row(self):
        """Packed sequence that each row belongs to, (N,)."""
        return self._members[1]

    @cached_property
    def ranks(self):
        """Packed sequence of each position in the minibatch, (B,)."""
        return np.argsort(self.order)

    @cached_property
    def sources(self):
        """Place of each row, (N,), if packed sequences lie one after the other."""
        firsts = np.cumsum(self.lengths) - self.lengths
        step, member = self._members
        sources = firsts[member]
        sources += step
        return sources

    @cached_property
    def unpacked_rows(self):
        """Row of each step, (N,), one sequence after the other, unsorted."""
        lengths = self.lengths[self.ranks]
        ends = np.cumsum(lengths)
        step = np.arange(self.n_rows) - np.repeat(ends - lengths, lengths)
        return self.starts[step] + np.repeat(self.ranks, lengths)

    @cached_property
    def _members(self):
        """Step and packed sequence of each row, (N,) each."""
        step = np.repeat(np.arange(self.sizes.size), self.sizes)
        member = np.arange(self.n_rows)
        member -= self.starts[step]
        return step, member

    def time_slice(self, start, stop):
        """The plan of steps `start` to `stop` of the sequences active at `start`."""
        n_active = self.sizes[start]
        return Plan(
            sizes=self.sizes[start:stop],
            starts=self.starts[start : stop + 1] - self.starts[start],
            lengths=np.minimum(self.lengths[:n_active], stop) - start,
            order=self.order[:n_active],
        )

    def shards(self, n_shards):
        """Cut the packed sequences into plans of about equally many rows.

        Sequences of similar lengths stay together, so that all shards together have
        few steps.

        Parameters
        ----------
        n_shards : int
            Wanted number of shards; there may be fewer.

        Returns
        -------
        list of (Plan, slice)
            The plan of each shard, whose `order` refers to the whole minibatch, and
            the positions of its sequences among the packed sequences of the whole.
        """
        if n_shards <= 1:
            return [(self, slice(None))]
        if n_shards not in self._shards:
            centres = np.cumsum(self.lengths) - 0.5 * self.lengths
            wanted = np.arange(1, n_shards) * (self.n_rows / n_shards)
            cuts = {0, *np.searchsorted(centres, wanted).tolist(), self.n_sequences}
            bounds = pairwise(sorted(cuts))
            self._shards[n_shards] = [self._shard(slice(*part)) for part in bounds]
        return self._shards[n_shards]

    @cached_property
    def _shards(self):
        return {}

    def _shard(self, positions):
        lengths = self.lengths[positions]
        plan = Plan(*_count_rows(lengths), lengths, self.order[positions])
        return plan, positions


@dataclass(frozen=True)
class Outline:
    """The sizes of a plan whose arrays are not made, for what only counts.

    Attributes
    ----------
    n_sequences, n_rows : int
        As of `Plan`.
    """

    n_sequences: int
    n_rows: int
    sizes = starts = blocks = None
    last_rows = 0


def make_plan(lengths):
    """Plan a minibatch of sequences of the given lengths, (B,)."""
    order = np.argsort(-lengths, kind="stable")
    return Plan(*_count_rows(lengths), lengths[order], order)


def plan_equal(n_sequences, length):
    """Plan a minibatch of sequences of one length; the latest are remembered."""
    if n_sequences * length > MAX_REMEMBERED:
        return _plan_equal.__wrapped__(n_sequences, length)
    return _plan_equal(n_sequences, length)


@functools.lru_cache(maxsize=4)
def _plan_equal(n_sequences, length):
    return make_plan(np.full(n_sequences, length, np.int64))


def _count_rows(lengths):
    """Return `sizes`, (T,), and `starts`, (T + 1,), of sequences in any order."""
    n_ended = np.cumsum(np.bincount(lengths))
    sizes = lengths.size - n_ended[:-1]
    starts = np.zeros(n_ended.size, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return sizes, starts
