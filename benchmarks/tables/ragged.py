"""Ragged sequences: what a real step costs where lengths differ."""

from functools import partial

from cases import ragged_lengths, random_data
from contenders import CELLS, THREADS, skrnns, torches, warm_fits
from peers.torch import Packed, Padded
from report import Column, Row, Table, exactly, times
from timing import clock, take_turns


def ragged(plan):
    """A fit on lengths of 10 to 200 and one on equal lengths, for each real step."""
    lengths = ragged_lengths(256, 10, 200)
    mean = round(sum(lengths) / len(lengths))
    data = {
        "equal": random_data([mean] * len(lengths), features=8),
        "ragged": random_data(lengths, features=8),
    }
    epochs = 8 if plan.full else 2
    rows = [row for cell in CELLS for row in _rows(cell, data, epochs, plan.rounds)]
    columns = [
        *times(rows[0].samples, "us"),
        exactly("skrnn ragged", "skrnn equal", worst=max),
        exactly("torch packed", "torch equal", worst=max),
        Column("torch / skrnn, ragged", _better_ragged, min),
    ]
    title = f"A step of a sequence, lengths 10 to 200 or all {mean} (B32 D8 H64)"
    return Table(title, columns, rows)


def _rows(cell, data, epochs, rounds):
    """A row for each number of threads."""
    sizes = {"cell": cell, "units": 64, "batch_size": 32}
    forms = {
        "torch equal": warm_fits(torches(**sizes), *data["equal"]),
        "torch packed": warm_fits(torches(**sizes, feed=Packed), *data["ragged"]),
        "torch padded": warm_fits(torches(**sizes, feed=Padded), *data["ragged"]),
        "skrnn equal": warm_fits(skrnns(**sizes), *data["equal"]),
        "skrnn ragged": warm_fits(skrnns(**sizes), *data["ragged"]),
    }
    X = {form: data["equal" if "equal" in form else "ragged"][0] for form in forms}
    measures = {
        (form, n): partial(_per_step, fits[f"{form.split()[0]} {n}"], epochs, X[form])
        for form, fits in forms.items()
        for n in THREADS
    }
    samples = take_turns(measures, rounds)
    return [
        Row(
            {"cell": cell, "threads": str(n)},
            {form: samples[form, n] for form in forms},
        )
        for n in THREADS
    ]


def _better_ragged(row):
    """PyTorch's better form over skrnn, on ragged sequences."""
    peer = min("torch packed", "torch padded", key=row.median)
    return row.ratio(peer, "skrnn ragged")


def _per_step(fit, epochs, X):
    """Seconds for each real step; padding does not count."""
    return clock(fit, epochs) / (epochs * sum(map(len, X)))
