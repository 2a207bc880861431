"""Functions between raw scores and predictions, exact at both ends of their range."""

import numpy as np


def softplus(x):
    """Return log(1 + exp(x)); it neither overflows nor loses a small result."""
    out = np.abs(x)
    np.negative(out, out=out)
    with np.errstate(under="ignore"):
        np.exp(out, out=out)
    np.log1p(out, out=out)
    out += np.maximum(x, 0)
    return out


def softplus_with_slope(x):
    """Return log(1 + exp(x)) and its derivative, the logistic function of x."""
    with np.errstate(under="ignore"):
        small = np.exp(-np.abs(x))
    slope = np.maximum(small, x > 0) / (1 + small)
    return np.maximum(x, 0) + np.log1p(small), slope


def softplus_inverse(value):
    """Return the x with softplus(x) = value, for value > 0."""
    with np.errstate(under="ignore"):
        return value + np.log(-np.expm1(-value))
