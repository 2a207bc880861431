"""Padded arrays and ragged lists, made into each other."""

import numpy as np

from skrnn.sequences import ListSequences, check_sequences, refuse_masked

NAN = float("nan")


def to_padded(X, value=NAN, length=None):
    """Fill sequences up to one length.

    skrnn needs no padding; other libraries may.

    Parameters
    ----------
    X : sequences
        Any form that the estimators take; NaN may stand for missing values.

    value : float, default=NaN
        What to fill up with, at the end. NaN is what the estimators of skrnn leave out.

    length : int, default=None
        Number of steps of all sequences; None for that of the longest.

    Returns
    -------
    ndarray of shape (n_sequences, length, n_features)
        Of the type that holds both X and `value`: integers padded with 0 stay integers.

    Raises
    ------
    ValueError
        If a sequence is longer than `length`.

    See Also
    --------
    skrnn.preprocessing.from_padded : The way back.

    Examples
    --------
    >>> from skrnn.preprocessing import to_padded
    >>> to_padded([[1, 2, 3], [4]], value=0)[:, :, 0]
    array([[1, 2, 3],
           [4, 0, 0]])
    """
    sequences = check_sequences(X, allow_nan=True)
    if length is None:
        length = sequences.lengths.max()
    if (sequences.lengths > length).any():
        i = int((sequences.lengths > length).argmax())
        raise ValueError(
            f"length must be at least {sequences.lengths.max()}, the longest of X, got "
            f"{length}, and X[{i}] has {sequences.lengths[i]} steps; shorten with "
            "[x[-length:] for x in X]."
        )
    is_list = isinstance(sequences, ListSequences)
    arrays = sequences.arrays if is_list else [sequences.array]
    dtype = np.result_type(*{array.dtype for array in arrays}, value)
    rows = sequences.take(np.arange(len(sequences)), dtype)
    return fill_up(rows, sequences.lengths, length, value)


def fill_up(rows, lengths, n_timesteps, value=NAN):
    """Lay sequences side by side, filled up with `value` at the end.

    Parameters
    ----------
    rows : ndarray of shape (sum of lengths, n_features)
        The steps, one sequence after the other.
    lengths : ndarray of shape (n,), int
    n_timesteps : int
        T, as much as the longest or more.
    value : float

    Returns
    -------
    ndarray of shape (n, T, n_features)
        A view of `rows` where all lengths are T.
    """
    n, n_features = lengths.size, rows.shape[1]
    if len(rows) == n * n_timesteps:
        return rows.reshape(n, n_timesteps, n_features)
    dtype = np.result_type(rows.dtype, value)
    padded = np.full((n, n_timesteps, n_features), value, dtype)
    padded[np.arange(n_timesteps) < lengths[:, np.newaxis]] = rows
    return padded


def from_padded(X, lengths=None, value=NAN):
    """Cut padding off.

    Parameters
    ----------
    X : array-like of shape (n_sequences, n_timesteps, n_features) or (n_sequences, \
            n_timesteps)
        Sequences with padding at the end.

    lengths : array-like of shape (n_sequences,), default=None
        Number of steps of each sequence. None to cut off all steps at the end that are
        `value` in all features; a real step that happens to be so is lost with them.

    value : float, default=NaN
        The padding; without meaning where `lengths` are given.

    Returns
    -------
    list of ndarray of shape (n_timesteps_i, n_features) or (n_timesteps_i,)
        Views of X.

    Raises
    ------
    ValueError
        If X has another number of axes or is masked, a sequence has no step, or
        `lengths` do not fit X.

    See Also
    --------
    skrnn.preprocessing.to_padded : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import from_padded
    >>> from_padded(np.array([[7, 8, 9], [5, 0, 0]]), value=0)
    [array([7, 8, 9]), array([5])]
    """
    _refuse_masked_parts(X)
    X = np.asarray(X)
    if X.ndim not in (2, 3):
        raise ValueError(
            "X must be an array (n_sequences, n_timesteps, n_features) or "
            f"(n_sequences, n_timesteps), got shape {X.shape}."
        )
    if lengths is None:
        lengths = _measure(X, value)
    lengths = _check_lengths(lengths, X)
    return [x[:length] for x, length in zip(X, lengths.tolist(), strict=True)]


def _refuse_masked_parts(X):
    refuse_masked(X, "X")
    if isinstance(X, (list, tuple)):
        for i, x in enumerate(X):
            refuse_masked(x, f"X[{i}]")


def _measure(X, value):
    """Number of steps of each sequence before those that are `value` to the end."""
    is_padding = np.isnan(X) if np.isnan(value) else X == value
    if X.ndim == 3:
        is_padding = is_padding.all(axis=2)
    n_trailing = np.logical_and.accumulate(is_padding[:, ::-1], axis=1).sum(axis=1)
    return X.shape[1] - n_trailing


def _check_lengths(lengths, X):
    refuse_masked(lengths, "lengths")
    lengths = np.asarray(lengths)
    if lengths.shape != (len(X),) or lengths.dtype.kind not in "iu":
        raise ValueError(
            f"lengths must be {len(X)} integers, one for each sequence of X, got shape "
            f"{lengths.shape} of dtype {lengths.dtype}."
        )
    for i in np.flatnonzero((lengths < 1) | (lengths > X.shape[1]))[:1]:
        raise ValueError(
            f"X[{i}] must have 1 to {X.shape[1]} steps, got {lengths[i]}; leave out "
            "empty sequences."
        )
    return lengths
