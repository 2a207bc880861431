"""Sequences of different lengths: a list of arrays goes in, and nothing else.

Four sensors with units of their own record a wave that switches its frequency and
changes its direction. A pipeline scales each recording by itself, a grid search on two
processes chooses the size and the direction of a network with attention pooling, and
early stopping keeps the weights of its best epoch. The plot shows which steps the
network attends to.
"""

from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier
from skrnn.datasets import make_switching_sines
from skrnn.inspection import AttentionDisplay
from skrnn.preprocessing import PerStep

PNG = Path(__file__).with_suffix(".png")
UNITS = np.array([1.0, 50.0, 0.02, 1000.0])
OFFSETS = np.array([0.0, 20.0, -5.0, 8000.0])


def load_data():
    X, y = make_switching_sines(500, n_classes=8, noise=0.4, random_state=0)
    X = [(x * UNITS + OFFSETS).astype(np.float32) for x in X]
    return train_test_split(X, y, stratify=y, random_state=0)


def make_search():
    rnn = RNNClassifier(
        pooling="attention",
        learning_rate_init=0.01,
        max_iter=30,
        early_stopping=True,
        random_state=0,
    )
    scale = PerStep(StandardScaler(), per_sequence=True)
    pipeline = Pipeline([("scale", scale), ("rnn", rnn)])
    grid = {
        "rnn__hidden_layer_sizes": [(32,), (32, 32)],
        "rnn__bidirectional": [False, True],
    }
    return GridSearchCV(pipeline, grid, cv=3, n_jobs=2)


def report(search):
    results = search.cv_results_
    scores = results["mean_test_score"]
    for params, score in zip(results["params"], scores, strict=True):
        sizes = params["rnn__hidden_layer_sizes"]
        directions = (
            "two directions" if params["rnn__bidirectional"] else "one direction"
        )
        print(f"  {sizes!s:8} {directions:14}  accuracy {score:.3f}")
    rnn = search.best_estimator_["rnn"]
    print(f"\nThe best was fitted anew for {rnn.n_iter_} epochs;")
    print(f"the weights of epoch {rnn.best_iter_} were kept.")


def main():
    X_train, X_test, y_train, y_test = load_data()
    lengths = [len(x) for x in X_train]
    print(f"{len(X_train)} sequences of {min(lengths)} to {max(lengths)} steps\n")
    search = make_search().fit(X_train, y_train)
    report(search)
    print(
        f"Accuracy on {len(X_test)} new sequences: {search.score(X_test, y_test):.3f}"
    )

    display = AttentionDisplay.from_estimator(
        search, X_test, sequence=slice(12), feature=0
    )
    display.figure_.savefig(PNG, dpi=150)
    print(f"Attention: {PNG}")


if __name__ == "__main__":
    main()
