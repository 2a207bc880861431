"""Recurrent regressor."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_array

from skrnn.estimators.base import BaseRecurrent
from skrnn.estimators.callbacks import with_callbacks
from skrnn.estimators.parameters import REGRESSOR, SHARED
from skrnn.losses import REGRESSION_LOSSES


class RNNRegressor(RegressorMixin, BaseRecurrent):
    """Recurrent regressor."""

    _rules = {**SHARED, **REGRESSOR}

    def __init__(
        self,
        hidden_layer_sizes=(64,),
        cell="gru",
        *,
        loss="squared_error",
        quantiles=0.5,
        huber_delta=1.0,
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
        dtype=None,
        n_jobs=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.loss = loss
        self.quantiles = quantiles
        self.huber_delta = huber_delta
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
        self.dtype = dtype
        self.n_jobs = n_jobs

    @with_callbacks
    def partial_fit(self, X, y, sample_weight=None):
        """Run one epoch on the given data, going on from the weights so far.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self : RNNRegressor
        """
        return self._partial_fit(X, y, sample_weight, self._encode_first)

    def predict(self, X):
        """Predicted target of each sequence.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
            With several quantiles one more axis, of length n_quantiles, comes last.
        """
        raw = self._raw(X)
        predicted = self._make_loss().predict(raw)
        return predicted[:, 0] if self._flat_y else predicted

    def score(self, X, y, sample_weight=None):
        """R^2 of the predictions; with several quantiles, D^2 of the pinball loss.

        Parameters
        ----------
        X : sequences
            As in `fit`.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
        sample_weight : array-like of shape (n_sequences,), default=None

        Returns
        -------
        float
            At most 1; 0 for a constant. The D^2 is the mean over the quantiles.
        """
        if self.loss != "quantile" or np.ndim(self.quantiles) == 0:
            return super().score(X, y, sample_weight)
        predicted = self.predict(X)
        scores = [
            d2_pinball_score(y, predicted[..., k], sample_weight=sample_weight, alpha=q)
            for k, q in enumerate(self.quantiles)
        ]
        return float(np.mean(scores))

    def _encode_first(self, y):
        y = _check_values(y)
        self._flat_y = y.ndim == 1
        self._n_targets = 1 if self._flat_y else y.shape[1]
        return self._encode(y)

    def _encode(self, y):
        y = _check_values(y)
        y = y.reshape(len(y), -1)
        if y.shape[1] != self._n_targets:
            raise ValueError(
                f"y must have {self._n_targets} columns as in fit, got {y.shape[1]}."
            )
        return y

    def _stratify(self, y):
        return None

    def _make_loss(self):
        kind = REGRESSION_LOSSES[self.loss]
        if self.loss == "huber":
            return kind(self.huber_delta)
        if self.loss == "quantile":
            return kind(np.atleast_1d(self.quantiles))
        return kind()


def _check_values(y):
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    if y.ndim == 2 and y.shape[1] == 1:
        return column_or_1d(y, warn=True)
    return y
