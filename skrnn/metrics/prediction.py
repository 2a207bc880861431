"""Predictions of each sequence by an estimator that has not seen it."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params, check_consistent_length

# The methods with a column for each class, and what a class that is unknown gets.
BY_CLASS = {
    "predict_proba": 0.0,
    "predict_log_proba": -np.inf,
    "decision_function": -np.inf,
}


def cross_val_predict(
    estimator,
    X,
    y=None,
    *,
    groups=None,
    cv=None,
    n_jobs=None,
    method="predict",
    params=None,
):
    """Predict each sequence with an estimator fitted without it.

    That of scikit-learn joins the predictions of the folds to one array, which those of
    steps are not; this one returns a list.

    Parameters
    ----------
    estimator : estimator
        It is cloned for each fold.

    X : list of n_sequences arrays, or array
        Sequences.

    y : list of n_sequences arrays, or array, default=None
        Targets.

    groups : array-like of shape (n_sequences,), default=None
        Groups that `cv` keeps together, such as `GroupKFold`.

    cv : int, splitter or iterable of pairs of indices, default=None
        The folds. A number, 5 by default, is that of `KFold`: never stratified, since
        labels of steps cannot be. Each sequence must be in one test set.

    n_jobs : int, default=None
        Number of folds that are run at a time.

    method : str, default="predict"
        The method of the estimator that predicts.

    params : dict, default=None
        Further arguments of `fit`. Those with an entry for each sequence, such as
        `sample_weight`, are cut as X is.

    Returns
    -------
    list of n_sequences arrays
        What the method returns for each sequence, in the order of X. Where the folds
        have learnt different `classes_`, the columns of probabilities and decision
        values are those of all classes, sorted; a class that a fold does not know has
        the probability 0, and -inf as its logarithm or decision value.

    Raises
    ------
    ValueError
        If a sequence is in no test set or in several, or the method does not return one
        entry for each sequence, or the folds know different classes and the method
        does not return a column for each of them.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skrnn.metrics import cross_val_predict, step_accuracy_score
    >>> class Echo(BaseEstimator):
    ...     def fit(self, X, y):
    ...         return self
    ...
    ...     def predict(self, X):
    ...         return [list(x) for x in X]
    >>> X = [[0, 1], [1, 1, 0], [0]]
    >>> cross_val_predict(Echo(), X, X, cv=3)
    [[0, 1], [1, 1, 0], [0]]
    """
    check_consistent_length(X, y, groups)
    splits = list(check_cv(cv).split(X, y, groups))
    order = np.concatenate([np.arange(len(X))[test] for _, test in splits])
    _check_partition(order, len(X))
    folds = Parallel(n_jobs=n_jobs)(
        delayed(_predict_fold)(
            clone(estimator), X, y, train, test, method, params or {}
        )
        for train, test in splits
    )
    folds = _align(folds, method)
    predictions = [prediction for fold in folds for prediction in fold]
    return [predictions[k] for k in np.argsort(order)]


def _predict_fold(estimator, X, y, train, test, method, params):
    params = _check_method_params(X, params, indices=train)
    y_train = None if y is None else _safe_indexing(y, train)
    X_test = _safe_indexing(X, test)
    estimator.fit(_safe_indexing(X, train), y_train, **params)
    predictions = getattr(estimator, method)(X_test)
    if len(predictions) != len(X_test):
        raise ValueError(
            f"{method} must return an entry for each sequence, {len(X_test)}, got "
            f"{len(predictions)}."
        )
    classes = getattr(estimator, "classes_", None) if method in BY_CLASS else None
    return list(predictions), classes


def _align(folds, method):
    """Return the predictions of each fold, with the same classes as columns.

    `folds` are pairs of predictions and `classes_`, which may be None.
    """
    predictions, classes = zip(*folds, strict=True)
    if any(not _are_classes(known) for known in classes):
        return predictions
    if all(np.array_equal(known, classes[0]) for known in classes):
        return predictions
    union = np.unique(np.concatenate(classes))
    return [
        [_spread(part, known, union, method) for part in fold] for fold, known in folds
    ]


def _are_classes(classes):
    """Whether there are any, of one target: those of several are a list of arrays."""
    return classes is not None and np.ndim(classes[0]) == 0


def _spread(prediction, classes, union, method):
    """Move the columns of `classes`, the last axis, to where `union` has them."""
    prediction = np.asarray(prediction)
    is_binary = method == "decision_function" and len(classes) < 3
    if is_binary or prediction.shape[-1:] != (len(classes),):
        raise ValueError(
            f"The folds of cv know different classes, so {method} must return a column "
            f"for each, {len(classes)}, got shape {prediction.shape}."
        )
    spread = np.full(
        (*prediction.shape[:-1], len(union)),
        BY_CLASS[method],
        dtype=np.result_type(prediction, np.float16),
    )
    spread[..., np.searchsorted(union, classes)] = prediction
    return spread


def _check_partition(order, n_sequences):
    n_tests = np.bincount(order, minlength=n_sequences)
    for i in np.flatnonzero(n_tests != 1)[:1]:
        raise ValueError(
            "cv must have each sequence in one test set, got sequence "
            f"{i} in {n_tests[i]}."
        )
