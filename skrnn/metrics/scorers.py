"""Scorers: what `scoring=` of scikit-learn takes."""

from copy import deepcopy

from sklearn.metrics import make_scorer

from skrnn.metrics.entities import entity_f1_score
from skrnn.metrics.steps import (
    sequence_accuracy_score,
    step_accuracy_score,
    step_f1_score,
    step_log_loss,
)


def _step_neg_log_loss(estimator, X, y, sample_weight=None):
    """Score probabilities with the classes the estimator knows.

    A scorer of `make_scorer` does not hand over the classes, and a fold need not have
    them all. Older versions of scikit-learn also refuse a plain estimator there.
    """
    labels = getattr(estimator, "classes_", None)
    proba = estimator.predict_proba(X)
    return -step_log_loss(y, proba, labels=labels, sample_weight=sample_weight)


SCORERS = {
    "step_accuracy": make_scorer(step_accuracy_score),
    "step_f1_macro": make_scorer(step_f1_score, average="macro"),
    "step_f1_micro": make_scorer(step_f1_score, average="micro"),
    "step_neg_log_loss": _step_neg_log_loss,
    "sequence_accuracy": make_scorer(sequence_accuracy_score),
    "entity_f1": make_scorer(entity_f1_score),
}


def get_scorer(scoring):
    """Return the scorer of a name, for `scoring=` of `GridSearchCV` and others.

    Parameters
    ----------
    scoring : str
        "step_accuracy", "step_f1_macro", "step_f1_micro" (the frame-level F1 score of
        piano rolls), "step_neg_log_loss" (which needs `predict_proba`),
        "sequence_accuracy" or "entity_f1".

    Returns
    -------
    callable
        ``scorer(estimator, X, y_true)`` gives a float; higher is better.

    Raises
    ------
    ValueError
        If there is no scorer of that name.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skrnn.metrics import get_scorer
    >>> class Zeros(BaseEstimator):
    ...     def predict(self, X):
    ...         return [[0] * len(x) for x in X]
    >>> X = y = [[0, 0, 1], [0]]
    >>> get_scorer("step_accuracy")(Zeros(), X, y)
    0.75
    """
    if scoring not in SCORERS:
        raise ValueError(f"scoring must be one of {list(SCORERS)}, got {scoring!r}.")
    return deepcopy(SCORERS[scoring])
