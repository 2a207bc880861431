"""Which row is which: the index arithmetic of packed minibatches.

B sequences, longest first, have N steps in all; row ``starts[t] + b`` is step t of
packed sequence b, and ``sizes[t]`` sequences are active at step t.
"""

import functools

import numpy as np

MAX_REMEMBERED = 2**16


def plan(lengths):
    """Lay out B sequences of the given lengths, (B,).

    Returns
    -------
    order, sizes, starts, sorted_lengths : ndarray
        As in `Packed`.
    sources : ndarray of shape (N,), int64
        For each packed row, its place when the sequences lie one after the other.
        None of the arrays may be written to.
    """
    if lengths.size * lengths[0] <= MAX_REMEMBERED and (lengths == lengths[0]).all():
        return _plan_equal(lengths.size, int(lengths[0]))
    return _plan(lengths)


@functools.lru_cache(maxsize=4)
def _plan_equal(n_sequences, length):
    """The usual plan, remembered: minibatches of windows or of a 3-D array."""
    return _plan(np.full(n_sequences, length, np.int64))


def _plan(lengths):
    sizes, starts = count_rows(lengths)
    order = np.argsort(-lengths, kind="stable")
    firsts = np.cumsum(lengths) - lengths
    step, member = find_members(sizes, starts)
    sources = firsts[order][member]
    sources += step
    return order, sizes, starts, lengths[order], sources


def count_rows(lengths):
    """Return `sizes`, (T,), and `starts`, (T + 1,), of sequences in any order."""
    n_ended = np.cumsum(np.bincount(lengths))
    sizes = lengths.size - n_ended[:-1]
    starts = np.zeros(n_ended.size, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return sizes, starts


def find_members(sizes, starts):
    """Return the step and the packed sequence, (N,) each, that a row belongs to."""
    step = np.repeat(np.arange(sizes.size), sizes)
    member = np.arange(starts[-1])
    member -= starts[step]
    return step, member


def find_unpacked_rows(lengths, ranks, starts):
    """Return the packed row, (N,), of each step, one sequence after the other."""
    ends = np.cumsum(lengths)
    step = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    return starts[step] + np.repeat(ranks, lengths)


def find_reverse_rows(lengths, sizes, starts):
    """Return the row, (N,), of each row's mirrored step in its own sequence."""
    step, member = find_members(sizes, starts)
    return starts[lengths[member] - 1 - step] + member


def find_shard_rows(sizes, starts, whole_starts, first, n_shards):
    """Return the rows, (N,), in the whole of the shard with sequences first::n_shards.

    `sizes` and `starts` are the shard's.
    """
    step, member = find_members(sizes, starts)
    return whole_starts[step] + first + member * n_shards
