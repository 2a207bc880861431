"""What skrnn's defaults learn, and how fast, next to a careful PyTorch model.

Both have the same network, minibatches of 32, epochs, Adam, one cycle of the learning
rate up to 0.01, and gradients clipped at a norm of 1. Each takes the number of threads
that is faster for it, and PyTorch packed or padded minibatches of similar lengths.
"""

import argparse
import json
import statistics
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from defaults.archive import Missing
from environment import describe
from peers.network import TorchModel
from report import Column, Row, Table, fact, over, times
from scipy.stats import ttest_1samp
from tasks import all_tasks
from timing import clock, take_turns

from skrnn import RNNClassifier, RNNTagger


class SkrnnModel:
    """skrnn's defaults but for the shape and the epochs of a task."""

    def __init__(self, shape, threads):
        self.shape, self.threads = shape, threads
        self.kind = RNNTagger if shape.pooling == "steps" else RNNClassifier

    def prepare(self, X, y):
        """Nothing: converting and validating X and y is part of the timed fit."""
        return X, y

    def fit(self, data, epochs, seed=0):
        """Train a new model for a number of epochs."""
        shape = vars(self.shape).copy()
        if self.kind is RNNTagger:
            del shape["pooling"]
        model = self.kind(
            shape.pop("units"),
            **shape,
            max_iter=epochs,
            n_jobs=self.threads,
            random_state=seed,
        )
        self.model = model.fit(*data)
        if model.n_iter_ != epochs:
            raise RuntimeError(f"skrnn ran {model.n_iter_} epochs, not {epochs}.")
        return self

    def probabilities(self, X):
        """Of each class or label, for each sequence or step, one below the other."""
        return np.vstack(self.model.predict_proba(X))


def contenders(task, data, threads):
    """Everyone who may be the fastest of a library, by name."""
    n_inputs = data.X[0].shape[-1]
    if task.shape.embedding_dim is not None:
        n_inputs = 1 + max(x.max() for x in data.X + data.X_test)
    last = data.y[0].shape[-1] if task.labels else len(data.names)
    n_outputs = last or int(np.max(data.y)) + 1
    sizes = n_inputs, n_outputs
    kind = "labels" if task.labels else "classes"
    found = {f"skrnn {n}": SkrnnModel(task.shape, n) for n in threads}
    ragged = len({len(x) for x in data.X}) > 1
    forms = ["padded"] * (not task.shape.bidirectional or not ragged)
    for form in forms + ["packed"] * ragged:
        for n in threads:
            model = TorchModel(task.shape, kind, *sizes, n, form == "packed")
            found[f"torch {n} {form}"] = model
    return found


def fastest(models, data):
    """Of each library the contender whose epoch takes the least time."""
    fits = {
        name: partial(model.fit, model.prepare(data.X, data.y), 1)
        for name, model in models.items()
    }
    for fit in fits.values():
        fit()
    samples = take_turns({n: partial(clock, fit) for n, fit in fits.items()}, 3)
    median = {name: statistics.median(times) for name, times in samples.items()}
    return {
        library: min((n for n in median if n.startswith(library)), key=median.get)
        for library in ("skrnn", "torch")
    }


def measure(task, seeds, epochs, threads):
    """Fit with each seed; a row of times, scores and who was chosen."""
    samples, scores = ({"skrnn": [], "torch": []} for _ in range(2))
    chosen = None
    for seed in range(seeds):
        data = task.make(seed)
        models = contenders(task, data, threads)
        chosen = chosen or fastest(models, data)
        for library in ("skrnn", "torch")[:: 1 if seed % 2 else -1]:
            model = models[chosen[library]]
            fit = partial(model.fit, model.prepare(data.X, data.y), epochs, seed)
            samples[library].append(clock(fit))
            proba = model.probabilities(data.X_test)
            scores[library].append(task.score(proba, data))
    labels = {"task": task.text, "measure": task.measure}
    return Row(labels, samples, {"scores": scores, "sign": task.sign, **chosen})


def verdict(row):
    """Whether skrnn is better or worse by a t-test on the pairs (5 %), or equal."""
    pairs = zip(*row.facts["scores"].values(), strict=True)
    gains = [row.facts["sign"] * (own - other) for own, other in pairs]
    if len(gains) < 2 or ttest_1samp(gains, 0.0).pvalue >= 0.05:
        return "equal"
    return "better" if statistics.mean(gains) > 0 else "worse"


def spread(library):
    """A column: the mean score and its standard deviation over the seeds."""

    def show(row):
        scores = row.facts["scores"][library]
        deviation = statistics.stdev(scores) if len(scores) > 1 else 0.0
        return f"{statistics.mean(scores):.3f} ± {deviation:.3f}"

    return Column(f"score, {library}", show)


def main():
    """Fit all tasks with both libraries and print the table."""
    options = parse()
    warnings.simplefilter("ignore")
    print(", ".join(f"{k} {v}" for k, v in describe().items()), end="\n\n", flush=True)
    rows, tasks = [], all_tasks(options.archive)
    for name in options.tasks or tasks:
        epochs = options.epochs or tasks[name].epochs
        try:
            print(name, file=sys.stderr)
            rows.append(measure(tasks[name], options.seeds, epochs, options.threads))
        except Missing as missing:
            print(f"left out: {missing}")
    columns = [
        *(spread(library) for library in ("skrnn", "torch")),
        Column("skrnn is", verdict),
        *times(["skrnn", "torch"], "s"),
        over(["torch"], "skrnn"),
        *(Column(f"{n} took", fact(n).value) for n in ("skrnn", "torch")),
    ]
    table = Table("Learning tasks", columns, rows)
    print(table.markdown())
    if options.output:
        options.output.write_text(json.dumps(table.as_dict(), indent=1) + "\n")


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", choices=all_tasks(), help="only these")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each library")
    parser.add_argument("--epochs", type=int, help="other than the tasks' own")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=(1, 2), help="what to choose from"
    )
    parser.add_argument("--archive", type=Path, help="where to look for .ts files")
    parser.add_argument("--output", type=Path, help="where to write all samples, JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
