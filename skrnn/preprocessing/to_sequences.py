"""Flat rows of lags read as sequences."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skrnn.preprocessing.steps import NoTableOutput

TIME_ORDERS = ("oldest_first", "newest_first")


class ToSequences(
    NoTableOutput, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Read each row of a table as a sequence.

    With it as the first step of a pipeline, a recurrent network stands where any other
    estimator of tables does: in a bagging ensemble, in a permutation importance, behind
    a StandardScaler, in a library that forecasts from lags.

    Parameters
    ----------
    n_features_per_step : int, default=1
        D, the number of features of a step. They stand side by side: the D columns of
        one step are followed by those of the next.

    time_order : {"oldest_first", "newest_first"}, default="oldest_first"
        Which step the first columns hold. Tables of lags 1, 2, ... have the newest
        first.

    broadcast : list of int or list of str, default=None
        Columns that hold for the whole sequence, by their positions, or by their names
        in a DataFrame. They are no part of the steps, wherever they stand; each step
        gets them behind its D features, in the order given here.

    Attributes
    ----------
    broadcast_ : ndarray of shape (n_broadcast,)
        Positions of the columns that hold for the whole sequence.

    n_timesteps_ : int
        Number of steps of each sequence.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; only where they are strings.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import ToSequences
    >>> rows = np.array([[1, 10, 2, 20, 7]])
    >>> ToSequences(n_features_per_step=2, broadcast=[4]).fit_transform(rows)
    array([[[ 1, 10,  7],
            [ 2, 20,  7]]])
    >>> lags = np.array([[3, 2, 1]])
    >>> ToSequences(time_order="newest_first").fit_transform(lags)[:, :, 0]
    array([[1, 2, 3]])
    """

    def __init__(
        self, n_features_per_step=1, *, time_order="oldest_first", broadcast=None
    ):
        self.n_features_per_step = n_features_per_step
        self.time_order = time_order
        self.broadcast = broadcast

    def fit(self, X, y=None):
        """Learn which columns are which.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_sequences, n_columns)
            Flat rows; NaN may stand for missing values.
        y : default=None
            Not used.

        Returns
        -------
        self : ToSequences

        Raises
        ------
        ValueError
            If the columns do not divide into steps, or there are none to broadcast of
            that name or position.
        """
        D = self.n_features_per_step
        if not isinstance(D, Integral) or isinstance(D, bool) or D < 1:
            raise ValueError(f"n_features_per_step must be an integer >= 1, got {D!r}.")
        if self.time_order not in TIME_ORDERS:
            raise ValueError(
                f"time_order must be one of {TIME_ORDERS}, got {self.time_order!r}."
            )
        self._validate(X, reset=True)
        self.broadcast_ = self._find_broadcast()
        n_columns = self.n_features_in_ - self.broadcast_.size
        if n_columns % D or n_columns == 0:
            raise ValueError(
                f"X must have a multiple of n_features_per_step={D} columns, without "
                f"the {self.broadcast_.size} to broadcast, got {n_columns}."
            )
        self.n_timesteps_ = n_columns // D
        return self

    def transform(self, X):
        """Make sequences of rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_sequences, n_columns)
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences, n_timesteps, n_features_per_step + n_broadcast)
            Oldest step first; a view of X where nothing is broadcast.
        """
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        flat = np.delete(X, self.broadcast_, axis=1) if self.broadcast_.size else X
        steps = flat.reshape(len(X), self.n_timesteps_, -1)
        steps = self._oldest_first(steps)
        if self.broadcast_.size == 0:
            return steps
        constant = X[:, np.newaxis, self.broadcast_]
        repeated = np.broadcast_to(constant, (*steps.shape[:2], constant.shape[2]))
        return np.concatenate([steps, repeated], axis=2)

    def inverse_transform(self, X):
        """Make flat rows of sequences.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features_per_step + \
                n_broadcast)
            What `transform` makes. Columns that hold for the whole sequence are taken
            from the first step.

        Returns
        -------
        ndarray of shape (n_sequences, n_columns)

        Raises
        ------
        ValueError
            If X has another shape.
        """
        check_is_fitted(self)
        X, D = np.asarray(X), self.n_features_per_step
        expected = (self.n_timesteps_, D + self.broadcast_.size)
        if X.ndim != 3 or X.shape[1:] != expected:
            raise ValueError(
                f"X must be of shape (n_sequences, {expected[0]}, {expected[1]}), got "
                f"{X.shape}."
            )
        rows = np.empty((len(X), self.n_features_in_), X.dtype)
        is_step = np.ones(self.n_features_in_, dtype=bool)
        is_step[self.broadcast_] = False
        rows[:, is_step] = self._oldest_first(X[:, :, :D]).reshape(len(X), -1)
        rows[:, self.broadcast_] = X[:, 0, D:]
        return rows

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _validate(self, X, reset):
        return validate_data(
            self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan"
        )

    def _oldest_first(self, steps):
        """Turn steps, (n, T, D), in `time_order`, oldest first; or the reverse."""
        return steps if self.time_order == "oldest_first" else steps[:, ::-1]

    def _find_broadcast(self):
        wanted = [] if self.broadcast is None else self.broadcast
        if isinstance(wanted, (str, Integral)):
            raise ValueError(
                "broadcast must be a list of positions or of names, got "
                f"{self.broadcast!r}."
            )
        names = list(getattr(self, "feature_names_in_", range(self.n_features_in_)))
        known = names + list(range(self.n_features_in_))
        for column in wanted:
            if column not in known:
                raise ValueError(
                    f"broadcast must name columns of X, got {column!r}; X has the "
                    f"columns {names}."
                )
        found = [known.index(column) % self.n_features_in_ for column in wanted]
        if len(set(found)) < len(found):
            raise ValueError(f"broadcast must name no column twice, got {wanted!r}.")
        return np.array(found, dtype=np.intp)
