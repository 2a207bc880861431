"""Targets and answers for each step of a sequence."""

from contextlib import contextmanager

import numpy as np
from sklearn.utils.validation import check_array

from skrnn.losses.base import WrongTarget, refuse_first
from skrnn.sequences import (
    as_plain,
    has_no_target,
    is_missing,
    join_steps,
    naming,
    place_of,
    refuse_masked,
    split_steps,
)
from skrnn.training import StepData


class StepTargetsMixin:
    """Makes an estimator of one target for each sequence one of a target for each step.

    The steps of all sequences are encoded, weighted and answered as the sequences
    themselves would be. A subclass may say in `_is_ignored` which of them do not count.
    """

    pooling = "steps"
    _readouts = ("steps",)
    _data_kind = StepData

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Fit the network.

        Parameters
        ----------
        X : list of arrays (n_timesteps_i, n_features), list of 1-D arrays, array \
                (n_sequences, n_timesteps, n_features) or (n_sequences, n_timesteps)
            The sequences; see the user guide. Lengths may differ.
        y : list of arrays (n_timesteps_i,) or (n_timesteps_i, n_outputs), or array \
                (n_sequences, n_timesteps) or (n_sequences, n_timesteps, n_outputs)
            Targets of each step; with one output (n_timesteps_i, 1) is the same as
            (n_timesteps_i,). An array is not read behind the end of a sequence.
        sample_weight : array-like of shape (n_sequences,), or list of arrays \
                (n_timesteps_i,), default=None
            Weights of the sequences, which all their steps get, or of the steps.
        X_val, y_val, sample_weight_val : default=None
            Data to judge each epoch by, used instead of a `validation_fraction`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            For data or a parameter that cannot be used, which leaves the estimator as
            it was, and when the loss becomes infinite or NaN; the best weights, or the
            last with a finite loss, are then kept.
        """
        return super().fit(
            X,
            y,
            sample_weight,
            X_val=X_val,
            y_val=y_val,
            sample_weight_val=sample_weight_val,
        )

    def _join_targets(self, sequences, y, sample_weight, encode, suffix=""):
        lengths = sequences.lengths
        y = join_targets(y, lengths, f"y{suffix}")
        with naming(f"y{suffix}"):
            targets, heard = self._encode_heard(y, lengths, encode, f"y{suffix}")
        with naming(f"sample_weight{suffix}"):
            weights = spread_weights(sample_weight, lengths, f"sample_weight{suffix}")
            weights = self._total_weights(weights, targets) * heard
        return self._data_kind(sequences, targets, weights)

    def _encode_heard(self, y, lengths, encode, name):
        """Encoded targets, zero for steps that are ignored, and which are not."""
        heard = self._heard(y)
        with _naming_steps(name, heard, lengths):
            encoded = encode(_read_steps(y[heard]))
            self._make_loss(**self._loss_parameters()).check_targets(encoded)
        targets = np.zeros((len(y), *encoded.shape[1:]), encoded.dtype)
        targets[heard] = encoded
        return targets, heard

    def _heard(self, y):
        """Which steps count."""
        heard = ~self._is_ignored(y)
        if not heard.any():
            raise ValueError("y must have a step that is not ignored, got none.")
        return heard

    def _is_ignored(self, y):
        """Which steps do not count: those that have no target."""
        return has_no_target(y)

    def _stratify(self, y):
        return None

    def _respond(self, method, X):
        values, lengths = self._respond_flat(method, X)
        return split_steps(values, lengths)

    def _score_parts(self, X, y, sample_weight, read):
        """Targets as `read`, predictions and weights of all steps that count."""
        predicted, lengths = self._respond_flat("predict", X)
        y = join_targets(y, lengths)
        heard = self._heard(y)
        with naming("y"), _naming_steps("y", heard, lengths):
            targets = read(_read_steps(y[heard]))
        weights = spread_weights(sample_weight, lengths, "sample_weight")
        if weights is not None:
            weights = self._check_weights(weights[heard], len(targets))
        return targets, predicted[heard], weights


@contextmanager
def _naming_steps(name, heard, lengths):
    """Let a target that is refused be named by its sequence and step."""
    try:
        yield
    except WrongTarget as error:
        i, step = place_of(np.flatnonzero(heard)[error.position[0]], lengths)
        raise ValueError(
            f"{name}[{i}] must be {error.rule}, got {error.value} at step {step}."
        ) from error


def join_targets(y, lengths, name="y"):
    """Targets of all steps; a single column, such as a scaler makes, is 1-D."""
    y = join_steps(y, lengths, name)
    return y[:, 0] if y.shape[1:] == (1,) else y


def _read_steps(y):
    """Targets of the steps that count, none of them infinite or half missing."""
    rule = "finite, or NaN in all columns"
    refuse_first(y, is_missing(y), rule)
    y = as_plain(y)
    if y.dtype.kind == "f":
        refuse_first(y, ~np.isfinite(y), rule)
    return y


def spread_weights(sample_weight, lengths, name):
    """A weight for each step, or None; that of a sequence holds for all its steps."""
    if sample_weight is None:
        return None
    with naming(name), np.errstate(over="ignore"):  # what becomes infinite is refused
        weights = _spread(sample_weight, lengths, name)
        weights = check_array(
            weights, ensure_2d=False, dtype=np.float64, ensure_all_finite=False
        )
    with _naming_steps(name, np.ones(len(weights), bool), lengths):
        refused = ~((weights >= 0) & (weights < np.inf))
        refuse_first(weights, refused, "non-negative and finite")
    return weights


def _spread(sample_weight, lengths, name):
    refuse_masked(sample_weight, name)
    if hasattr(sample_weight, "__array__"):
        sample_weight = np.asarray(sample_weight)
    is_one = not hasattr(sample_weight, "__len__")
    if is_one or any(np.ndim(weight) > 0 for weight in sample_weight):
        return join_steps(sample_weight, lengths, name)
    if len(sample_weight) != lengths.size:
        raise ValueError(
            f"{name} must hold a weight, or an array of weights of the steps, for each "
            f"of the {lengths.size} sequences, got {len(sample_weight)}."
        )
    return np.repeat(np.asarray(sample_weight), lengths)
