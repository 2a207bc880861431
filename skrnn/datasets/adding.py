"""The adding problem: two marked numbers, far apart, and their sum."""

import numpy as np

from skrnn.datasets.common import check_bounds, check_integer, draw_integers, make_rng


def make_adding_problem(n_sequences=1000, *, n_timesteps=100, random_state=None):
    """Make sequences whose target is the sum of their two marked values.

    Every step carries a random value and a marker. The marker is 1 at two steps, one
    in each half of the sequence, and 0 elsewhere; the target is the sum of the values
    at these two steps.

    Parameters
    ----------
    n_sequences : int, default=1000
        Number of sequences.

    n_timesteps : int or tuple (low, high), default=100
        Number of steps, at least 2. With a pair, each sequence draws its own length
        uniformly from low to high, both included.

    random_state : int, RandomState instance or None, default=None
        Seed of the draws. Pass an int for the same data on every call.

    Returns
    -------
    X : list of n_sequences ndarrays of shape (n_timesteps_i, 2), float64
        Column 0 is the value, uniform in [0, 1); column 1 is the marker, 0 or 1.

    y : ndarray of shape (n_sequences,), float64
        The sum of the two marked values, in [0, 2).

    Raises
    ------
    ValueError
        If `n_sequences` is not a positive integer, or `n_timesteps` is not an integer
        of at least 2 or an ordered pair of them.

    Notes
    -----
    The target depends on two steps out of `n_timesteps` and all other values have to be
    ignored. The first marker lies, on average, three quarters of the sequence before
    the end, and the gradient has to survive that many steps.

    Always predicting the mean, 1, has a mean squared error of 1/6 (about 0.167), the
    variance of the sum of two independent uniform values. A model that remembers only
    the second marked value reaches 1/12. Clearly less than that needs both.

    The paper draws values from [-1, 1] and scales the target into [0, 1]; the form
    with values in [0, 1] and the plain sum, used here, is that of [2]_.

    References
    ----------
    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
       Computation 9(8), 1735-1780, 1997.
    .. [2] Q. V. Le, N. Jaitly and G. E. Hinton, "A simple way to initialize recurrent
       networks of rectified linear units", arXiv:1504.00941, 2015.

    Examples
    --------
    >>> from skrnn.datasets import make_adding_problem
    >>> X, y = make_adding_problem(5, n_timesteps=(20, 30), random_state=0)
    >>> len(X), y.shape
    (5, (5,))
    >>> values, markers = X[0].T
    >>> int(markers.sum()), bool(values @ markers == y[0])
    (2, True)
    """
    check_integer(n_sequences, "n_sequences", 1)
    bounds = check_bounds(n_timesteps, "n_timesteps", 2)
    rng = make_rng(random_state)
    lengths = draw_integers(bounds, n_sequences, rng)
    X = [_draw_sequence(length, rng) for length in lengths]
    y = np.array([_sum_marked(x) for x in X])
    return X, y


def _draw_sequence(n_timesteps, rng):
    half = n_timesteps // 2
    x = np.zeros((n_timesteps, 2))
    x[:, 0] = rng.uniform(size=n_timesteps)
    x[[rng.randint(half), rng.randint(half, n_timesteps)], 1] = 1.0
    return x


def _sum_marked(x):
    return x[x[:, 1] == 1.0, 0].sum()
