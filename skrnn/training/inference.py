"""A network applied to many sequences, in batches that bound the memory."""

import math
from itertools import pairwise

import numpy as np

from skrnn.network.network import VECTOR_COUNTS_AS
from skrnn.network.workspace import Workspace
from skrnn.sequences import pack
from skrnn.training.memory import check_batches
from skrnn.training.threads import CallingThread, Threads

BATCH_STEPS = 8192
BATCH_SEQUENCES = 512
MIN_BATCH_SEQUENCES = 64
BATCH_UNITS = 32768  # a step of so many units, with all their gates, stays in the cache

# OpenBLAS keeps a product of at most so many multiplications on one thread, by its
# source on any processor.
SINGLE_THREADED = 120_000
# So many multiplications take far longer than to hand them to another thread,
WORTH_A_THREAD = 25 * 10**6
FEWEST_SEQUENCES = 16  # if they are of as many sequences


def map_batches(function, network, sequences, threads, spaces):
    """Apply `function` to all sequences, one packed batch after the other.

    Parameters
    ----------
    function : callable
        Maps a packed batch and a workspace to a result that is no part of the latter.
    network : Network
    sequences : Sequences
    threads : Threads
    spaces : list of Workspace
        Free ones, the last to be taken first; each further thread makes its own. All
        are given back.

    Returns
    -------
    list
        The results, in the order of the batches.
    """
    batches = _batches(sequences.lengths, network)
    check_batches(network, sequences, batches, threads.n_jobs)

    def apply(indices):
        packed = pack(sequences, indices, network.row_dtype)
        try:
            space = spaces.pop()
        except IndexError:
            space = Workspace(network.dtype)
        result = function(packed, space)
        spaces.append(space)
        return result

    return threads.map(apply, batches)


def threads_for(network, n_sequences, n_steps, n_jobs):
    """Threads to apply a network to so many steps: as many as the work is worth.

    Where all products of BLAS together are small, nothing is asked of it.
    """
    n_worth = _steps_worth_threads(network)
    per_sequence, per_step = network.multiplications
    n_above = per_sequence * max(n_sequences, VECTOR_COUNTS_AS)
    n_above += per_step * max(n_steps, VECTOR_COUNTS_AS)
    if n_steps < n_worth and n_above <= SINGLE_THREADED:
        return CallingThread()
    return Threads(n_jobs if n_steps >= n_worth else 1)


def light_streams(network):
    """Streams whose steps are neither worth a thread nor let BLAS start some."""
    n_single = SINGLE_THREADED // sum(network.multiplications)
    if n_single < VECTOR_COUNTS_AS:
        return 0
    return min(n_single, _steps_worth_threads(network) - 1)


def _steps_worth_threads(network):
    """Steps from which on there is work for two threads."""
    return -(-2 * WORTH_A_THREAD // network.layout.n_weights)


def batch_sequences(network):
    """How many sequences to run at once."""
    n_units = max(layer.n_units for layer in network.stack.layers)
    return min(max(BATCH_UNITS // n_units, MIN_BATCH_SEQUENCES), BATCH_SEQUENCES)


def raw_scores(network, theta, sequences, threads):
    """Raw scores of all sequences, (n_sequences, K), or of all steps, (n_steps, K)."""

    def predict(packed, space):
        return network.answer(theta, packed, space)

    return np.concatenate(map_batches(predict, network, sequences, threads, []))


def _batches(lengths, network):
    """Cut all sequences into runs of about as many steps, or of one sequence.

    A run has about BATCH_STEPS real steps at most. There are two at least where a
    thread is worth it, whether there are two threads or one.
    """
    ends = np.cumsum(lengths)
    n_sequences, n_steps = lengths.size, int(ends[-1])
    is_worth_threads = (
        n_steps >= _steps_worth_threads(network) and n_sequences >= 2 * FEWEST_SEQUENCES
    )
    n_filled = max(n_steps / BATCH_STEPS, n_sequences / batch_sequences(network))
    n_batches = max(math.ceil(n_filled), 1 + is_worth_threads)
    n_batches += n_batches % 2 if is_worth_threads else 0
    shares = n_steps * np.arange(1, n_batches) / n_batches
    bounds = {0, *(np.searchsorted(ends, shares) + 1).tolist(), n_sequences}
    indices = np.arange(n_sequences)
    return [indices[slice(*pair)] for pair in pairwise(sorted(bounds))]
