"""Which row is which: the index arithmetic of packed minibatches, as kernels.

B sequences, longest first, have N steps in all; row ``starts[t] + b`` is step t of
packed sequence b, and ``sizes[t]`` sequences are active at step t.
"""

import functools

import numpy as np

from skrnn.jit import specialise


@functools.cache
def compiled(kernel):
    """Compile one of the kernels below; all their numbers are int64."""
    return specialise(kernel, np.float64)


def plan(lengths):
    """Lay out B sequences of the given lengths, (B,).

    Returns
    -------
    order, sizes, starts, sorted_lengths : ndarray
        As in `Packed`.
    sources : ndarray of shape (N,), int64
        For each packed row, its place when the sequences lie one after the other.
    """
    sizes, starts = count_rows(lengths)
    order = sort_longest_first(lengths, sizes)
    sorted_lengths = np.empty_like(lengths)
    for b in range(len(order)):
        sorted_lengths[b] = lengths[order[b]]
    return order, sizes, starts, sorted_lengths, find_sources(lengths, order, starts)


def count_rows(lengths):
    """Return `sizes`, (T,), and `starts`, (T + 1,), of sequences in any order."""
    T = 0
    for b in range(len(lengths)):
        T = max(T, lengths[b])
    sizes = np.zeros(T, np.int64)
    for b in range(len(lengths)):
        sizes[lengths[b] - 1] += 1
    for t in range(T - 1, 0, -1):
        sizes[t - 1] += sizes[t]
    starts = np.zeros(T + 1, np.int64)
    for t in range(T):
        starts[t + 1] = starts[t] + sizes[t]
    return sizes, starts


def sort_longest_first(lengths, sizes):
    """Return the indices, (B,), that sort by length, descending and stable."""
    n_longer = np.zeros(len(sizes) + 1, np.int64)
    for t in range(len(sizes)):
        n_longer[t] = sizes[t]
    order = np.empty(len(lengths), np.int64)
    for b in range(len(lengths)):
        order[n_longer[lengths[b]]] = b
        n_longer[lengths[b]] += 1
    return order


def find_sources(lengths, order, starts):
    """Return the place, (N,), of each packed row when sequences are not mixed."""
    firsts = np.zeros(len(lengths) + 1, np.int64)
    for b in range(len(lengths)):
        firsts[b + 1] = firsts[b] + lengths[b]
    sources = np.empty(starts[-1], np.int64)
    for b in range(len(order)):
        for t in range(lengths[order[b]]):
            sources[starts[t] + b] = firsts[order[b]] + t
    return sources


def find_unpacked_rows(lengths, ranks, starts):
    """Return the packed row, (N,), of each step, one sequence after the other."""
    rows = np.empty(starts[-1], np.int64)
    n = 0
    for i in range(len(lengths)):
        for t in range(lengths[i]):
            rows[n] = starts[t] + ranks[i]
            n += 1
    return rows


def find_reverse_rows(lengths, sizes, starts):
    """Return the row, (N,), of each row's mirrored step in its own sequence."""
    rows = np.empty(starts[-1], np.int64)
    for t in range(len(sizes)):
        for b in range(sizes[t]):
            rows[starts[t] + b] = starts[lengths[b] - 1 - t] + b
    return rows


def find_shard_rows(sizes, starts, whole_starts, first, n_shards):
    """Return the rows, (N,), in the whole of the shard with sequences first::n_shards.

    `sizes` and `starts` are the shard's.
    """
    rows = np.empty(starts[-1], np.int64)
    for t in range(len(sizes)):
        for b in range(sizes[t]):
            rows[starts[t] + b] = whole_starts[t] + first + b * n_shards
    return rows
