"""A network applied to many sequences, in batches that bound the memory."""

import numpy as np

from skrnn.network.workspace import Workspace
from skrnn.sequences import pack

BATCH_STEPS = 8192
BATCH_SEQUENCES = 256
MIN_BATCH_SEQUENCES = 64
BATCH_UNITS = 16384  # a step of so many units, with all their gates, stays in the cache


def map_batches(function, network, sequences, threads):
    """Apply `function` to all sequences, one packed batch after the other.

    Parameters
    ----------
    function : callable
        Maps a packed batch and a workspace to a result that is no part of the latter.
    network : Network
    sequences : Sequences
    threads : Threads

    Returns
    -------
    list
        The results, in the order of the batches.
    """

    free = []

    def apply(indices):
        packed = pack(sequences, indices, network.dtype)
        space = free.pop() if free else Workspace(network.dtype)
        result = function(packed, space)
        free.append(space)
        return result

    batches = _batches(sequences.lengths, batch_sequences(network))
    return threads.map(apply, batches)


def batch_sequences(network):
    """How many sequences to run at once."""
    n_units = max(layer.n_units for layer in network.stack.layers)
    return min(max(BATCH_UNITS // n_units, MIN_BATCH_SEQUENCES), BATCH_SEQUENCES)


def raw_scores(network, theta, sequences, threads):
    """Raw scores of all sequences, (n_sequences, K)."""

    def predict(packed, space):
        return packed.restore(network.predict_raw(theta, packed, space))

    return np.concatenate(map_batches(predict, network, sequences, threads))


def _batches(lengths, size):
    """Cut all sequences into runs of at most BATCH_STEPS real steps, or of one.

    No run has more than `size` sequences.
    """
    ends, batches, start = np.cumsum(lengths), [], 0
    while start < lengths.size:
        limit = ends[start] - lengths[start] + BATCH_STEPS
        stop = max(int(np.searchsorted(ends, limit, side="right")), start + 1)
        stop = min(stop, start + size)
        batches.append(np.arange(start, stop))
        start = stop
    return batches
