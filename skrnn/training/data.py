"""Sequences with their targets and weights."""

import numpy as np


class TrainingData:
    """What a network is fitted to, or judged on.

    Parameters
    ----------
    sequences : Sequences
    targets : ndarray of shape (n_sequences, ...)
        Encoded, as the loss takes them.
    sample_weight : ndarray of shape (n_sequences,)
        Non-negative, of any scale.

    Raises
    ------
    ValueError
        When the mean of the weights is zero or infinite.

    Attributes
    ----------
    mean_weight : float
        Mean of `sample_weight`.
    weights : ndarray of shape (n_sequences,)
        `sample_weight` over its mean.
    """

    def __init__(self, sequences, targets, sample_weight):
        self.sequences = sequences
        self.targets = targets
        largest = float(np.max(sample_weight))
        if not 0.0 < largest < np.inf:
            raise ValueError(
                "sample_weight, times class_weight, must be positive for at least one "
                f"sequence, and not too large for a float, got a largest of {largest}."
            )
        shares = np.asarray(sample_weight, np.float64) / largest  # their sum is finite
        self.mean_weight = largest * float(shares.mean())
        self.weights = shares / shares.mean()

    def __len__(self):
        return len(self.sequences)

    def select(self, indices):
        """The data at `indices`."""
        return TrainingData(
            self.sequences.select(indices),
            self.targets[indices],
            self.weights[indices] * self.mean_weight,
        )

    def heard(self):
        """The data of positive weight: a sequence of weight zero is not there."""
        return self if self.weights.all() else self.select(np.flatnonzero(self.weights))
