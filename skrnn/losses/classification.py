"""Log losses, computed from raw scores and never from a rounded probability."""

import numpy as np
from scipy.special import expit

from skrnn.jit import specialise
from skrnn.losses.base import Loss, as_columns, refuse_first
from skrnn.losses.links import softplus

# A class with a smaller share of the weight starts as if it had this one.
MIN_PRIOR = 1e-6


class CategoricalCrossEntropy(Loss):
    """Minus the log-probability of the true class, under a softmax.

    ``l = log(sum_k exp(raw_k)) - raw_y``, the logistic loss of multinomial regression.
    With the largest score taken out, the sum is ``1 + tail`` and its logarithm
    ``log1p(tail)``, so that the loss of a confident row is not rounded to zero.

    Parameters
    ----------
    n_classes : int
        Number of classes; y holds indices from 0 to ``n_classes - 1``.
    """

    out_activation = "softmax"

    def __init__(self, n_classes):
        if n_classes < 1:
            raise ValueError(f"n_classes must be at least 1, got {n_classes}.")
        self.n_classes = self.raw_per_target = int(n_classes)

    def check_targets(self, y):
        """Raise ValueError unless y holds class indices."""
        refused = ~((y >= 0) & (y < self.n_classes) & (y == np.floor(y)))
        refuse_first(y, refused, f"an integer from 0 to {self.n_classes - 1}")

    def value_and_gradient(self, raw, y, w):
        """Return the weighted sum, and ``d raw_k = w (p_k - [k = y])``.

        A row of the gradient sums to zero, so the entry of the true class is minus the
        sum of the others: exact where ``p - 1`` would cancel.
        """
        d_raw = np.empty_like(raw)
        y, w = y.astype(np.int64, copy=False), w.astype(np.float64, copy=False)
        with np.errstate(under="ignore"):
            value = specialise(_cross_entropy, raw.dtype)(raw, y, w, d_raw)
        return float(value), d_raw

    def predict(self, raw):
        """Return the softmax, the (B, n_classes) probabilities."""
        with np.errstate(under="ignore"):
            _, exps, tail = _without_top(raw)
            exps /= (1 + tail)[:, np.newaxis]
        return exps

    def log_proba(self, raw):
        """Return the (B, n_classes) log-probabilities."""
        with np.errstate(under="ignore"):
            scores, _, tail = _without_top(raw)
        scores -= np.log1p(tail)[:, np.newaxis]
        return scores

    def initial_raw(self, y, w):
        """Return the log of the class shares, none of them below 1e-6."""
        mass = np.bincount(y.astype(np.intp), weights=w, minlength=self.n_classes)
        return np.log(np.maximum(mass / mass.sum(), MIN_PRIOR))


class _Bernoulli(Loss):
    """Mean over columns of the binary cross-entropy: ``l = softplus(-raw)`` if y is 1,
    else ``softplus(raw)``.

    Written on ``-raw`` or ``raw``, value and gradient keep full relative precision for
    confident scores, where ``softplus(raw) - y raw`` and ``p - y`` cancel.
    """

    out_activation = "logistic"

    def check_targets(self, y):
        """Raise ValueError unless every entry is 0 or 1."""
        refuse_first(y, (y != 0) & (y != 1), "0 or 1")

    def value_and_gradient(self, raw, y, w):
        """Return the weighted sum, and its gradient in `raw`."""
        y = np.ascontiguousarray(y.reshape(raw.shape), np.int8)
        w = w.astype(np.float64, copy=False) / raw.shape[1]
        with np.errstate(under="ignore"):
            exps = np.exp(-np.abs(raw))
            tails = np.log1p(exps)
            add = specialise(_binary_cross_entropy, raw.dtype)
            value = add(raw, y, w, tails, exps)
        return float(value), exps

    def initial_raw(self, y, w):
        """Return the log-odds of each column, its shares kept 1e-6 from 0 and 1."""
        share = np.average(as_columns(y), axis=0, weights=w)
        share = np.clip(share, MIN_PRIOR, 1 - MIN_PRIOR)
        return np.log(share) - np.log1p(-share)


class BinaryCrossEntropy(_Bernoulli):
    """Cross-entropy of two classes on one raw score, the log-odds of class 1.

    ``l = softplus(-raw)`` if y is 1, else ``softplus(raw)``: the same loss as
    CategoricalCrossEntropy on the scores (0, raw), with half of the columns.
    """

    def predict(self, raw):
        """Return the (B, 2) probabilities of class 0 and class 1."""
        return expit(np.hstack([-raw, raw]))

    def log_proba(self, raw):
        """Return the (B, 2) log-probabilities of class 0 and class 1."""
        return -softplus(np.hstack([raw, -raw]))


class MultilabelCrossEntropy(_Bernoulli):
    """Mean over labels of the binary cross-entropy, one raw score per label.

    ``l = mean_j softplus(-raw_j)`` where label j is set, ``softplus(raw_j)`` where not.
    """

    def predict(self, raw):
        """Return the (B, n) probabilities that each label is set."""
        return expit(raw)

    def log_proba(self, raw):
        """Return the (B, n) log-probabilities that each label is set."""
        return -softplus(-raw)


def _cross_entropy(raw, y, w, d_raw):
    # The scores are stored before they are used: the compiler may regroup sums, and
    # would else add the top score, which can be large, to a small logarithm.
    real, n_columns = raw.dtype.type, raw.shape[1]
    value = np.float64(0)
    for i in range(raw.shape[0]):
        top, own = 0, y[i]
        for k in range(n_columns):
            if raw[i, k] > raw[i, top]:
                top = k
        for k in range(n_columns):
            d_raw[i, k] = raw[i, k] - raw[i, top]
        score, tail = d_raw[i, own], real(0)
        for k in range(n_columns):
            d_raw[i, k] = np.exp(d_raw[i, k])
            if k != top:
                tail += d_raw[i, k]
        share, others = real(w[i]) / (real(1) + tail), real(0)
        for k in range(n_columns):
            d_raw[i, k] *= share
            if k != own:
                others += d_raw[i, k]
        d_raw[i, own] = -others
        value += w[i] * (np.log1p(tail) - score)
    return value


def _binary_cross_entropy(raw, y, w, tails, d_raw):
    # softplus(x) = max(x, 0) + tail; at first `d_raw` holds exp(-|raw|)
    real = raw.dtype.type
    value = np.float64(0)
    for i in range(raw.shape[0]):
        loss, share = np.float64(0), real(w[i])
        for k in range(raw.shape[1]):
            sign = real(1 - 2 * y[i, k])
            against = sign * raw[i, k]
            loss += max(against, real(0)) + tails[i, k]
            top = d_raw[i, k] if against < real(0) else real(1)
            d_raw[i, k] = sign * share * (top / (real(1) + d_raw[i, k]))
        value += w[i] * loss
    return value


def _without_top(raw):
    """Return scores minus their row maximum, their exp, and the sum of the others.

    The log of the sum of a row of exponentials is then ``max + log1p(tail)``.
    """
    top = np.arange(0, raw.size, raw.shape[1]) + raw.argmax(axis=1)
    scores = raw - raw.take(top)[:, np.newaxis]
    exps = np.exp(scores)
    exps.put(top, 0.0)
    tail = exps.sum(axis=1)
    exps.put(top, 1.0)
    return scores, exps, tail
