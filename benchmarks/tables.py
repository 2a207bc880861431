"""The five tables. Each function times its contenders and returns a `Table`."""

from functools import partial

from cases import random_data, ragged_lengths, training_cases
from contenders import CELLS, everyone, skrnns, twins
from peers import Packed, Padded
from report import Row, Table
from timing import clock, median_call, slope, take_turns


def step(full, rounds):
    """One training update: the slope of whole fits over their number of epochs."""
    rows = []
    for case in training_cases(full):
        per_epoch = 2
        epochs = 1 + case.updates // per_epoch
        data = random_data([case.steps] * case.batch * per_epoch, case.features)
        for cell in CELLS:
            measures = {
                name: partial(slope, contender.fit, prepared, 1, epochs)
                for name, contender, prepared in _warm(cell, case.units, case.batch, data)
            }
            samples = take_turns(measures, rounds)
            rows.append(Row(cell, str(case), _scale(samples, 1 / per_epoch)))
    return Table("One training update", "ms", rows)


def fit(full, rounds):
    """A whole fit: a new model, a fixed number of epochs, minibatches shuffled."""
    rows = []
    for case in training_cases(full):
        data = random_data([case.steps] * case.sequences, case.features)
        for cell in CELLS:
            measures = {
                name: partial(clock, contender.fit, prepared, case.epochs)
                for name, contender, prepared in _warm(cell, case.units, case.batch, data)
            }
            label = f"{case}, {case.updates} updates"
            rows.append(Row(cell, label, take_turns(measures, rounds)))
    return Table("A whole fit", "ms", rows)


def predict(full, rounds):
    """The classes of 256 sequences at once."""
    rows = []
    X, y = random_data([50] * 256, features=8)
    for units in (32, 64, 256):
        for cell in CELLS:
            samples = _time_predict(cell, units, (X, y), X, 20 if full else 6, rounds)
            rows.append(Row(cell, f"256 sequences, T50 D8 H{units}", samples))
    return Table("Predict", "ms", rows)


def one(full, rounds):
    """The class of a lone sequence, validation included."""
    rows = []
    X, y = random_data([50] * 64, features=1)
    for cell in CELLS:
        samples = _time_predict(cell, 32, (X, y), X[:1], 500 if full else 100, rounds)
        rows.append(Row(cell, "1 sequence, T50 D1 H32", samples))
    return Table("Predict one sequence", "us", rows)


def ragged(full, rounds):
    """A whole fit on lengths of 10 to 200 and on equal lengths, per real step."""
    rows = []
    features, units, batch, epochs = 8, 64, 32, 4 if full else 1
    lengths = ragged_lengths(256, 10, 200)
    mean = round(sum(lengths) / len(lengths))
    equal = random_data([mean] * len(lengths), features)
    uneven = random_data(lengths, features)
    for cell in CELLS:
        sizes = (cell, units, batch)
        entries = {
            "equal": (everyone(*sizes), equal),
            "ragged, packed": (twins(*sizes, Packed) | skrnns(*sizes), uneven),
            "ragged, padded": (twins(*sizes, Padded), uneven),
        }
        measures = {
            (label, name): partial(clock, contender.fit, prepared, epochs)
            for label, (group, data) in entries.items()
            for name, contender, prepared in _warm_group(group, data)
        }
        samples = take_turns(measures, rounds)
        ...
