"""Packed minibatches: sorted by length, time-major, without padding."""

from itertools import pairwise

import numpy as np

from skrnn.lazy import cached_property
from skrnn.sequences.layout import make_plan, plan_equal

COPIED_VALUES = 2**20  # of a shard that may lie in memory twice


class Packed:
    """A minibatch of B sequences, longest first, one step after the other.

    The steps of all sequences are N rows: those of step 0 first, and within a step
    those of the longest sequence first. As sequences end, a step has fewer rows.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        Features of each step.
    plan : Plan
        Which row is which.
    positions : slice, default=slice(None)
        Of a share of a minibatch: its sequences among the packed sequences of that.
    """

    def __init__(self, rows, plan, positions=slice(None)):
        self.rows = rows
        self.plan = plan
        self.positions = positions

    def restore(self, values):
        """Return values of the packed sequences, (B, ...), in minibatch order."""
        return values[self.plan.ranks]

    def unpack(self, rows):
        """Split values of the packed steps, (N, ...), into one array a sequence.

        Returns
        -------
        list of ndarray of shape (length, ...)
            In minibatch order.
        """
        plan = self.plan
        flat = rows.take(plan.unpacked_rows, axis=0)
        bounds = [0, *np.cumsum(plan.lengths[plan.ranks]).tolist()]
        return [flat[start:stop] for start, stop in pairwise(bounds)]

    def time_slice(self, start, stop):
        """Return steps `start` to `stop` of the sequences still active at `start`.

        They are the first ``sizes[start]`` packed sequences; the rows are a view.
        """
        starts = self.plan.starts
        stop = min(stop, starts.size - 1)
        rows = self.rows[starts[start] : starts[stop]]
        return Packed(rows, self.plan.time_slice(start, stop))


def pack(sequences, indices, dtype):
    """Pack the sequences at `indices`.

    Parameters
    ----------
    sequences : Sequences
        Checked sequences.
    indices : ndarray of shape (B,), int
        Which of them.
    dtype : dtype
        Type of the rows.

    Returns
    -------
    Packed
    """
    plan = plan_for(sequences, indices)
    return Packed(_pack_rows(sequences, indices[plan.order], plan, dtype), plan)


class Shard(Packed):
    """A share of a minibatch that is packed in the thread that first asks for its rows.

    Parameters
    ----------
    sequences : Sequences
    indices : ndarray of shape (B,), int
        The whole minibatch.
    plan, positions
        As from `Plan.shards`.
    dtype : dtype
        Type of the rows.
    """

    def __init__(self, sequences, indices, plan, positions, dtype):
        self.plan = plan
        self.positions = positions
        self._source = sequences, indices[plan.order], plan, dtype

    @cached_property
    def rows(self):
        """Features of each step, (N, D)."""
        return _pack_rows(*self._source)


def plan_for(sequences, indices):
    """Plan a minibatch of the sequences at `indices`, (B,)."""
    if sequences.common_length:
        return plan_equal(indices.size, sequences.common_length)
    return make_plan(sequences.lengths[indices])


def _pack_rows(sequences, indices, plan, dtype):
    """Packed rows, (N, D), of the sequences at `indices`, longest first."""
    if plan.n_sequences * plan.sizes.size * sequences.n_features > COPIED_VALUES:
        return _rows_of_each(sequences, indices, plan, dtype)
    rows = sequences.take(indices, dtype)
    if plan.is_equal:
        steps = rows.reshape(plan.n_sequences, -1, rows.shape[1]).swapaxes(0, 1)
        return np.ascontiguousarray(steps).reshape(rows.shape)
    return rows.take(plan.sources, axis=0, mode="clip")


def _rows_of_each(sequences, indices, plan, dtype):
    """Packed rows, (N, D), sequence by sequence: slower, but never a second copy."""
    rows = np.empty((plan.n_rows, sequences.n_features), dtype)
    for b, i in enumerate(indices):
        places = plan.starts[: plan.lengths[b]] + b
        rows[places] = sequences.view(i)
    return rows
