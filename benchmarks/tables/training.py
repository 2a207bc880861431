"""Training: whole fits and single updates, against PyTorch, JAX and skorch."""

from functools import partial

from cases import Case, training_cases
from contenders import CELLS, THREADS, jaxes, skorches, skrnns, torches, warm_fits
from report import Row, Table, exactly, of_peak, over, speed, times
from timing import clock, slope, take_turns

PEERS = ("torch", "jax")
TINY = Case(32, 1, 1, 1, sequences=1024, epochs=8)


def fit(plan):
    """A whole fit: a new model, shuffled minibatches, a fixed number of epochs."""
    rows = _rows(training_cases(plan.full), _everyone, _whole, plan.rounds)
    return _table("A whole fit, time for each update", rows, plan.peak)


def step(plan):
    """A single update: how the time of whole fits grows with their epochs."""
    rows = _rows(training_cases(plan.full), _everyone, _slope, plan.rounds)
    return _table("One training update", rows, plan.peak)


def overhead(plan):
    """An update of the smallest network: all that is not kernel time."""
    rows = _rows([TINY], _everyone, _slope, plan.rounds)
    columns = [*times(rows[0].samples, "us"), over(PEERS, "skrnn")]
    return Table("An update of almost no arithmetic", columns, rows)


def skorch(plan):
    """A whole fit against skorch; the two largest cases would tell nothing new."""
    cases = training_cases(plan.full)[:-2]
    rows = _rows(cases, _with_skorch, _whole, plan.rounds)
    title = "A whole fit against skorch, time for each update"
    columns = [*times(rows[0].samples, "ms"), over(["skorch"], "skrnn")]
    return Table(title, columns, rows)


def _everyone(cell, **sizes):
    return torches(cell, **sizes) | jaxes(cell, **sizes) | skrnns(cell, **sizes)


def _with_skorch(cell, **sizes):
    return skorches(cell, **sizes) | skrnns(cell, **sizes)


def _whole(fit, case):
    """Seconds of a whole fit, for each of its updates."""
    return clock(fit, case.epochs) / case.updates


def _slope(fit, case):
    """Seconds that an update adds to a fit."""
    return slope(fit, 1, 1 + case.epochs) / case.updates_per_epoch


def _rows(cases, contenders, measure, rounds):
    """Samples in seconds for each update, for each case and cell."""
    rows = []
    for case in cases:
        data = case.data()
        for cell in CELLS:
            fits = warm_fits(contenders(cell, **case.sizes), *data)
            measures = {name: partial(measure, f, case) for name, f in fits.items()}
            samples = take_turns(measures, rounds)
            facts = {"updates": case.updates, "operations": case.operations(cell)}
            rows.append(Row({"cell": cell, "case": str(case)}, samples, facts))
    return rows


def _table(title, rows, peak):
    columns = [
        *times(rows[0].samples, "ms"),
        over(["torch"], "skrnn"),
        over(PEERS, "skrnn"),
        exactly("skrnn 1", "skrnn 2", name="2 threads over 1"),
        speed("skrnn"),
        of_peak("skrnn", peak[THREADS[-1]]),
    ]
    return Table(title, columns, rows)
