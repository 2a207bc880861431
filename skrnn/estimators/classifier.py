"""Recurrent classifier."""

import functools

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted

from skrnn.estimators.base import BaseRecurrent
from skrnn.estimators.callbacks import with_callbacks
from skrnn.estimators.parameters import CLASSIFIER, SHARED
from skrnn.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    MultilabelCrossEntropy,
)


class RNNClassifier(ClassifierMixin, BaseRecurrent):
    """Recurrent classifier."""

    _rules = {**SHARED, **CLASSIFIER}

    def __init__(
        self,
        hidden_layer_sizes=(64,),
        cell="gru",
        *,
        bidirectional=False,
        activation="tanh",
        pooling="last",
        dropout=0.0,
        recurrent_dropout=0.0,
        alpha=1e-4,
        max_grad_norm=1.0,
        solver="adam",
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=3e-3,
        max_iter=100,
        bptt_steps=None,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        scoring=None,
        class_weight=None,
        dtype=None,
        n_jobs=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.bidirectional = bidirectional
        self.activation = activation
        self.pooling = pooling
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.alpha = alpha
        self.max_grad_norm = max_grad_norm
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.bptt_steps = bptt_steps
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.class_weight = class_weight
        self.dtype = dtype
        self.n_jobs = n_jobs

    @with_callbacks
    def partial_fit(self, X, y, sample_weight=None, *, classes=None):
        """Run one epoch on the given data, going on from the weights so far.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All classes that may come; needed in the first call unless y has them all.

        Returns
        -------
        self : RNNClassifier
        """
        encode_first = functools.partial(self._encode_first, classes=classes)
        return self._partial_fit(X, y, sample_weight, encode_first)

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences, n_classes)
            For multilabel targets the probability of each label.
        """
        return self._fitted_loss().predict(self._raw(X))

    def predict_log_proba(self, X):
        """Logarithm of the probability of each class, from the raw scores.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences, n_classes)
        """
        return self._fitted_loss().log_proba(self._raw(X))

    def predict(self, X):
        """Most probable class of each sequence.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_labels)
            Labels as in the y of `fit`; for multilabel targets 0 or 1 for each label.
        """
        proba = self.predict_proba(X)
        if self._multilabel:
            return (proba > 0.5).astype(np.int64)
        return self.classes_[proba.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _encode_first(self, y, classes=None):
        y = _check_labels(y)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y must be labels of shape (n_sequences,) or an indicator matrix of 0 "
                f"and 1, got several class columns of shape {y.shape}; wrap the "
                "estimator in MultiOutputClassifier."
            )
        self._multilabel = kind == "multilabel-indicator"
        if self._multilabel:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_ = np.unique(y if classes is None else classes)
        return self._encode(y)

    def _encode(self, y):
        y = _check_labels(y)
        n_labels = len(self.classes_) if self._multilabel else 1
        if (y.shape[1] if y.ndim == 2 else 1) != n_labels:
            raise ValueError(
                f"y must have {n_labels} columns as in fit, got shape {y.shape}."
            )
        if self._multilabel:
            return y.astype(np.int64)
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ValueError(
                f"y must hold the classes {self.classes_.tolist()} only, got "
                f"{unknown.tolist()}; name all classes in the first partial_fit."
            )
        return np.searchsorted(self.classes_, y)

    def _stratify(self, y):
        return None if self._multilabel else _check_labels(y)

    def _total_weights(self, sample_weight, y, n_sequences):
        weights = super()._total_weights(sample_weight, y, n_sequences)
        if self.class_weight is None:
            return weights
        return weights * compute_sample_weight(self.class_weight, _check_labels(y))

    @property
    def _n_targets(self):
        return len(self.classes_) if self._multilabel else 1

    def _make_loss(self):
        if self._multilabel:
            return MultilabelCrossEntropy()
        if len(self.classes_) == 2:
            return BinaryCrossEntropy()
        return CategoricalCrossEntropy(len(self.classes_))

    def _fitted_loss(self):
        check_is_fitted(self)
        return self._make_loss()


def _check_labels(y):
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
    if y.ndim == 2 and y.shape[1] == 1:
        return column_or_1d(y, warn=True)
    return y
