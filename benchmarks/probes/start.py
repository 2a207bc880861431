"""The first use of skrnn in a process: `imports`, `fit CELL FILE`, `predict FILE`."""

import json
import pickle
import sys
import time
from pathlib import Path


def imports():
    """Seconds that `import skrnn` adds, and whether it imports Numba."""
    import sklearn.base  # noqa: F401 - what the import of skrnn is compared with

    before = time.perf_counter()
    import skrnn  # noqa: F401 - the import is what is timed

    seconds = time.perf_counter() - before
    return {"seconds": seconds, "numba": "numba" in sys.modules}


def fit(cell, file):
    """Seconds by which the first fit exceeds the second; keeps the model in a file."""
    from cases import random_data

    from skrnn import RNNClassifier

    X, y = random_data([20] * 64, features=4)
    model = RNNClassifier(32, cell=cell, max_iter=2, learning_rate="constant")
    excess = _excess(lambda: model.fit(X, y))
    Path(file).write_bytes(pickle.dumps(model))
    return {"seconds": excess}


def predict(file):
    """Seconds by which the first predict exceeds the second."""
    from cases import random_data

    model = pickle.loads(Path(file).read_bytes())
    X, _ = random_data([20] * 64, features=4)
    return {"seconds": _excess(lambda: model.predict(X))}


def _excess(call):
    times = []
    for _ in range(2):
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return times[0] - times[1]


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    action, *arguments = sys.argv[1:]
    actions = {"imports": imports, "fit": fit, "predict": predict}
    print(json.dumps(actions[action](*arguments)))
