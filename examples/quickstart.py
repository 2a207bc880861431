"""Handwritten digits, read as sequences of pixel rows.

Each image of scikit-learn's digits is read from top to bottom: 8 time steps of 8
features. A pipeline scales the pixels and lays them out as sequences; a grid search on
two processes chooses the cell and the number of units. The winner is saved, loaded in a
new process, and its loss curve is drawn.
"""

import subprocess
import sys
import tempfile
import time
from operator import methodcaller
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import RNNClassifier
from skrnn.inspection import LossCurveDisplay

REQUIRED_ACCURACY = 0.97
PNG = Path(__file__).with_suffix(".png")

PREDICT = """
import joblib, numpy as np
np.save("predictions.npy", joblib.load("model.joblib").predict(np.load("X.npy")))
"""


def load_data():
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32)
    return train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


def make_search():
    rnn = RNNClassifier(
        bidirectional=True,
        dropout=0.3,
        max_iter=20,
        early_stopping=True,
        random_state=0,
    )
    pipeline = Pipeline(
        [
            ("scale", StandardScaler()),
            ("as_rows", FunctionTransformer(methodcaller("reshape", -1, 8, 8))),
            ("rnn", rnn),
        ]
    )
    grid = {
        "rnn__cell": ["gru", "lstm"],
        "rnn__hidden_layer_sizes": [(32,), (64,)],
    }
    return GridSearchCV(pipeline, grid, cv=3, n_jobs=2)


def report_search(search, seconds):
    results = search.cv_results_
    print(f"Grid search over {len(results['params'])} candidates: {seconds:.0f} s")
    scores = results["mean_test_score"]
    for params, score in zip(results["params"], scores, strict=True):
        print(
            f"  {params['rnn__cell']:5} {params['rnn__hidden_layer_sizes']!s:6} "
            f"cross-validated accuracy {score:.3f}"
        )


def predict_in_new_process(model, X):
    """Save `model`, load it in another Python process and predict there."""
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(model, Path(folder, "model.joblib"))
        np.save(Path(folder, "X.npy"), X)
        subprocess.run([sys.executable, "-c", PREDICT], cwd=folder, check=True)
        return np.load(Path(folder, "predictions.npy"))


def main():
    X_train, X_test, y_train, y_test = load_data()
    print(f"{len(X_train)} training images, each 8 time steps of 8 features")
    began = time.perf_counter()
    search = make_search().fit(X_train, y_train)
    report_search(search, time.perf_counter() - began)

    predicted = search.predict(X_test)
    accuracy = np.mean(predicted == y_test)
    print(f"\nAccuracy on {len(y_test)} test images: {accuracy:.3f}\n")
    print(classification_report(y_test, predicted))

    reloaded = predict_in_new_process(search.best_estimator_, X_test)
    if not np.array_equal(reloaded, predicted):
        sys.exit("The model that was saved and loaded predicts something else.")
    print("Saved, loaded in a new process: the same predictions.")

    display = LossCurveDisplay.from_estimator(search, log_scale=True)
    display.figure_.savefig(PNG, dpi=150)
    print(f"Loss curve: {PNG}")
    if accuracy < REQUIRED_ACCURACY:
        sys.exit(f"The accuracy must be at least {REQUIRED_ACCURACY}.")


if __name__ == "__main__":
    main()
