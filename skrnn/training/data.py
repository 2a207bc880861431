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
        self.sample_weight = sample_weight
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

    def in_order(self):
        """All targets as the loss takes them, and weights that sum to 1."""
        return self.targets, self.weights / len(self)

    def of_packed(self, indices, plan):
        """Targets of a packed minibatch, and weights that sum to about 1.

        Parameters
        ----------
        indices : ndarray of shape (B,)
            The minibatch.
        plan : Plan
            Of all of it, or of a shard.
        """
        chosen = indices[plan.order]
        return self.targets.take(chosen, axis=0), self.weights[chosen] / indices.size

    def select(self, indices):
        """The data at `indices`."""
        return TrainingData(
            self.sequences.select(indices),
            self.targets[indices],
            self.sample_weight[indices],
        )

    def heard_indices(self):
        """Indices of the sequences of positive weight: the others are not there."""
        return np.flatnonzero(self.weights)

    def heard(self):
        """The data at `heard_indices`."""
        indices = self.heard_indices()
        return self if indices.size == len(self) else self.select(indices)


class StepData(TrainingData):
    """Sequences with a target for each step.

    Parameters
    ----------
    sequences : Sequences
    targets : ndarray of shape (n_steps, ...)
        Of all steps, one sequence after the other.
    sample_weight : ndarray of shape (n_steps,)

    Attributes
    ----------
    mean_weight : float
        Mean of `sample_weight` over the steps that count.
    weights : ndarray of shape (n_steps,)
        Of a mean such that the weights of an average sequence sum to 1.
    """

    def __init__(self, sequences, targets, sample_weight):
        super().__init__(sequences, targets, sample_weight)
        self.weights *= len(sequences) / sequences.n_steps
        self.mean_weight *= self.weights.size / np.count_nonzero(self.weights)
        self._firsts = np.cumsum(sequences.lengths) - sequences.lengths

    def of_packed(self, indices, plan):
        firsts = self._firsts[indices[plan.order]]
        rows = firsts[plan.sequence_of_row] + plan.step_of_row
        return self.targets.take(rows, axis=0), self.weights[rows] / indices.size

    def select(self, indices):
        sequences = self.sequences.select(indices)
        firsts, lengths = self._firsts[indices], sequences.lengths
        ends = np.cumsum(lengths)
        rows = np.arange(ends[-1]) + np.repeat(firsts - ends + lengths, lengths)
        return type(self)(sequences, self.targets[rows], self.sample_weight[rows])

    def heard_indices(self):
        return np.flatnonzero(np.add.reduceat(self.weights, self._firsts))


class ChainData(StepData):
    """Sequences with a label for each step, to be judged as a whole.

    The targets are the labels, the places of the steps, one sequence after the other,
    and the lengths of the sequences.
    """

    def in_order(self):
        targets, weights = super().in_order()
        return (targets, np.arange(targets.size), self.sequences.lengths), weights

    def of_packed(self, indices, plan):
        targets, weights = super().of_packed(indices, plan)
        return (targets, plan.unpacked_rows, plan.lengths[plan.ranks]), weights
