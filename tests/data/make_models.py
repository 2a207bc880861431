"""Write models of this version, which later versions must load: run at a release.

    python tests/data/make_models.py

makes the folder ``models/<version>`` beside this file, or makes it anew. Pickles are
not kept: those written with NumPy 2 name modules that NumPy 1.24 does not have.
"""

from pathlib import Path

import numpy as np

import skrnn
from skrnn import RNNClassifier, RNNRegressor, RNNSequenceRegressor, RNNTagger
from skrnn.cells import LSTM
from skrnn.optimizers import SGD

MODELS = {
    "classifier": (
        RNNClassifier(
            (3, 2),
            bidirectional=True,
            pooling="attention",
            class_weight={"down": 1, "flat": 2.0, "up": np.float64(1)},
        ),
        "predict_proba",
    ),
    "classifier_float32": (
        RNNClassifier(4, "peephole_lstm", dtype="float32", learning_rate="cosine"),
        "predict_log_proba",
    ),
    "regressor": (RNNRegressor(4, LSTM(), solver=SGD(), pooling="mean"), "predict"),
    "regressor_quantiles": (
        RNNRegressor(
            3,
            loss="quantile",
            quantiles=(0.1, 0.5, 0.9),
            early_stopping=True,
            validation_fraction=0.25,
        ),
        "predict",
    ),
    "tagger": (RNNTagger(4, "lstm", bidirectional=True), "predict_proba"),
    "tagger_crf": (RNNTagger(4, crf=True, dtype="float32"), "predict_proba"),
    "sequence_regressor": (RNNSequenceRegressor((3, 2)), "predict"),
}


def make_data():
    """Sequences of 1 to 5 steps, and the targets of each kind of estimator."""
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((1 + i % 5, 2)) for i in range(24)]
    sums = np.array([x[:, 0].sum() for x in X])
    numbers = [x[:, 0].cumsum() for x in X]
    return X, {
        RNNClassifier: label(sums),
        RNNRegressor: sums,
        RNNTagger: [label(part) for part in numbers],
        RNNSequenceRegressor: numbers,
    }


def label(sums):
    return np.array(["down", "flat", "up"])[np.digitize(sums, [-0.5, 0.5])]


def joined(answer):
    """Answers of each step one after the other."""
    return np.concatenate(answer) if isinstance(answer, list) else answer


def main():
    folder = Path(__file__).parent / "models" / skrnn.__version__
    folder.mkdir(parents=True, exist_ok=True)
    X, targets = make_data()
    answers = {"X": np.concatenate(X), "lengths": np.array([len(x) for x in X])}
    for name, (estimator, method) in MODELS.items():
        estimator.set_params(max_iter=8, random_state=0)
        estimator.fit(X, targets[type(estimator)])
        skrnn.save(estimator, folder / f"{name}.skrnn")
        answers[f"{name}.{method}"] = joined(getattr(estimator, method)(X))
    np.savez(folder / "answers.npz", **answers)


if __name__ == "__main__":
    main()
