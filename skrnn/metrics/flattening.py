"""Ragged targets and predictions as flat arrays, one row for each step."""

from typing import NamedTuple

import numpy as np

from skrnn.sequences import (
    as_plain,
    concatenate_targets,
    has_no_target,
    read_targets,
)


class Steps(NamedTuple):
    """The labelled steps of all sequences, one after the other.

    Attributes
    ----------
    true, pred : ndarray of shape (n_steps,) or (n_steps, n_columns)
    weight : ndarray of shape (n_steps,), or None
    sequence : ndarray of shape (n_steps,), int
        Which sequence each step is of.
    """

    true: np.ndarray
    pred: np.ndarray
    weight: np.ndarray | None
    sequence: np.ndarray


def flatten(y_true, y_pred, sample_weight=None, ignored=None):
    """Join the sequences of y_true, and those of y_pred.

    Steps without a true label, NaN, None or `ignored`, are left out. Where one of two
    sequences is longer, what it has more must be such steps: padding.

    Parameters
    ----------
    y_true, y_pred : list of array-likes of shape (n_timesteps_i, ...), or array
    sample_weight : array-like of shape (n_sequences,), list of arrays or None
    ignored : object
        A label, or None.

    Returns
    -------
    Steps
    """
    true, pred = _read(y_true, "y_true"), _read(y_pred, "y_pred")
    if len(true) != len(pred):
        raise ValueError(
            "y_true and y_pred must have the same number of sequences, got "
            f"{len(true)} and {len(pred)}."
        )
    _cut_padding(true, pred, ignored)
    lengths = np.fromiter(map(len, true), np.intp, len(true))
    flat, guesses = concatenate_targets(true), concatenate_targets(pred)
    kept = ~has_no_target(flat, ignored)
    if not kept.any():
        raise ValueError("y_true must have at least one labelled step, got none.")
    sequence = np.repeat(np.arange(len(true)), lengths)[kept]
    weight = None
    if sample_weight is not None:
        weight = _weigh(sample_weight, lengths)[kept]
        check_weights(weight, sequence)
    _check_predicted(guesses[kept], sequence)
    true, pred = as_plain(flat[kept], "y_true"), as_plain(guesses[kept], "y_pred")
    return Steps(true, pred, weight, sequence)


def check_weights(weights, sequence):
    """Refuse weights that no mean can be taken with, by the sequence they are of."""
    for k in np.flatnonzero(~((weights >= 0) & (weights < np.inf)))[:1]:
        raise ValueError(
            f"sample_weight[{sequence[k]}] must be non-negative and finite, got "
            f"{weights[k]}."
        )
    if not weights.any():
        raise ValueError(
            "sample_weight must be positive for a labelled step, got zeros only."
        )


def _read(y, name):
    """Return the sequences of `y` as arrays whose steps are all of one shape."""
    if hasattr(y, "__array__"):
        y = np.asarray(y)
    if isinstance(y, str) or not hasattr(y, "__len__") or len(y) == 0:
        raise ValueError(
            f"{name} must be a list with an array for each sequence, got {y!r:.60}."
        )
    arrays = [read_targets(part) for part in y]
    for i, array in enumerate(arrays):
        if array.ndim not in (1, 2):
            raise ValueError(
                f"{name}[{i}] must have one label or one row for each step, got an "
                f"array of shape {array.shape}."
            )
        if array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"The steps of {name}[{i}] must have the shape of those of {name}[0], "
                f"{arrays[0].shape[1:]}, got {array.shape[1:]}."
            )
    return arrays


def _check_predicted(pred, sequence):
    """Refuse a missing prediction, which among strings would be the label "nan"."""
    for i in sequence[has_no_target(pred)][:1]:
        raise ValueError(
            f"y_pred[{i}] must have a prediction for each labelled step, got NaN or "
            "None."
        )


def _cut_padding(true, pred, ignored):
    """Make each two arrays of the lists `true` and `pred` equally long."""
    for i, (t, p) in enumerate(zip(true, pred, strict=True)):
        n = min(len(t), len(p))
        if len(t) == len(p):
            continue
        if not all(has_no_target(part[n:], ignored).all() for part in (t, p)):
            raise ValueError(
                f"y_true[{i}] and y_pred[{i}] must have the same number of steps, got "
                f"{len(t)} and {len(p)}."
            )
        true[i], pred[i] = t[:n], p[:n]


def _weigh(sample_weight, lengths):
    """Return the weight of each step."""
    if hasattr(sample_weight, "__array__"):
        sample_weight = np.asarray(sample_weight)
    if len(sample_weight) != len(lengths):
        raise ValueError(
            "sample_weight must have an entry for each sequence, got "
            f"{len(sample_weight)} for {len(lengths)} sequences."
        )
    if all(np.ndim(weight) == 0 for weight in sample_weight):
        return np.repeat(np.asarray(sample_weight, dtype=np.float64), lengths)
    parts = [np.asarray(weight, dtype=np.float64) for weight in sample_weight]
    for i, (part, n) in enumerate(zip(parts, lengths, strict=True)):
        if len(part) < n or not has_no_target(part[n:], 0).all():
            raise ValueError(
                f"sample_weight[{i}] must have a weight for each step, {n}, got "
                f"{len(part)}."
            )
    return np.concatenate([part[:n] for part, n in zip(parts, lengths, strict=True)])
