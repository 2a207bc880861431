"""Numbers as targets: of whole sequences, or of each step."""

import numpy as np
from sklearn.utils import check_consistent_length

from skrnn.estimators.base import BaseRecurrent
from skrnn.estimators.callbacks import with_callbacks
from skrnn.estimators.state import REGRESSOR_STATE
from skrnn.estimators.targets import check_y
from skrnn.estimators.transaction import all_or_nothing
from skrnn.losses import REGRESSION_LOSSES


class BaseRegressor(BaseRecurrent):
    """Recurrent estimator of a number, or a row of numbers, for each target."""

    _answers = ("predict",)
    _state_rules = REGRESSOR_STATE

    @with_callbacks
    @all_or_nothing
    def partial_fit(self, X, y, sample_weight=None):
        """Run one epoch on the given data, going on from the weights so far.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self : estimator
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
        return self._respond("predict", X)

    def _answer(self, method, raw, loss):
        predicted = loss.predict(raw)
        return predicted[:, 0] if self._flat_y_ else predicted

    def _encode_first(self, y):
        y = check_y(y, dtype=np.float64)
        self._flat_y_ = y.ndim == 1
        self._n_targets_ = 1 if self._flat_y_ else y.shape[1]
        return y.reshape(len(y), -1)

    def _encode(self, y):
        y = check_y(y, dtype=np.float64)
        y = y.reshape(len(y), -1)
        if y.shape[1] != self._n_targets_:
            raise ValueError(
                f"y must have {self._n_targets_} columns as in fit, got {y.shape[1]}."
            )
        return y

    def _stratify(self, y):
        return None

    def _loss_parameters(self):
        parameters = {"loss": self.loss}
        if self.loss == "huber":
            parameters["huber_delta"] = self.huber_delta
        if self.loss == "quantile":
            parameters["quantiles"] = np.array(self.quantiles, float).tolist()
        return parameters

    def _make_loss(self, loss, **parameters):
        return REGRESSION_LOSSES[loss](*parameters.values())

    def _score(self, y, predicted, sample_weight):
        """R^2, or D^2 of the pinball loss, of predictions for encoded targets."""
        from sklearn.metrics import d2_pinball_score, r2_score  # slow to import

        check_consistent_length(y, predicted, sample_weight)
        fitted = self._loss_parameters_
        if fitted["loss"] != "quantile":
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        quantiles = np.atleast_1d(fitted["quantiles"])
        predicted = predicted.reshape(len(y), self._n_targets_, quantiles.size)
        scores = [
            d2_pinball_score(y, predicted[..., k], sample_weight=sample_weight, alpha=q)
            for k, q in enumerate(quantiles)
        ]
        return float(np.mean(scores))
