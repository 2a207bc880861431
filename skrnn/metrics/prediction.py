"""Predictions of each sequence by an estimator that has not seen it."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params, check_consistent_length


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
        What the method returns for each sequence, in the order of X.

    Raises
    ------
    ValueError
        If a sequence is in no test set or in several, or the method does not return one
        entry for each sequence.

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
    return list(predictions)


def _check_partition(order, n_sequences):
    n_tests = np.bincount(order, minlength=n_sequences)
    for i in np.flatnonzero(n_tests != 1)[:1]:
        raise ValueError(
            "cv must have each sequence in one test set, got sequence "
            f"{i} in {n_tests[i]}."
        )
