"""scikit-learn's checks, counted, and estimators that read their tables as sequences.

Such an estimator is the real one but for one thing: the table that a check hands to a
method becomes a 3-D array or a list of arrays on the way in. The features of the table
become the features of each step. Where each step has a target, it is that of the row,
and the answer is that of the last step.
"""

import functools

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.estimator_checks import check_estimator

from skrnn import RNNClassifier, RNNRegressor, RNNSequenceRegressor, RNNTagger

METHODS = (
    "fit",
    "partial_fit",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "hidden_states",
)

SKIPPED = {
    "check_array_api_input": "the estimators compute with NumPy only",
    "check_classifiers_multilabel_output_format_decision_function": (
        "there are probabilities and no decision_function"
    ),
}


def run_checks(estimator, excluded):
    """Run all checks on `estimator`; return how many passed.

    Parameters
    ----------
    estimator : estimator
    excluded : dict of str to str
        Checks that must fail, each with the reason why that is right.

    Raises
    ------
    ExceptionGroup
        What the other checks that failed have raised.
    """
    results = check_estimator(
        estimator, expected_failed_checks=excluded, on_skip=None, on_fail=None
    )
    failures = [result["exception"] for result in results if _is(result, "failed")]
    if failures:
        raise ExceptionGroup(f"checks of {estimator!r}", failures)
    assert _names(results, "skipped") <= SKIPPED.keys()
    assert _names(results, "xfail") == excluded.keys()
    return sum(_is(result, "passed") for result in results)


def _is(result, status):
    return result["status"] == status


def _names(results, status):
    return {result["check_name"] for result in results if _is(result, status)}


def as_array(table):
    """Two equal steps, as a read-only view of the table."""
    if issparse(table):
        return table
    n, D = table.shape
    return np.broadcast_to(table[:, np.newaxis], (n, 2, D))


def as_padded_array(table):
    """One to three equal steps, filled up with NaN to three."""
    if issparse(table) or table.dtype.kind not in "fiu":
        return as_array(table)
    n, D = table.shape
    dtype = np.float32 if table.dtype == np.float32 else np.float64
    array = np.full((n, 3, D), np.nan, dtype)
    for sequence, row in zip(array, table, strict=True):
        sequence[: n_steps(row)] = row
    return array


def as_list(table):
    """One to three equal steps each, as read-only views of the table."""
    if issparse(table):
        rows = table.tocsr()
        return [rows[[i]] for i in range(rows.shape[0])]
    return [np.broadcast_to(row, (n_steps(row), row.size)) for row in table]


def n_steps(row):
    """1, 2 or 3; depends on the row alone, since some checks reorder the rows."""
    first = row[0] if row.size else 0
    if isinstance(first, (float, int, np.number)) and np.isfinite(first):
        return 1 + int(abs(first) * 16) % 3
    return 2


def reads(convert):
    """Class decorator: tables reach the methods as ``convert(table)``."""

    def decorate(cls):
        for name in METHODS:
            if hasattr(cls, name):
                setattr(cls, name, _reading(getattr(cls, name), convert))
        return cls

    return decorate


def _reading(method, convert):
    @functools.wraps(method)
    def wrapped(self, X, *args, **kwargs):
        return method(self, _converted(X, convert), *args, **kwargs)

    return wrapped


def _converted(X, convert):
    if isinstance(X, list) and X and isinstance(X[0], np.ndarray):
        return X
    table = X if issparse(X) else np.asarray(X)
    return convert(table) if table.ndim == 2 else X


@reads(as_array)
class ArrayClassifier(RNNClassifier):
    """Reads tables as 3-D arrays."""


@reads(as_array)
class ArrayRegressor(RNNRegressor):
    """Reads tables as 3-D arrays."""


@reads(as_padded_array)
class PaddedClassifier(RNNClassifier):
    """Reads tables as 3-D arrays with padding."""


@reads(as_padded_array)
class PaddedRegressor(RNNRegressor):
    """Reads tables as 3-D arrays with padding."""


@reads(as_list)
class RaggedClassifier(RNNClassifier):
    """Reads tables as lists of arrays of different lengths."""


@reads(as_list)
class RaggedRegressor(RNNRegressor):
    """Reads tables as lists of arrays of different lengths."""


def repeated(X, y):
    """The target of each sequence for each of its steps; None, or too few, as it is."""
    if y is None or not isinstance(X, list):
        return y
    targets = np.asarray(y)
    if len(targets) != len(X):
        return targets
    return [np.repeat(targets[[i]], len(x), axis=0) for i, x in enumerate(X)]


class OfTheLastStep:
    """Takes a target for each sequence, and answers so."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, repeated(X, y), sample_weight)

    def partial_fit(self, X, y, sample_weight=None, **classes):
        return super().partial_fit(X, repeated(X, y), sample_weight, **classes)

    def _respond(self, method, X):
        return np.array([answer[-1] for answer in super()._respond(method, X)])


@reads(as_list)
class LastTag(OfTheLastStep, ClassifierMixin, RNNTagger):
    """A tagger that says of each row what it says of its last step."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@reads(as_list)
class LastNumber(OfTheLastStep, RegressorMixin, RNNSequenceRegressor):
    """A regressor of each step that answers for the last one."""
