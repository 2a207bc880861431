"""How long ago a value was measured."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrnn.preprocessing.steps import NoTableOutput, read_steps


class TimeSinceObserved(
    NoTableOutput, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Append to each feature the time since it was last observed.

    For sequences in which NaN stands for values that were not measured. A network that
    knows how old an imputed value is can rely on it the less. This is the time interval
    of GRU-D [1]_: at the first step it is 0; later it counts from the last step before
    this one at which the feature was observed, or from the first step.

    Parameters
    ----------
    time : int, default=None
        Position of the feature that holds the time of each step, in any unit. None to
        count steps.

    Attributes
    ----------
    n_step_features_in_ : int
        Number of features of each step.

    n_features_in_ : int
        Number of columns; only where X is 2-D.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; only where X is a DataFrame.

    See Also
    --------
    skrnn.preprocessing.PerStep : Imputes the missing values afterwards.

    Notes
    -----
    The values themselves stay as they are, NaN included. What comes next imputes them
    and says which were missing::

        make_pipeline(
            TimeSinceObserved(),
            PerStep(SimpleImputer(add_indicator=True)),
            PerStep(StandardScaler()),
            RNNClassifier(),
        )

    Steps that are NaN in all features at the end of a 3-D array are padding; in a list
    they are steps at which nothing was observed.

    References
    ----------
    .. [1] Z. Che, S. Purushotham, K. Cho, D. Sontag and Y. Liu, "Recurrent neural
       networks for multivariate time series with missing values", Scientific Reports
       8, 6085, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import TimeSinceObserved
    >>> nan = np.nan
    >>> X = [np.array([[5.0, nan], [nan, nan], [nan, 8.0], [6.0, 9.0]])]
    >>> TimeSinceObserved().fit_transform(X)[0]
    array([[ 5., nan,  0.,  0.],
           [nan, nan,  1.,  1.],
           [nan,  8.,  2.,  2.],
           [ 6.,  9.,  3.,  1.]])
    """

    def __init__(self, time=None):
        self.time = time

    def fit(self, X, y=None):
        """Learn the number of features.

        Parameters
        ----------
        X : sequences
            In any form that the estimators take, with NaN for missing values.
        y : default=None
            Not used.

        Returns
        -------
        self : TimeSinceObserved

        Raises
        ------
        ValueError
            If there is no feature `time`, or it has NaN or decreases in a sequence.
        """
        steps = read_steps(X, self, reset=True)
        self._read_time(steps)
        return self

    def transform(self, X):
        """Append the times.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_timesteps_i, n_features_out), or ndarray of shape \
                (n_sequences, n_timesteps, n_features_out)
            In the form of X, a 2-D X becoming 3-D. The features of X are followed by
            the time since each was observed, but for the feature `time`.
        """
        check_is_fitted(self)
        steps = read_steps(X, self, reset=False)
        time = self._read_time(steps)
        values = steps.rows
        if self.time is not None:
            values = np.delete(values, self.time, axis=1)
        since = time[:, np.newaxis] - time[_last_observed(values, steps.lengths)]
        return steps.restore(np.hstack([steps.rows, since.astype(values.dtype)]))

    def get_feature_names_out(self, input_features=None):
        """Names of the features of each transformed step.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features of a step; x0, x1, ... if there are none.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        D = self.n_step_features_in_
        if input_features is None:
            input_features = [f"x{i}" for i in range(D)]
        if len(input_features) != D:
            raise ValueError(
                f"input_features must be {D} names, got {len(input_features)}."
            )
        timed = list(input_features)
        if self.time is not None:
            del timed[self.time]
        since = [f"{name}_since_observed" for name in timed]
        return np.array([*input_features, *since], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "n_step_features_in_")

    def _read_time(self, steps):
        """Time of each of the N rows, (N,)."""
        starts = np.cumsum(steps.lengths) - steps.lengths
        if self.time is None:
            return np.arange(len(steps.rows)) - np.repeat(starts, steps.lengths)
        D = steps.rows.shape[1]
        if self.time not in range(D):
            raise ValueError(
                f"time must be the position of one of the {D} features, got "
                f"{self.time!r}."
            )
        time = steps.rows[:, self.time]
        is_good = np.append(True, time[1:] >= time[:-1]) & ~np.isnan(time)
        is_good[starts] = ~np.isnan(time[starts])
        if not is_good.all():
            row = is_good.argmin()
            i = np.searchsorted(starts, row, side="right") - 1
            raise ValueError(
                f"The feature time={self.time} must hold a number and must not "
                f"decrease, got {time[row]} in X[{i}] at step {row - starts[i]}."
            )
        return time


def _last_observed(values, lengths):
    """Row of the latest observation before each row, (N, D); else the first row."""
    rows = np.arange(len(values))[:, np.newaxis]
    last = np.full(values.shape, -1)
    last[1:] = np.where(np.isnan(values[:-1]), -1, rows[:-1])
    starts = np.cumsum(lengths) - lengths
    last[starts] = rows[starts]
    return np.maximum.accumulate(last, axis=0)
