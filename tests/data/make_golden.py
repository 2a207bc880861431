"""Write golden.npz: tiny models, trained once, with their weights and predictions.

Run it when a change of the numbers is meant, and say so in the changelog; the tests
only read what it writes:

    python tests/data/make_golden.py

Each model is stored as plain arrays under ``model/name``: its class and parameters as
JSON, its weights, what it predicts for X, and its loss curve. The data are rounded to
1/64, so that they are the same in float32 and float64.
"""

import json
from pathlib import Path

import numpy as np

import skrnn
from skrnn.cells import CELLS

LENGTHS = (5, 1, 9, 3, 7, 2, 6, 4, 8, 3, 12, 5, 1, 7, 4, 10)
N_FEATURES = 2

COMMON = {
    "batch_size": 8,
    "learning_rate": "cosine",
    "learning_rate_init": 0.02,
    "max_iter": 6,
    "random_state": 7,
}
MODELS = {
    "ragged": ("RNNClassifier", {"hidden_layer_sizes": 6, "cell": "gru"}),
    "bidirectional": (
        "RNNRegressor",
        {
            "hidden_layer_sizes": 5,
            "cell": "lstm",
            "bidirectional": True,
            "dtype": "float32",
        },
    ),
    "stacked": (
        "RNNClassifier",
        {
            "hidden_layer_sizes": (5, 4),
            "cell": "lstm",
            "pooling": "attention",
            "dropout": 0.2,
        },
    ),
    "quantile": (
        "RNNRegressor",
        {
            "hidden_layer_sizes": 5,
            "loss": "quantile",
            "quantiles": (0.1, 0.5, 0.9),
            "pooling": "mean",
        },
    ),
    **{
        f"{cell}_{dtype}": (
            "RNNClassifier",
            {"hidden_layer_sizes": 4, "cell": cell, "pooling": "max", "dtype": dtype},
        )
        for cell in CELLS
        for dtype in ("float32", "float64")
    },
}


def make_data():
    rng = np.random.default_rng(20)
    X = [rng.standard_normal((n, N_FEATURES)) for n in LENGTHS]
    X = [np.round(64 * x) / 64 for x in X]
    return X, np.array([x[:, 0].sum() for x in X])


def golden_values(kind, params, X, sums):
    is_classifier = kind == "RNNClassifier"
    y = np.digitize(sums, [-1, 1]) if is_classifier else sums
    params = COMMON | params
    est = getattr(skrnn, kind)(**params).fit(X, y)
    predictions = est.predict_proba(X) if is_classifier else est.predict(X)
    return {
        "model": json.dumps([kind, params]),
        "y": y,
        "theta": est.theta_,
        "predictions": predictions,
        "loss_curve": est.loss_curve_,
    }


def main():
    X, sums = make_data()
    arrays = {"X": np.concatenate(X), "lengths": LENGTHS, "skrnn": skrnn.__version__}
    for name, (kind, params) in MODELS.items():
        values = golden_values(kind, params, X, sums)
        arrays |= {f"{name}/{key}": value for key, value in values.items()}
    np.savez_compressed(Path(__file__).with_name("golden.npz"), **arrays)


if __name__ == "__main__":
    main()
