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


def softplus_inverse(value):
    """Return the x with softplus(x) = value, for value > 0."""
    with np.errstate(under="ignore"):
        return value + np.log(-np.expm1(-value))
