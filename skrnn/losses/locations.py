"""Weighted quantiles and Huber's location: the best constants of robust losses.

Both depend only on the weighted distribution: a weight of two equals two copies, a
weight of zero equals no sample, and where the minimum is flat the answer is the middle
of it, whatever the rounding of the weights.
"""

import numpy as np

# Sums of weights that differ by less than this share of the total are ties.
TIE = 1e-10


def weighted_quantile(y, w, q):
    """Return the `q` quantiles, shape (Q,), of the values y (B,) with weights w (B,).

    They minimise the pinball loss: the middle of all t with
    P(Y < t) <= q <= P(Y <= t).
    """
    y, w = _sorted_support(y, w)
    mass = np.cumsum(w)
    goal, slack = np.multiply(q, mass[-1]), TIE * mass[-1]
    low = np.searchsorted(mass, goal - slack, side="left")
    high = np.searchsorted(mass, goal + slack, side="right")
    return 0.5 * (y[low] + y[np.minimum(high, len(y) - 1)])


def huber_location(y, w, delta):
    """Return the c where ``sum_i w_i clip(c - y_i, -delta, delta) = 0``.

    The sum is piecewise linear in c and grows by w_i per unit while c is within delta
    of y_i, so its values at all y_i -+ delta give c by interpolation.
    """
    y, w = _sorted_support(y, w)
    delta = min(delta, y[-1] - y[0])  # farther than all of the data changes nothing
    if delta == 0:
        return y[0]
    knots = np.concatenate([y - delta, y + delta])
    order = np.argsort(knots, kind="stable")
    knots, slope = knots[order], np.cumsum(np.concatenate([w, -w])[order])
    rise = np.cumsum(slope[:-1] * np.diff(knots))
    pull = np.append(0.0, rise) - delta * w.sum()
    tie = TIE * delta * w.sum()
    return np.interp([-tie, tie], pull, knots).mean()


def _sorted_support(y, w):
    """Return the values of positive weight in increasing order, and their weights."""
    y, w = y[w > 0], np.asarray(w, dtype=np.float64)[w > 0]
    order = np.argsort(y, kind="stable")
    return y[order], w[order]
