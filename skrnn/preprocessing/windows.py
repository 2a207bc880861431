"""Long series cut into windows, each with what follows it."""

from itertools import chain
from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from skrnn.preprocessing.steps import is_list
from skrnn.sequences import refuse_masked


def sliding_windows(series, window, horizon=1, step=1, *, groups=None, target=None):
    """Cut series into windows, each with the values that follow it.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,) or (n_timesteps, n_features), or list \
            of them
        One series, or several of any lengths. No window reaches from one into another.

    window : int
        Number of steps of a window.

    horizon : int, default=1
        Number of steps to forecast, right behind the window.

    step : int, default=1
        Number of steps from the start of a window to that of the next.

    groups : array-like of shape (n_series,) or (n_timesteps,), default=None
        Of a list, a label for each series. Of an array, a label for each row, which
        tells the series apart that lie in it one behind the other.

    target : int or list of int, default=None
        Features to forecast. None for all.

    Returns
    -------
    X : ndarray of shape (n_windows, window, n_features), or list of n_windows \
            ndarrays of shape (window, n_features)
        Read-only views of the series; the list for several series.

    y : ndarray of shape (n_windows,), or (n_windows, horizon * n_targets)
        What follows each window; one column where both `horizon` and the number of
        targets are 1, else the targets of the first step, then those of the second, ...
        Of one series read-only, and a view of it where the layout allows.

    groups : ndarray of shape (n_windows,)
        Label of the series that each window is from; only if `groups` are given. With
        GroupKFold no series is both learnt from and tested on.

    Raises
    ------
    ValueError
        If a series is too short for one window and its horizon, is masked, is not
        numeric or has other features than the first, and for sizes and groups that do
        not fit.

    Notes
    -----
    A series of T steps has ``(T - window - horizon) // step + 1`` windows. They take no
    memory of their own, and a series that is mapped into memory is read only where a
    network reads it. What copies X, such as the folds of a cross-validation or pickle,
    makes it ``window / step`` times as large as the series. So does PerStep: scale the
    series before it is cut.

    Windows of one series overlap. Test a forecast on windows behind those it has learnt
    from; for `step=1` ``TimeSeriesSplit(gap=horizon - 1)`` keeps the targets apart.

    To forecast what comes next, predict from ``[series[-window:]]``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import sliding_windows
    >>> X, y = sliding_windows(np.arange(6), window=3, horizon=2)
    >>> X[:, :, 0]
    array([[0, 1, 2],
           [1, 2, 3]])
    >>> y
    array([[3, 4],
           [4, 5]])
    >>> shops = [np.arange(5), np.arange(10, 14)]
    >>> X, y, groups = sliding_windows(shops, 3, groups=["north", "south"])
    >>> y, groups
    (array([ 3,  4, 13]), array(['north', 'north', 'south'], dtype='<U5'))
    """
    sizes = {"window": window, "horizon": horizon, "step": step}
    for name, value in sizes.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be an integer >= 1, got {value!r}.")
    parts, labels, is_one = _read(series, groups)
    for i, part in enumerate(parts):
        _check_length(part, i, window, horizon, is_one)
    X = [_windows(part[:-horizon], window)[::step] for part in parts]
    following = [_following(part[window:], horizon, target)[::step] for part in parts]
    y = following[0] if is_one else np.concatenate(following)
    windows = X[0] if is_one else list(chain.from_iterable(X))
    if groups is None:
        return windows, y
    return windows, y, np.repeat(labels, [len(x) for x in X])


def _windows(part, window):
    """Windows at every step, (n, window, D), of a series (T, D)."""
    return sliding_window_view(part, window, axis=0).transpose(0, 2, 1)


def _following(part, horizon, target):
    """Targets at every step, (n,) or (n, horizon * K), of a series (T, D)."""
    D = part.shape[1]
    columns = list(range(D)) if target is None else np.atleast_1d(target).tolist()
    if not columns or not set(columns) <= set(range(D)):
        raise ValueError(
            f"target must be among the {D} features, 0 to {D - 1}, got {target!r}."
        )
    if len(columns) == 1:
        part = part[:, columns[0], np.newaxis]
    elif columns != list(range(D)):
        part = part[:, columns]
    n_targets = horizon * len(columns)
    y = _windows(part, horizon)
    return y[:, 0, 0] if n_targets == 1 else y.reshape(len(y), n_targets)


def _read(series, groups):
    """Series as arrays (T, D), the label of each, and whether X is to be an array."""
    refuse_masked(series, "series")
    if is_list(series) and len(series) > 0 and np.ndim(series[0]) > 0:
        parts = [_check_series(x, f"series[{i}]") for i, x in enumerate(series)]
        D = parts[0].shape[1]
        for i, part in enumerate(parts):
            if part.shape[1] != D:
                raise ValueError(
                    f"series[{i}] must have as many features as series[0], {D}, got "
                    f"{part.shape[1]}."
                )
        labels = None if groups is None else _check_groups(groups, len(parts))
        return parts, labels, False
    whole = _check_series(series, "series")
    if groups is None:
        return [whole], None, True
    groups = _check_groups(groups, len(whole))
    starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    labels = groups[starts]
    if len(np.unique(labels)) < len(labels):
        raise ValueError(
            "groups must have the rows of each series next to each other; sort the "
            "rows first."
        )
    return np.split(whole, starts[1:]), labels, False


def _check_series(x, name):
    refuse_masked(x, name)
    array = np.asarray(x)
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiub" or not array.size:
        raise ValueError(
            f"{name} must be an array (n_timesteps,) or (n_timesteps, n_features) of "
            f"numbers, got shape {array.shape} of dtype {array.dtype}."
        )
    return array if array.ndim == 2 else array[:, np.newaxis]


def _check_groups(groups, n):
    refuse_masked(groups, "groups")
    groups = np.asarray(groups)
    if groups.shape != (n,):
        raise ValueError(
            f"groups must have {n} labels, one for each series of a list or each row "
            f"of an array, got shape {groups.shape}."
        )
    return groups


def _check_length(part, i, window, horizon, is_one):
    if len(part) < window + horizon:
        name = "series" if is_one else f"series[{i}]"
        raise ValueError(
            f"{name} must have at least window + horizon = {window + horizon} steps, "
            f"got {len(part)}."
        )
