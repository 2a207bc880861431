"""Classes as targets: of whole sequences, or of each step."""

import functools

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skrnn.estimators.base import BaseRecurrent
from skrnn.estimators.callbacks import with_callbacks
from skrnn.estimators.labels import check_classes, encode_labels
from skrnn.estimators.state import CLASSIFIER_STATE
from skrnn.estimators.targets import check_y
from skrnn.estimators.transaction import all_or_nothing
from skrnn.estimators.weights import counts_labels, weigh_classes
from skrnn.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    MultilabelCrossEntropy,
)
from skrnn.sequences import naming


class BaseClassifier(BaseRecurrent):
    """Recurrent estimator of a class, or of several labels, for each target."""

    _answers = ("predict", "predict_proba", "predict_log_proba")
    _state_rules = CLASSIFIER_STATE

    @with_callbacks
    @all_or_nothing
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
        self : estimator
        """
        if counts_labels(self.class_weight):
            raise ValueError(
                "class_weight must be None or a dict in partial_fit, got "
                f"{self.class_weight!r}: the class frequencies of all data are not "
                "known. Pass "
                "compute_class_weight('balanced', classes=classes, y=y) as a dict."
            )
        if classes is not None and hasattr(self, "theta_"):
            self._check_same_classes(classes)
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
        return self._respond("predict_proba", X)

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
        return self._respond("predict_log_proba", X)

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
        return self._respond("predict", X)

    def _answer(self, method, raw, loss):
        if method == "predict_proba":
            return loss.predict(raw)
        if method == "predict_log_proba":
            return loss.log_proba(raw)
        if self._multilabel_:
            return (raw > 0).astype(np.int64)
        is_binary = len(self.classes_) == 2
        most_probable = raw[:, 0] > 0 if is_binary else raw.argmax(axis=1)
        return self.classes_.take(most_probable)

    def _encode_first(self, y, classes=None):
        y = check_y(y, dtype=None)
        with naming("y"), np.errstate(invalid="ignore"):
            self._check_labels_are_discrete(y)
            kind = "multiclass" if y.ndim == 1 else type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y must be one column of labels or an indicator matrix of 0 and 1, got "
                f"several class columns of shape {y.shape}; fit an estimator to each, "
                "as MultiOutputClassifier does."
            )
        self._multilabel_ = kind == "multilabel-indicator"
        codes = None
        if self._multilabel_:
            self.classes_ = np.arange(y.shape[1])
        elif classes is not None:
            self.classes_ = check_classes(classes)
        else:
            with naming("y"):
                self.classes_, codes = np.unique(y, return_inverse=True)
        self._class_weights_ = self._weigh_classes(y)
        return self._code(y) if codes is None else codes

    def _check_labels_are_discrete(self, y):
        try:
            check_classification_targets(y)
        except ValueError as error:
            if "continuous" not in str(error):
                raise
            raise ValueError(f"{error} Numbers are for {self._for_numbers}.") from error

    def _encode_again(self, y):
        y = self._check_labels(y)
        if not counts_labels(self.class_weight):
            self._class_weights_ = self._weigh_classes(y)
        return self._code(y)

    def _encode(self, y):
        return self._code(self._check_labels(y))

    def _check_labels(self, y):
        return check_y(y, dtype=np.float64 if self._multilabel_ else None)

    def _code(self, y):
        n_labels = len(self.classes_) if self._multilabel_ else 1
        if (y.shape[1] if y.ndim == 2 else 1) != n_labels:
            raise ValueError(
                f"y must have {n_labels} columns as in fit, got shape {y.shape}."
            )
        if self._multilabel_:
            self._make_loss().check_targets(y)
            return y.astype(np.int8)
        return encode_labels(y, self.classes_)

    def _check_same_classes(self, classes):
        classes = check_classes(classes)
        if classes.tolist() != self.classes_.tolist():
            raise ValueError(
                f"classes must be {self.classes_.tolist()} as in the first call, got "
                f"{classes.tolist()}."
            )

    def _stratify(self, y):
        return None if self._multilabel_ else check_y(y, dtype=None)

    def _total_weights(self, sample_weight, targets):
        weights = super()._total_weights(sample_weight, targets)
        if self._class_weights_ is None:
            return weights
        labels = targets.reshape(len(targets), -1).T
        for of_class, column in zip(self._class_weights_, labels, strict=True):
            with np.errstate(over="ignore"):
                weights = weights * of_class[column]
        return weights

    def _weigh_classes(self, y):
        classes = [0, 1] if self._multilabel_ else self.classes_
        return weigh_classes(self.class_weight, classes, y)

    @property
    def _n_targets_(self):
        return len(self.classes_) if self._multilabel_ else 1

    def _make_loss(self, **parameters):
        if self._multilabel_:
            return MultilabelCrossEntropy()
        if len(self.classes_) == 2:
            return BinaryCrossEntropy()
        return CategoricalCrossEntropy(len(self.classes_))
