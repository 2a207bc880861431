"""The five tables: each function times all contenders and returns a `Table`."""

from functools import partial

from cases import ragged_lengths, random_data, training_cases
from contenders import CELLS, everyone, skrnns, twins
from peers import Packed, Padded
from report import Row, Table, scaled
from timing import clock, median_call, slope, take_turns


def step(full, rounds):
    """A single update: how the time of whole fits grows with their epochs."""
    rows = []
    for case in training_cases(full):
        per_epoch = 2
        epochs = 1 + case.updates // per_epoch
        data = random_data([case.steps] * case.batch * per_epoch, case.features)
        for cell in CELLS:
            fits = _fits(everyone(cell, case.units, case.batch), *data)
            measures = {n: partial(slope, f, 1, epochs) for n, f in fits.items()}
            samples = scaled(take_turns(measures, rounds), 1 / per_epoch)
            rows.append(Row(cell, str(case), samples))
    return Table("One training update", "ms", rows)


def fit(full, rounds):
    """A whole fit: a new model, shuffled minibatches, a fixed number of epochs."""
    rows = []
    for case in training_cases(full):
        data = random_data([case.steps] * case.sequences, case.features)
        for cell in CELLS:
            fits = _fits(everyone(cell, case.units, case.batch), *data)
            measures = {
                name: partial(clock, f, case.epochs) for name, f in fits.items()
            }
            label = f"{case}, {case.updates} updates"
            rows.append(Row(cell, label, take_turns(measures, rounds)))
    return Table("A whole fit", "ms", rows)


def predict(full, rounds):
    """The classes of 256 sequences at once."""
    X, y = random_data([50] * 256, features=8)
    calls = 20 if full else 6
    rows = [
        Row(cell, f"T50 D8 H{units}", _predict(cell, units, X, y, X, calls, rounds))
        for units in (32, 64, 256)
        for cell in CELLS
    ]
    return Table("Predict 256 sequences", "ms", rows)


def one(full, rounds):
    """The class of a lone sequence, validation included."""
    X, y = random_data([50] * 64, features=1)
    calls = 500 if full else 100
    rows = [
        Row(cell, "T50 D1 H32", _predict(cell, 32, X, y, X[:1], calls, rounds))
        for cell in CELLS
    ]
    return Table("Predict one sequence", "us", rows)


def ragged(full, rounds):
    """A fit on lengths of 10 to 200 and one on equal lengths, for each real step."""
    epochs = 4 if full else 1
    lengths = ragged_lengths(256, 10, 200)
    mean = round(sum(lengths) / len(lengths))
    equal = random_data([mean] * len(lengths), features=8)
    uneven = random_data(lengths, features=8)
    rows = []
    for cell in CELLS:
        sizes = {"cell": cell, "units": 64, "batch_size": 32}
        fits = {
            "equal": _fits(everyone(**sizes), *equal),
            "ragged": _fits(skrnns(**sizes), *uneven),
            "packed": _fits(twins(**sizes, feed=Packed), *uneven),
            "padded": _fits(twins(**sizes, feed=Padded), *uneven),
        }
        measures = {
            (form, name): partial(clock, f, epochs)
            for form, group in fits.items()
            for name, f in group.items()
        }
        samples = take_turns(measures, rounds)
        group = {form: {n: samples[form, n] for n in fits[form]} for form in fits}
        equal_steps, real_steps = mean * len(lengths) * epochs, sum(lengths) * epochs
        rows.append(Row(cell, "equal", scaled(group["equal"], 1 / equal_steps)))
        for form in ("packed", "padded"):
            both = group[form] | group["ragged"]
            rows.append(Row(cell, f"ragged, {form}", scaled(both, 1 / real_steps)))
    title = f"A step of a sequence, lengths 10 to 200 or all {mean} (B32 D8 H64)"
    return Table(title, "us", rows, mean_over="case")


TABLES = {table.__name__: table for table in (step, fit, predict, one, ragged)}


def _fits(contenders, X, y):
    """Functions of a number of epochs, by name; all have run once, to compile."""
    fits = {n: partial(c.fit, c.prepare(X, y)) for n, c in contenders.items()}
    for fit_epochs in fits.values():
        fit_epochs(1)
    return fits


def _predict(cell, units, X, y, asked, calls, rounds):
    """Samples of `predict(asked)` after a short fit on X and y."""
    contenders = everyone(cell, units, batch_size=32)
    _fits(contenders, X, y)
    measures = {
        name: partial(median_call, partial(contender.predict, asked), calls)
        for name, contender in contenders.items()
    }
    return take_turns(measures, rounds)
