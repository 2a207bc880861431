"""Timing on a noisy machine: contenders take turns, and medians decide."""

import gc
import statistics
import time


def clock(function, *arguments):
    """Seconds that one call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def median_call(function, calls):
    """Median seconds of a call, over many in a row."""
    return statistics.median(clock(function) for _ in range(calls))


def slope(fit, few, many):
    """Seconds that an epoch adds to a whole fit: what is done once cancels out."""
    return (clock(fit, many) - clock(fit, few)) / (many - few)


def take_turns(measures, rounds):
    """Run each measure once a round, every second round in reverse order.

    Parameters
    ----------
    measures : dict of str to callable
        Each returns seconds.
    rounds : int

    Returns
    -------
    samples : dict of str to list of float
        The seconds of each measure, one for each round.
    """
    samples = {name: [] for name in measures}
    order = list(measures)
    for _ in range(rounds):
        for name in order:
            gc.collect()
            time.sleep(0.01)  # idle OpenMP threads spin for a while, then sleep
            samples[name].append(measures[name]())
        order.reverse()
    return samples


def paired_ratio(numerators, denominators):
    """Median over the rounds of the ratio of two contenders in the same round."""
    pairs = zip(numerators, denominators, strict=True)
    return statistics.median(top / bottom for top, bottom in pairs)
