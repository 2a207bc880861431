"""Any transformer of rows, applied to the steps of sequences."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    has_fit_parameter,
)

from skrnn.preprocessing.steps import (
    concatenate,
    is_frame,
    read_steps_or_frames,
    spread,
)


def _inner_has(name):
    """Check for `available_if`: one transformer is fitted, and has that method."""

    def check(self):
        if self.per_sequence:
            raise AttributeError(
                f"{name} needs per_sequence=False: nothing is kept of the transformers "
                "that are fitted on each sequence."
            )
        getattr(getattr(self, "transformer_", self.transformer), name)
        return True

    return check


def _can_set_output(self):
    return hasattr(self.transformer, "set_output")


class PerStep(
    MetaEstimatorMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Apply a transformer of rows to every step of sequences.

    The steps of all sequences are the rows that the transformer is fitted on, and each
    is transformed like any row. What comes out has the form of what went in: a list for
    a list, an array for an array.

    Parameters
    ----------
    transformer : transformer
        Any of scikit-learn, or a Pipeline of them, that makes one row of each row. It
        is cloned before it is fitted.

    per_sequence : bool, default=False
        Whether to fit a transformer on each sequence alone, in `transform`. So each
        sequence can be scaled by itself, where its level says nothing.

    Attributes
    ----------
    transformer_ : transformer
        The fitted one. Absent with `per_sequence=True`.

    n_step_features_in_ : int
        Number of features of each step.

    n_features_in_ : int
        Number of columns; only where X is 2-D.

    feature_names_in_ : ndarray of shape (n_step_features_in_,) or (n_features_in_,)
        Names of the columns; only where X is a list of DataFrames, or one.

    See Also
    --------
    skrnn.preprocessing.TimeSinceObserved : How long ago each value was measured.

    Notes
    -----
    NaN may stand for missing values; whether it is refused is up to the transformer.
    NaN at the end of a 3-D array is padding: it is not seen by the transformer and is
    put back afterwards. In a list it is data.

    The elements of a list may be DataFrames (pandas or polars) with the same columns.
    The transformer then sees one DataFrame, so a ColumnTransformer finds its columns by
    name, and they may hold strings or categories. Other sequences must be numeric.

    With `set_output` each sequence becomes a DataFrame, and X a list of them, whatever
    its form. Sparse rows are made dense.

    `inverse_transform`, `partial_fit` and `get_feature_names_out` are there if the
    transformer has them and `per_sequence` is False. Names are those of a step.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skrnn.preprocessing import PerStep
    >>> X = [np.array([[1.0, 10.0], [3.0, 30.0]]), np.array([[5.0, 20.0]])]
    >>> PerStep(StandardScaler()).fit_transform(X)
    [array([[-1.22, -1.22],
           [ 0.  ,  1.22]]), array([[1.22, 0.  ]])]
    """

    def __init__(self, transformer, *, per_sequence=False):
        self.transformer = transformer
        self.per_sequence = per_sequence

    def fit(self, X, y=None, sample_weight=None):
        """Fit the transformer on all steps.

        Parameters
        ----------
        X : list of arrays (n_timesteps_i, n_features), list of 1-D arrays, list of \
                DataFrames, array (n_sequences, n_timesteps, n_features) or \
                (n_sequences, n_timesteps)
            The sequences. Lengths may differ.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs), or list of \
                array-likes of n_timesteps_i entries, default=None
            Targets. A sequence's target is that of all of its steps. Lists with other
            lengths belong to no steps; the transformer gets None.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of the sequences, and so of their steps.

        Returns
        -------
        self : PerStep

        Raises
        ------
        ValueError
            For sequences that cannot be read, and for weights that the transformer does
            not take.
        """
        self._fit("fit", X, y, sample_weight)
        return self

    def fit_transform(self, X, y=None, sample_weight=None):
        """Fit the transformer and transform X, with its own `fit_transform`.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        list or ndarray
            As of `transform`.
        """
        if self.per_sequence or not hasattr(self.transformer, "fit_transform"):
            return self.fit(X, y, sample_weight).transform(X)
        steps, rows = self._fit("fit_transform", X, y, sample_weight)
        return _restore(steps, rows)

    @available_if(_inner_has("partial_fit"))
    def partial_fit(self, X, y=None, sample_weight=None):
        """Go on fitting, with more sequences.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self : PerStep
        """
        self._fit("partial_fit", X, y, sample_weight)
        return self

    def transform(self, X):
        """Transform each step.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_timesteps_i, n_features_out), list of DataFrame, \
                or ndarray of shape (n_sequences, n_timesteps, n_features_out)
            In the form of X. A 2-D X stays 2-D if one feature comes out.
        """
        check_is_fitted(self)
        steps = read_steps_or_frames(X, self, reset=False)
        if self.per_sequence:
            return _restore(steps, self._transform_each(steps))
        return _restore(steps, self.transformer_.transform(steps.rows))

    @available_if(_inner_has("inverse_transform"))
    def inverse_transform(self, X):
        """Bring transformed steps back.

        Parameters
        ----------
        X : sequences
            What `transform` makes.

        Returns
        -------
        list or ndarray
            In the form of X.
        """
        check_is_fitted(self)
        steps = read_steps_or_frames(X, None, reset=False)
        return _restore(steps, self.transformer_.inverse_transform(steps.rows))

    @available_if(_inner_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Names of the features of each transformed step.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features of a step, handed to the transformer.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    @available_if(_can_set_output)
    def set_output(self, *, transform=None):
        """Choose what each transformed sequence is.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Array or DataFrame; None leaves it as it is.

        Returns
        -------
        self : PerStep
        """
        self.transformer.set_output(transform=transform)
        if hasattr(self, "transformer_"):
            self.transformer_.set_output(transform=transform)
        return self

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self.transformer)
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.input_tags.positive_only = inner.input_tags.positive_only
        tags.target_tags.required = inner.target_tags.required
        tags.transformer_tags = inner.transformer_tags or tags.transformer_tags
        tags.non_deterministic = inner.non_deterministic
        return tags

    def __sklearn_is_fitted__(self):
        fitted = "n_step_features_in_" if self.per_sequence else "transformer_"
        return hasattr(self, fitted)

    def _fit(self, method, X, y, sample_weight):
        """Call a method of the transformer; return the steps and what it returns."""
        going_on = method == "partial_fit" and hasattr(self, "transformer_")
        steps = read_steps_or_frames(X, self, reset=not going_on)
        arguments = self._spread_weights(sample_weight, steps.lengths)
        targets = spread(y, steps.lengths)
        if self.per_sequence:
            vars(self).pop("transformer_", None)
            return steps, None
        transformer = self.transformer_ if going_on else clone(self.transformer)
        result = getattr(transformer, method)(steps.rows, targets, **arguments)
        self.transformer_ = transformer
        return steps, result

    def _spread_weights(self, sample_weight, lengths):
        """The keyword arguments of a fit method."""
        if sample_weight is None:
            return {}
        if not has_fit_parameter(self.transformer, "sample_weight"):
            raise ValueError(
                "sample_weight must be None, as "
                f"{type(self.transformer).__name__}.fit takes none."
            )
        weights = _check_sample_weight(sample_weight, np.empty((lengths.size, 1)))
        return {"sample_weight": np.repeat(weights, lengths)}

    def _transform_each(self, steps):
        parts = [
            _check_rows(clone(self.transformer).fit_transform(rows), len(rows))
            for rows in steps.split(steps.rows)
        ]
        widths = [part.shape[1] for part in parts]
        if len(set(widths)) > 1:
            i = next(i for i, width in enumerate(widths) if width != widths[0])
            raise ValueError(
                "transformer must make as many features of each sequence, got "
                f"{widths[0]} of X[0] and {widths[i]} of X[{i}]."
            )
        return concatenate(parts)


def _restore(steps, rows):
    return steps.restore(_check_rows(rows, len(steps.rows)))


def _check_rows(rows, n_rows):
    """What a transformer made of `n_rows` rows, dense."""
    if issparse(rows):
        rows = rows.toarray()
    if not is_frame(rows):
        rows = np.asarray(rows)
    if len(rows) != n_rows or len(rows.shape) != 2:
        raise ValueError(
            f"transformer must make one row of each of the {n_rows} steps, got shape "
            f"{rows.shape}."
        )
    return rows
