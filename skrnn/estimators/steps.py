"""Targets and answers for each step of a sequence."""

import numpy as np

from skrnn.sequences import join_steps, naming, split_steps
from skrnn.training import StepData


class StepTargetsMixin:
    """Makes an estimator of one target for each sequence one of a target for each step.

    The steps of all sequences are encoded, weighted and answered as the sequences
    themselves would be. A subclass says in `_is_ignored` which of them do not count.
    """

    pooling = "steps"
    _data_kind = StepData

    def _join_targets(self, sequences, y, sample_weight, encode, suffix=""):
        lengths = sequences.lengths
        y = join_steps(y, lengths, f"y{suffix}")
        with naming(f"y{suffix}"):
            targets, heard = self._encode_heard(y, encode)
        with naming(f"sample_weight{suffix}"):
            weights = spread_weights(sample_weight, lengths, f"sample_weight{suffix}")
            weights = self._total_weights(weights, targets) * heard
        return self._data_kind(sequences, targets, weights)

    def _encode_heard(self, y, encode):
        """Encoded targets, zero for steps that are ignored, and which are not."""
        heard = ~self._is_ignored(y)
        if not heard.any():
            raise ValueError("y must have a step that is not ignored, got none.")
        encoded = encode(y[heard])
        self._make_loss(**self._loss_parameters()).check_targets(encoded)
        targets = np.zeros((len(y), *encoded.shape[1:]), encoded.dtype)
        targets[heard] = encoded
        return targets, heard

    def _stratify(self, y):
        return None

    def _weights_at(self, sample_weight, indices, n_sequences):
        return [sample_weight[i] for i in indices]

    def _respond(self, method, X):
        values, lengths = self._respond_flat(method, X)
        return split_steps(values, lengths)

    def _score_parts(self, X, y, sample_weight):
        """Encoded targets, predictions and weights of all steps that count."""
        predicted, lengths = self._respond_flat("predict", X)
        y = join_steps(y, lengths)
        heard = ~self._is_ignored(y)
        weights = spread_weights(sample_weight, lengths, "sample_weight")
        return y[heard], predicted[heard], None if weights is None else weights[heard]


def spread_weights(sample_weight, lengths, name):
    """A weight for each step, or None; that of a sequence holds for all its steps."""
    if sample_weight is None:
        return None
    ragged = any(np.ndim(weight) > 0 for weight in sample_weight)
    if ragged:
        return join_steps(sample_weight, lengths, name)
    if len(sample_weight) != lengths.size:
        raise ValueError(
            f"{name} must hold a weight, or an array of weights of the steps, for each "
            f"of the {lengths.size} sequences, got {len(sample_weight)}."
        )
    return np.repeat(np.asarray(sample_weight, np.float64), lengths)
