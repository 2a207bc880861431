"""Sines that switch frequency and travel along the features."""

import numpy as np

from skrnn.datasets.common import (
    check_bounds,
    check_integer,
    draw_balanced_labels,
    draw_integers,
    make_rng,
)

PERIODS = (12.0, 5.0)
MAX_CLASSES = 8


def make_switching_sines(
    n_sequences=300,
    *,
    n_classes=3,
    n_features=4,
    n_timesteps=(20, 60),
    noise=0.1,
    random_state=None,
):
    """Make ragged multivariate waves whose class is their order and direction.

    After a random onset, every sequence goes through the same two regimes: a slow
    wave (period 12 steps) and a fast one (period 5 steps). In each regime all features
    follow the same sine, each a quarter of a period ahead of the feature before it or
    a quarter behind, which makes the wave travel along the features in one direction
    or the other. The class says which regime comes first and in which direction each
    of the waves travels.

    Parameters
    ----------
    n_sequences : int, default=300
        Number of sequences.

    n_classes : int, default=3
        Number of classes, 2 to 8.

    n_features : int, default=4
        Number of features, at least 2.

    n_timesteps : int or tuple (low, high), default=(20, 60)
        Number of steps, at least 8. With a pair, each sequence draws its own length
        uniformly from low to high, both included.

    noise : float, default=0.1
        Standard deviation of the normal noise added to every value, 0 or more. The
        amplitude of the waves is uniform between 0.5 and 1.5 in each sequence.

    random_state : int, RandomState instance or None, default=None
        Seed of the draws. Pass an int for the same data on every call.

    Returns
    -------
    X : list of n_sequences ndarrays of shape (n_timesteps_i, n_features), float64
        The waves. The first steps, up to a quarter of the sequence, are noise only.

    y : ndarray of shape (n_sequences,), int64
        Classes 0 to n_classes - 1; their counts differ by one at most. Bit 0 of the
        class is set if the fast wave comes first, bit 1 if the slow wave is reversed,
        bit 2 if the fast wave is reversed.

    Raises
    ------
    ValueError
        If `n_sequences` is not a positive integer, `n_classes` not an integer from 2
        to 8, `n_features` not an integer of at least 2, `n_timesteps` not an integer of
        at least 8 or an ordered pair of them, or `noise` not a finite number of at
        least 0.

    Notes
    -----
    Onset, switch, amplitude and the phase of each wave are random and independent of
    the class, and the two regimes get equal shares on average. It follows that

    - the steps of a sequence, taken as an unordered bag, have the same distribution in
      every class: a model that pools over single steps, or uses the mean, spread or
      correlation of features, stays at the chance accuracy 1 / n_classes;
    - one feature alone shows the order of the regimes but not the directions: from it
      no model reaches more than 2 / n_classes.

    A model has to follow the change from step to step, across features, and to
    remember the first regime until the end. With the default noise that is enough: a
    linear model of the products of features two steps apart, averaged over each half of
    the sequence, is almost always right. More noise makes the problem harder.

    There is no paper: the problem was made for this library.

    Examples
    --------
    >>> from skrnn.datasets import make_switching_sines
    >>> X, y = make_switching_sines(6, n_timesteps=(20, 25), random_state=0)
    >>> [x.shape[1] for x in X]
    [4, 4, 4, 4, 4, 4]
    >>> sorted(y.tolist())
    [0, 0, 1, 1, 2, 2]
    """
    check_integer(n_sequences, "n_sequences", 1)
    _check_n_classes(n_classes)
    check_integer(n_features, "n_features", 2)
    bounds = check_bounds(n_timesteps, "n_timesteps", 8)
    _check_noise(noise)
    rng = make_rng(random_state)
    y = draw_balanced_labels(n_sequences, n_classes, rng)
    lengths = draw_integers(bounds, n_sequences, rng)
    X = [rng.normal(scale=noise, size=(length, n_features)) for length in lengths]
    for x, label in zip(X, y, strict=True):
        _add_waves(x, label, rng)
    return X, y


def _check_n_classes(n_classes):
    check_integer(n_classes, "n_classes", 2)
    if n_classes > MAX_CLASSES:
        raise ValueError(f"n_classes must be at most {MAX_CLASSES}, got {n_classes}.")


def _check_noise(noise):
    is_number = isinstance(noise, (int, float, np.integer, np.floating))
    if isinstance(noise, bool) or not is_number or not 0 <= noise < np.inf:
        raise ValueError(f"noise must be a finite number >= 0, got {noise!r}.")


def _add_waves(x, label, rng):
    n_timesteps = len(x)
    onset = rng.randint(n_timesteps // 4 + 1)
    switch = onset + round((n_timesteps - onset) * rng.uniform(0.4, 0.6))
    amplitude = rng.uniform(0.5, 1.5)
    first, second = _regimes(label)
    x[onset:switch] += amplitude * _wave(x[onset:switch].shape, *first, rng)
    x[switch:] += amplitude * _wave(x[switch:].shape, *second, rng)


def _regimes(label):
    """Return the (period, direction) of the first and of the second wave."""
    slow = (PERIODS[0], -1 if label & 2 else 1)
    fast = (PERIODS[1], -1 if label & 4 else 1)
    return (fast, slow) if label & 1 else (slow, fast)


def _wave(shape, period, direction, rng):
    n_timesteps, n_features = shape
    cycles = rng.uniform() + np.arange(n_timesteps)[:, np.newaxis] / period
    return np.sin(2 * np.pi * (cycles + direction * np.arange(n_features) / 4))
