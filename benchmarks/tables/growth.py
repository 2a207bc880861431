"""How time grows with the data and with the network."""

from functools import partial

import numpy as np
from cases import Case
from contenders import CELLS, THREADS, Skrnn, skrnns, torches, warm_fits
from report import Column, Row, Table, of_peak, over, speed, times
from timing import slope, take_turns

UNITS = (16, 32, 64, 128, 256, 512, 1024)
TWO_DECADES = np.logspace(0, 2, 5)
EPOCHS = np.array([20, 12, 6, 3, 2])  # so that short epochs are timed as well as long


def growth(plan):
    """Seconds for an epoch against the number of sequences and of real steps."""
    whole = 4 if plan.full else 1
    kinds = {
        "sequences": [Case(32, 20, 4, 64, round(256 * k), 1) for k in TWO_DECADES],
        "steps of 64": [Case(32, round(100 * k), 4, 64, 64, 1) for k in TWO_DECADES],
    }
    rows = [
        _growth_row(cell, kind, cases, whole * EPOCHS, plan.rounds)
        for kind, cases in kinds.items()
        for cell in CELLS
    ]
    columns = [
        Column("smallest, ms", lambda row: 1e3 * _curve(row)[1][0]),
        Column("largest, ms", lambda row: 1e3 * _curve(row)[1][-1]),
        Column("exponent", lambda row: np.polyfit(*np.log(_curve(row)), 1)[0]),
    ]
    return Table("An epoch, over two decades (B32 D4 H64)", columns, rows)


def hidden(plan):
    """An update for seven widths, with the fraction of the machine's peak."""
    rows = [_hidden_row(cell, units, plan) for cell in CELLS for units in UNITS]
    peak = plan.peak[THREADS[-1]]
    columns = [
        *times(rows[0].samples, "ms"),
        over(["torch"], "skrnn"),
        *(
            column
            for who in ("torch", "skrnn")
            for column in (speed(who), of_peak(who, peak))
        ),
    ]
    return Table("An update against hidden size (B64 T50 D16)", columns, rows)


def _growth_row(cell, kind, cases, epochs, rounds):
    measures = {}
    for case, further in zip(cases, epochs, strict=True):
        contender = {"skrnn": Skrnn(cell, n_jobs=1, **case.sizes)}
        fit = warm_fits(contender, *case.data())["skrnn"]
        measures[case.sequences * case.steps] = partial(slope, fit, 1, 1 + int(further))
    samples = take_turns(measures, rounds)
    return Row({"cell": cell, "grows": kind}, {str(n): t for n, t in samples.items()})


def _curve(row):
    """Real steps in an epoch, and its seconds."""
    return [int(n) for n in row.samples], [row.median(n) for n in row.samples]


def _hidden_row(cell, units, plan):
    case = Case(64, 50, 16, units, sequences=64, epochs=max(2, min(32, 1024 // units)))
    contenders = torches(cell, **case.sizes) | skrnns(cell, **case.sizes)
    fits = warm_fits(contenders, *case.data())
    measures = {n: partial(slope, f, 1, 1 + case.epochs) for n, f in fits.items()}
    labels = {"cell": cell, "case": f"H{units}"}
    facts = {"units": units, "operations": case.operations(cell)}
    return Row(labels, take_turns(measures, plan.rounds), facts)
