"""A network applied to many sequences, in batches that bound the memory."""

import numpy as np

from skrnn.network.workspace import Workspace
from skrnn.sequences import pack

BATCH_STEPS = 8192
BATCH_SEQUENCES = 256


def map_batches(function, network, sequences, threads):
    """Apply `function` to all sequences, one packed batch after the other.

    Parameters
    ----------
    function : callable
        Maps a packed batch and a workspace to a result.
    network : Network
    sequences : Sequences
    threads : Threads

    Returns
    -------
    list
        The results, in the order of the batches.
    """

    def apply(indices):
        packed = pack(sequences, indices, network.dtype)
        return function(packed, Workspace(network.dtype))

    return threads.map(apply, _batches(sequences.lengths))


def raw_scores(network, theta, sequences, threads):
    """Raw scores of all sequences, (n_sequences, K)."""

    def predict(packed, space):
        return packed.restore(network.predict_raw(theta, packed, space))

    return np.concatenate(map_batches(predict, network, sequences, threads))


def _batches(lengths):
    """Cut all sequences into runs of about BATCH_STEPS real steps."""
    n_per_batch = BATCH_STEPS * lengths.size // max(int(lengths.sum()), 1)
    n_per_batch = min(max(n_per_batch, 1), BATCH_SEQUENCES)
    starts = range(0, lengths.size, n_per_batch)
    return [np.arange(i, min(i + n_per_batch, lengths.size)) for i in starts]
