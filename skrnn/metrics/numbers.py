"""Scores of numbers for single steps: those of scikit-learn on the joined steps."""

import numpy as np
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)

from skrnn.metrics.flattening import flatten


def step_r2_score(y_true, y_pred, *, sample_weight=None, ignored=None):
    """Share of the variance of all steps that is predicted, R^2.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Targets of the steps, or rows of them in arrays of shape (n_timesteps_i,
        n_outputs). An array of shape (n_sequences, n_timesteps) may be padded at the
        end of a sequence.

    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Predictions, in the same form.

    sample_weight : array-like of shape (n_sequences,) or list of arrays, default=None
        Weight of each sequence, which each of its steps gets, or of each step.

    ignored : float, default=None
        A target whose steps do not count. Those whose targets are missing never do.

    Returns
    -------
    float
        At most 1, and 0 for the mean. With several outputs their mean.

    Raises
    ------
    ValueError
        If a sequence has another length in `y_pred` than in `y_true`, padding aside, or
        no step counts.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.metrics import step_r2_score
    >>> step_r2_score([[1.0, 2.0, np.nan], [4.0]], [[1.0, 3.0, 7.0], [2.0]])
    -0.071...
    """
    return _score(r2_score, y_true, y_pred, sample_weight, ignored)


def step_mean_absolute_error(y_true, y_pred, *, sample_weight=None, ignored=None):
    """Mean absolute error of the steps.

    Parameters
    ----------
    y_true, y_pred, sample_weight, ignored
        As in `step_r2_score`.

    Returns
    -------
    float
        0 or more; lower is better. With several outputs their mean.

    Raises
    ------
    ValueError
        As `step_r2_score` does.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.metrics import step_mean_absolute_error
    >>> step_mean_absolute_error([[1.0, 2.0, np.nan], [4.0]], [[1.0, 3.0, 7.0], [2.0]])
    1.0
    """
    return _score(mean_absolute_error, y_true, y_pred, sample_weight, ignored)


def step_mean_squared_error(y_true, y_pred, *, sample_weight=None, ignored=None):
    """Mean squared error of the steps.

    Parameters
    ----------
    y_true, y_pred, sample_weight, ignored
        As in `step_r2_score`.

    Returns
    -------
    float
        0 or more; lower is better. With several outputs their mean.

    Raises
    ------
    ValueError
        As `step_r2_score` does.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.metrics import step_mean_squared_error
    >>> step_mean_squared_error([[1.0, 2.0, np.nan], [4.0]], [[1.0, 3.0, 7.0], [2.0]])
    1.666...
    """
    return _score(mean_squared_error, y_true, y_pred, sample_weight, ignored)


def step_root_mean_squared_error(y_true, y_pred, *, sample_weight=None, ignored=None):
    """Root of the mean squared error of the steps.

    Parameters
    ----------
    y_true, y_pred, sample_weight, ignored
        As in `step_r2_score`.

    Returns
    -------
    float
        0 or more; lower is better. With several outputs their mean.

    Raises
    ------
    ValueError
        As `step_r2_score` does.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.metrics import step_root_mean_squared_error
    >>> y_true, y_pred = [[1.0, 2.0, np.nan], [4.0]], [[1.0, 3.0, 7.0], [2.0]]
    >>> step_root_mean_squared_error(y_true, y_pred)
    1.290...
    """
    return _score(root_mean_squared_error, y_true, y_pred, sample_weight, ignored)


def step_mean_pinball_loss(
    y_true, y_pred, *, sample_weight=None, ignored=None, alpha=0.5
):
    """Mean pinball loss of the steps, for a predicted quantile.

    Parameters
    ----------
    y_true, y_pred, sample_weight, ignored
        As in `step_r2_score`.

    alpha : float, default=0.5
        Level of the quantile.

    Returns
    -------
    float
        0 or more; lower is better. With several outputs their mean.

    Raises
    ------
    ValueError
        As `step_r2_score` does.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.metrics import step_mean_pinball_loss
    >>> step_mean_pinball_loss([[1.0, 2.0, np.nan], [4.0]], [[1.0, 3.0, 7.0], [2.0]])
    0.5
    """
    return _score(
        mean_pinball_loss, y_true, y_pred, sample_weight, ignored, alpha=alpha
    )


def _score(metric, y_true, y_pred, sample_weight, ignored, **options):
    steps = flatten(y_true, y_pred, sample_weight, ignored)
    true, pred = _in_double(steps.true), _in_double(steps.pred)
    return float(metric(true, pred, sample_weight=steps.weight, **options))


def _in_double(values):
    """Numbers in float64: scikit-learn adds up in the type that it is given."""
    return values.astype(np.float64) if values.dtype.kind in "fiub" else values
