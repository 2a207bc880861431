"""Losses of real-valued targets. Errors are raw score minus target throughout."""

import math

import numpy as np
from scipy.special import expit, xlogy

from skrnn.losses.base import ColumnMeanLoss, as_columns, refuse_first
from skrnn.losses.links import softplus, softplus_inverse
from skrnn.losses.locations import huber_location, weighted_quantile

# exp() goes no further than the square root of the largest number, so that the square
# of a gradient, as Adam takes it, is finite too.
MAX_LOG = {np.dtype(t): 0.5 * math.log(np.finfo(t).max) for t in ("f4", "f8")}
MIN_RATE = 1e-12
# Two quantiles that coincide in the data start this far apart, in units of y: the
# slope of softplus there is about as small, and an increment of zero never learns.
MIN_INCREMENT = 1e-4


class SquaredError(ColumnMeanLoss):
    """Half the squared error, as in scikit-learn's MLPRegressor.

    ``l = mean_j (raw_j - y_j)^2 / 2``. Predicts the mean.
    """

    out_activation = "identity"

    def _terms(self, raw, y):
        error = raw - y
        return 0.5 * error * error, error

    def predict(self, raw):
        """Return `raw`."""
        return raw

    def initial_raw(self, y, w):
        """Return the weighted means."""
        return np.average(as_columns(y), axis=0, weights=w)


class AbsoluteError(ColumnMeanLoss):
    """The absolute error; its gradient at zero is zero.

    ``l = mean_j |raw_j - y_j|``. Predicts the median.
    """

    out_activation = "identity"

    def _terms(self, raw, y):
        error = raw - y
        return np.abs(error), np.sign(error)

    def predict(self, raw):
        """Return `raw`."""
        return raw

    def initial_raw(self, y, w):
        """Return the weighted medians."""
        columns = as_columns(y).T
        return np.concatenate([weighted_quantile(c, w, [0.5]) for c in columns])


class Huber(ColumnMeanLoss):
    """Squared near zero, linear beyond `delta` (Huber 1964).

    With the error ``e = raw - y`` and its clipped form ``c = clip(e, -delta, delta)``,
    which is also the gradient, ``l = mean_j c_j (e_j - c_j / 2)``: ``e^2 / 2`` up to
    `delta`, ``delta (|e| - delta / 2)`` beyond.

    Parameters
    ----------
    delta : float, default=1.0
        The error, in units of y, where the loss turns linear.

    References
    ----------
    P. J. Huber (1964), "Robust estimation of a location parameter", Annals of
    Mathematical Statistics 35(1), 73-101.
    """

    out_activation = "identity"

    def __init__(self, delta=1.0):
        if not 0 < delta < math.inf:
            raise ValueError(f"delta must be a finite number > 0, got {delta!r}.")
        self.delta = float(delta)

    def _terms(self, raw, y):
        error = raw - y
        clipped = error.clip(-self.delta, self.delta)
        return clipped * (error - 0.5 * clipped), clipped

    def predict(self, raw):
        """Return `raw`."""
        return raw

    def initial_raw(self, y, w):
        """Return Huber's estimate of location for each column."""
        columns = as_columns(y).T
        return np.array([huber_location(c, w, self.delta) for c in columns])


class Poisson(ColumnMeanLoss):
    """Half the Poisson deviance of counts or rates, on the log of their mean.

    ``l = mean_j exp(raw_j) - y_j raw_j + (y_j log y_j - y_j)``. The constant in
    brackets is included, as in scikit-learn's MLPRegressor, so that a perfect fit has
    the value zero. The terms are computed in float64, as they cancel for large y.

    Past ``MAX_LOG`` (44 in float32, 355 in float64) the exponential goes on along its
    tangent: no score overflows, and the gradient is still that of the value.
    Predictions stop there and at the negative, so they are finite and positive.
    """

    out_activation = "exp"

    def check_targets(self, y):
        """Raise ValueError unless y is finite and non-negative."""
        refuse_first(y, ~((y >= 0) & (y < np.inf)), "finite and non-negative")

    def _terms(self, raw, y):
        cap = MAX_LOG[raw.dtype]
        raw, y = raw.astype(np.float64, copy=False), y.astype(np.float64, copy=False)
        capped = np.minimum(raw, cap)
        mean = np.exp(capped)
        tangent = mean * (1 + raw - capped)
        return tangent - y * raw + (xlogy(y, y) - y), mean - y

    def predict(self, raw):
        """Return ``exp(raw)``, the means."""
        cap = MAX_LOG[raw.dtype]
        return np.exp(np.clip(raw, -cap, cap))

    def initial_raw(self, y, w):
        """Return the logs of the weighted means, of 1e-12 where all y are zero."""
        mean = np.average(as_columns(y), axis=0, weights=w)
        return np.log(np.maximum(mean, MIN_RATE))


class Quantile(ColumnMeanLoss):
    """The pinball loss of one or several quantiles that cannot cross.

    The first raw column of a target is its lowest quantile; each further one adds an
    increment through softplus, ``t_1 = raw_1, t_k = t_(k-1) + softplus(raw_k)``. With
    the error ``e = t - y`` and the level q, ``l = mean |e| / 2 + (1/2 - q) e``, which
    is ``(1 - q) e`` above the target and ``-q e`` below.

    Parameters
    ----------
    quantiles : float or sequence of floats, default=(0.5,)
        The levels, strictly increasing, between 0 and 1.

    References
    ----------
    R. Koenker and G. Bassett (1978), "Regression quantiles", Econometrica 46(1), 33-50.
    """

    def __init__(self, quantiles=(0.5,)):
        levels = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
        steps = np.diff(levels, prepend=0.0, append=1.0)
        if levels.ndim > 1 or levels.size == 0 or not (steps > 0).all():
            raise ValueError(
                "quantiles must be strictly increasing numbers between 0 and 1, got "
                f"{quantiles!r}."
            )
        self.quantiles = tuple(levels.tolist())
        self._lean = 0.5 - levels
        self.raw_per_target = len(levels)
        self.out_activation = "identity" if len(levels) == 1 else "ordered"

    def _terms(self, raw, y):
        raw_3d = self._per_target(raw)
        lean = self._lean.astype(raw.dtype, copy=False)
        error = _levels(raw_3d) - y[:, :, np.newaxis]
        terms = 0.5 * np.abs(error) + lean * error
        slopes = 0.5 * np.sign(error) + lean
        for k in range(self.raw_per_target - 1, 0, -1):
            slopes[:, :, k - 1] += slopes[:, :, k]  # a column moves all levels above
        slopes[:, :, 1:] *= expit(raw_3d[:, :, 1:])
        return terms.reshape(raw.shape), slopes.reshape(raw.shape)

    def predict(self, raw):
        """Return the quantiles, (B, n, Q), or (B, n) if there is one level."""
        if self.raw_per_target == 1:
            return raw
        return _levels(self._per_target(raw))

    def initial_raw(self, y, w):
        """Return the weighted quantiles of each column, as a level and increments."""
        columns = as_columns(y).T
        levels = np.array([weighted_quantile(c, w, self.quantiles) for c in columns])
        steps = np.maximum(np.diff(levels, axis=1), MIN_INCREMENT)
        return np.hstack([levels[:, :1], softplus_inverse(steps)]).ravel()

    def _per_target(self, raw):
        n_levels = self.raw_per_target
        return raw.reshape(len(raw), raw.shape[1] // n_levels, n_levels)


def _levels(raw_3d):
    """Return the increasing levels (B, n, Q) of lowest levels and raw increments."""
    levels = raw_3d.copy()
    levels[:, :, 1:] = softplus(raw_3d[:, :, 1:])
    for k in range(1, levels.shape[2]):
        levels[:, :, k] += levels[:, :, k - 1]
    return levels


REGRESSION_LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "poisson": Poisson,
    "quantile": Quantile,
}
