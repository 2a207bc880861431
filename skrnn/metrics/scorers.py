"""Scorers: what `scoring=` of scikit-learn takes."""

from copy import deepcopy
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import UNUSED

from skrnn.metrics.entities import entity_f1_score
from skrnn.metrics.numbers import (
    step_mean_absolute_error,
    step_mean_squared_error,
    step_r2_score,
    step_root_mean_squared_error,
)
from skrnn.metrics.steps import (
    sequence_accuracy_score,
    step_accuracy_score,
    step_f1_score,
    step_log_loss,
)


class StepScorer(BaseEstimator):
    """Scores an estimator by the steps that it does not ignore.

    A scorer of `make_scorer` tells the metric nothing of the estimator: neither its
    `ignored_label` nor its `classes_`, of which a fold need not have all. The base
    class reads from `score` what a scorer can ask for when metadata are routed.

    Parameters
    ----------
    metric : callable
    method : {"predict", "predict_proba"}, default="predict"
    sign : {1, -1}, default=1
        -1 for what is better when it is lower.
    """

    __metadata_request__score = {"estimator": UNUSED}

    def __init__(self, metric, method="predict", sign=1):
        self.metric = metric
        self.method = method
        self.sign = sign

    def __call__(self, estimator, X, y_true, sample_weight=None):
        return self.score(estimator, X, y_true, sample_weight)

    def score(self, estimator, X, y, sample_weight=None):
        options = {"ignored": ignored_by(estimator)}
        if self.method == "predict_proba":
            options["labels"] = getattr(estimator, "classes_", None)
        y_pred = getattr(estimator, self.method)(X)
        if sample_weight is not None:
            options["sample_weight"] = _cut_ends(sample_weight, y_pred)
        return self.sign * self.metric(_cut_ends(y, y_pred), y_pred, **options)


def _cut_ends(values, y_pred):
    """Rows of a padded array, each as long as its prediction: an estimator's `fit` and
    `score` do not read what is behind, whatever it is."""
    if hasattr(values, "__array__"):
        values = np.asarray(values)
    if getattr(values, "ndim", 1) < 2 or len(values) != len(y_pred):
        return values
    return [row[: len(part)] for row, part in zip(values, y_pred, strict=True)]


def ignored_by(estimator):
    """The `ignored_label` of an estimator, of the best or the last one in it, or None.

    Those are what is in a search and in a pipeline.
    """
    if hasattr(estimator, "best_estimator_"):
        return ignored_by(estimator.best_estimator_)
    if isinstance(estimator, Pipeline):
        return ignored_by(estimator.steps[-1][1])
    return getattr(estimator, "ignored_label", None)


SCORERS = {
    "step_accuracy": StepScorer(step_accuracy_score),
    "step_f1_macro": StepScorer(partial(step_f1_score, average="macro")),
    "step_f1_micro": StepScorer(partial(step_f1_score, average="micro")),
    "step_neg_log_loss": StepScorer(step_log_loss, "predict_proba", sign=-1),
    "sequence_accuracy": StepScorer(sequence_accuracy_score),
    "entity_f1": StepScorer(entity_f1_score),
    "step_r2": StepScorer(step_r2_score),
    "step_neg_mean_absolute_error": StepScorer(step_mean_absolute_error, sign=-1),
    "step_neg_mean_squared_error": StepScorer(step_mean_squared_error, sign=-1),
    "step_neg_root_mean_squared_error": StepScorer(
        step_root_mean_squared_error, sign=-1
    ),
}


def get_scorer(scoring):
    """Return the scorer of a name, for `scoring=` of `GridSearchCV` and others.

    Parameters
    ----------
    scoring : str
        "step_accuracy", "step_f1_macro", "step_f1_micro" (the frame-level F1 score of
        piano rolls), "step_neg_log_loss" (which needs `predict_proba`),
        "sequence_accuracy" or "entity_f1"; for numbers "step_r2",
        "step_neg_mean_absolute_error", "step_neg_mean_squared_error" or
        "step_neg_root_mean_squared_error".

    Returns
    -------
    callable
        ``scorer(estimator, X, y_true)`` gives a float; higher is better. Steps whose
        target is NaN, None or the `ignored_label` of the estimator do not count.

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
