"""Data whose steps lie along the last axis."""

import numpy as np

from skrnn.preprocessing.steps import is_list
from skrnn.sequences import refuse_masked


def from_channels_first(X):
    """Bring data with the channels before the time into the order of skrnn.

    Parameters
    ----------
    X : ndarray of shape (n_sequences, n_channels, n_timesteps), or list of ndarrays \
            of shape (n_channels, n_timesteps_i)
        As aeon and PyTorch's convolutions have it.

    Returns
    -------
    ndarray of shape (n_sequences, n_timesteps, n_channels), or list of ndarrays of \
            shape (n_timesteps_i, n_channels)
        Views of X.

    Raises
    ------
    ValueError
        If X is neither a 3-D array nor a list of 2-D arrays, or is masked.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import from_channels_first
    >>> from_channels_first(np.zeros((10, 3, 200))).shape
    (10, 200, 3)
    >>> from_channels_first([np.zeros((3, 5)), np.zeros((3, 8))])[1].shape
    (8, 3)
    """
    return _swap(X, "n_channels, n_timesteps")


def to_channels_first(X):
    """Bring sequences into the order of libraries that have the channels first.

    Parameters
    ----------
    X : ndarray of shape (n_sequences, n_timesteps, n_channels), or list of ndarrays \
            of shape (n_timesteps_i, n_channels)
        Sequences.

    Returns
    -------
    ndarray of shape (n_sequences, n_channels, n_timesteps), or list of ndarrays of \
            shape (n_channels, n_timesteps_i)
        Views of X.

    Raises
    ------
    ValueError
        If X is neither a 3-D array nor a list of 2-D arrays, or is masked.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import to_channels_first
    >>> to_channels_first(np.zeros((10, 200, 3))).shape
    (10, 3, 200)
    """
    return _swap(X, "n_timesteps, n_channels")


def _swap(X, axes):
    refuse_masked(X, "X")
    if is_list(X):
        return [_swap_element(x, i, axes) for i, x in enumerate(X)]
    array = np.asarray(X)
    if array.ndim != 3:
        raise ValueError(
            f"X must be an array (n_sequences, {axes}) or a list of arrays ({axes}), "
            f"got shape {array.shape}."
        )
    return array.transpose(0, 2, 1)


def _swap_element(x, i, axes):
    refuse_masked(x, f"X[{i}]")
    array = np.asarray(x)
    if array.ndim != 2:
        raise ValueError(f"X[{i}] must be an array ({axes}), got shape {array.shape}.")
    return array.T
