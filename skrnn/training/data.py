"""Sequences with their targets and weights."""

import numpy as np


class TrainingData:
    """What a network is fitted to, or judged on.

    Parameters
    ----------
    sequences : Sequences
    targets : ndarray of shape (n_sequences, ...)
        Encoded, as the loss takes them.
    weights : ndarray of shape (n_sequences,)
        Of any scale; kept with mean 1, so that weights of 1 and no weights are the
        same.
    """

    def __init__(self, sequences, targets, weights):
        self.sequences = sequences
        self.targets = targets
        self.weights = np.asarray(weights, np.float64) / np.mean(weights)

    def __len__(self):
        return len(self.sequences)
