"""Inference on the same weights: batches, one sequence, streams."""

import copy
from functools import partial

import numpy as np
from cases import random_data
from contenders import CELLS, THREADS, Skrnn
from peers.onnx import OnnxTwin
from peers.torch import Twin
from report import Column, Row, Table, exactly, over, times
from timing import median_call, take_turns

PEERS = ("torch", "onnx")
TOLERANCE = 1e-4
N_STREAMS = 1000


def predict(plan):
    """The classes of a batch of sequences, also in float64."""
    X, y = random_data([50] * 256, features=8)
    rows = []
    for batch in (32, 256):
        for units in (32, 64, 256):
            for cell in CELLS:
                models = _models(cell, units, X, y)
                doubles = Skrnn(cell, units, 32, n_jobs=1, dtype="float64")
                models["double"] = doubles.fit((X.astype(float), y), 1).model
                calls = (40 if plan.full else 6) * 256 // batch
                labels = {"cell": cell, "case": f"B{batch} T50 D8 H{units}"}
                samples = _time(models, X[:batch], calls, plan.rounds)
                rows.append(Row(labels, samples))
    columns = [
        *times(rows[0].samples, "ms"),
        *(over([peer], "skrnn") for peer in PEERS),
        over(PEERS, "skrnn"),
        exactly("double", "skrnn 1", worst=max),
    ]
    return Table("Predict a batch", columns, rows)


def one(plan):
    """The class of a lone sequence, validation included."""
    X, y = random_data([50] * 64, features=1)
    long, _ = random_data([550], features=1)
    calls = 1000 if plan.full else 200
    rows = []
    for cell in CELLS:
        models = _models(cell, 32, X, y)
        samples = _time(models, X[:1], calls, plan.rounds)
        kernel = partial(_further_steps, models["skrnn 1"].predict, X[:1], long, calls)
        samples |= take_turns({"kernel": kernel}, plan.rounds)
        rows.append(Row({"cell": cell, "case": "T50 D1 H32"}, samples))
    columns = [*times(rows[0].samples, "us"), over(PEERS, "skrnn")]
    title = "Predict one sequence; `kernel` is what 50 further steps cost skrnn"
    return Table(title, columns, rows)


def stream(plan):
    """Steps as they arrive, for one stream and for many."""
    X, y = random_data([50] * N_STREAMS, features=8)
    rows = []
    for cell in CELLS:
        model = Skrnn(cell, 64, 32, n_jobs=1).fit((X[:64], y[:64]), 1).model
        if np.mean(_last_answers(model, X) == model.predict(X)) < 0.99:
            raise RuntimeError(f"{cell}: step and predict differ.")
        many, single = N_STREAMS * X.shape[1], X.shape[1]
        measures = {
            "one": (partial(_last_answers, model, X[:1]), single, 20),
            "many": (partial(_last_answers, model, X), many, 3),
            "batch": (partial(model.predict, X), many, 3),
        }
        turns = {
            name: partial(_share, call, steps, calls)
            for name, (call, steps, calls) in measures.items()
        }
        labels = {"cell": cell, "case": "D8 H64"}
        rows.append(Row(labels, take_turns(turns, plan.rounds)))
    columns = [
        *times(["one"], "us"),
        Column(f"{N_STREAMS} streams, steps/s", lambda row: 1 / row.median("many")),
        Column("predict, steps/s", lambda row: 1 / row.median("batch")),
        exactly("batch", "many", name="streams of predict"),
    ]
    return Table("A step of one stream, and of many at once", columns, rows)


def _models(cell, units, X, y):
    """skrnn after a short fit, and its peers with its weights, by name."""
    model = Skrnn(cell, units, 32, n_jobs=1).fit((X, y), 1).model
    weights = model.weights_
    peers = {f"torch {n}": Twin(cell, units, 32, n).load(weights) for n in THREADS}
    peers |= {f"onnx {n}": OnnxTwin(cell, weights, n) for n in THREADS}
    for name, peer in peers.items():
        error = np.abs(_softmax(peer.scores(X)) - model.predict_proba(X)).max()
        if error > TOLERANCE:
            raise RuntimeError(f"{name} and skrnn differ by {error:.1e} in {cell}.")
    jobs = {n: copy.deepcopy(model).set_params(n_jobs=n) for n in THREADS}
    return peers | {f"skrnn {n}": model for n, model in jobs.items()}


def _time(models, X, calls, rounds):
    """Samples of `predict(X)`; each has run once, so that nothing compiles."""
    measures = {}
    for name, model in models.items():
        asked = X.astype(float) if name == "double" else X
        model.predict(asked)
        measures[name] = partial(median_call, partial(model.predict, asked), calls)
    return take_turns(measures, rounds)


def _further_steps(predict, short, long, calls):
    """Seconds that as many steps again would add to a short sequence."""
    times = [median_call(partial(predict, X), calls) for X in (short, long)]
    n_short, n_long = short.shape[1], long.shape[1]
    return (times[1] - times[0]) * n_short / (n_long - n_short)


def _last_answers(model, X):
    """The prediction after the last step, from one call a step."""
    state = None
    for x in X.swapaxes(0, 1):
        answer, state = model.step(x, state)
    return answer


def _share(call, steps, calls):
    """Median seconds of a call, for each step."""
    return median_call(call, calls) / steps


def _softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
