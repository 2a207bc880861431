"""Argument checks and draws that the problems share."""

import sys

import numpy as np
from sklearn.utils import check_random_state


def is_integer(value, minimum):
    """Whether `value` is an integer (not a bool) of at least `minimum`."""
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, np.integer)) and minimum <= value <= sys.maxsize


def check_integer(value, name, minimum):
    """Raise ValueError unless `value` is an integer of at least `minimum`."""
    if not is_integer(value, minimum):
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value!r}.")


def check_bounds(value, name, minimum):
    """Return (low, high) from an integer or a pair of integers."""
    if is_integer(value, minimum):
        return value, value
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    if is_pair and is_integer(value[0], minimum) and is_integer(value[1], value[0]):
        return tuple(value)
    raise ValueError(
        f"{name} must be an integer >= {minimum} or a pair (low, high) of them with "
        f"low <= high, got {value!r}."
    )


def draw_integers(bounds, size, rng):
    """Draw `size` integers uniformly from (low, high), both ends included."""
    low, high = bounds
    return rng.randint(low, high + 1, size=size)


def draw_balanced_labels(n_sequences, n_classes, rng):
    """Return labels in random order whose class counts differ by one at most."""
    return rng.permutation(np.arange(n_sequences, dtype=np.int64) % n_classes)


def make_rng(random_state):
    """Return the RandomState that `random_state` stands for."""
    try:
        return check_random_state(random_state)
    except ValueError as error:
        raise ValueError(
            "random_state must be None, an integer from 0 to 4294967295 or a "
            f"RandomState, got {random_state!r}."
        ) from error
