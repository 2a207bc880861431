"""Targets of every step: what y may be, and the way to one flat array and back."""

from itertools import pairwise

import numpy as np

FORMS = (
    "a list with an array of targets for each sequence, (n_timesteps_i,) or "
    "(n_timesteps_i, n_outputs), or one array padded to (n_sequences, n_timesteps)"
)


def join_steps(y, lengths, name="y"):
    """Targets, or weights, of all steps, one sequence after the other.

    Parameters
    ----------
    y : list, tuple or array
        An array-like of shape (lengths[i],) or (lengths[i], n_outputs) for each
        sequence, or an array of shape (n_sequences, n_timesteps) or (n_sequences,
        n_timesteps, n_outputs), which is not read behind the end of a sequence.
    lengths : ndarray of shape (n_sequences,)
    name : str, default="y"
        What messages call it.

    Returns
    -------
    ndarray of shape (n_steps,) or (n_steps, n_outputs)

    Raises
    ------
    ValueError
        That names the first sequence whose targets do not fit.
    """
    if len(y) != lengths.size:
        raise ValueError(
            f"{name} must hold the steps of each of the {lengths.size} sequences in X, "
            f"got {len(y)}."
        )
    if isinstance(y, np.ndarray) and y.ndim in (2, 3):
        return _join_padded(y, lengths, name)
    parts = [_read(part, i, name) for i, part in enumerate(y)]
    for i, (part, length) in enumerate(zip(parts, lengths.tolist(), strict=True)):
        if len(part) != length or part.shape[1:] != parts[0].shape[1:]:
            wanted = (length, *parts[0].shape[1:])
            raise ValueError(
                f"{name}[{i}] must be of shape {wanted}, a row for each step of "
                f"X[{i}], got shape {part.shape}."
            )
    return np.concatenate(parts)


def split_steps(values, lengths):
    """Values of all steps, (n_steps, ...), as a list of one array for each sequence."""
    bounds = [0, *np.cumsum(lengths).tolist()]
    return [values[start:stop] for start, stop in pairwise(bounds)]


def _join_padded(y, lengths, name):
    if y.shape[1] < lengths.max():
        raise ValueError(
            f"{name} must have a column for each time step, {lengths.max()} at least, "
            f"got shape {y.shape}."
        )
    return y[np.arange(y.shape[1]) < lengths[:, np.newaxis]]


def _read(part, i, name):
    array = np.asarray(part)
    if array.ndim not in (1, 2):
        got = "a single value" if array.ndim == 0 else f"shape {array.shape}"
        raise ValueError(f"{name} must be {FORMS}, got {got} in {name}[{i}].")
    return array
