"""A grid search with one and with two workers: seconds, and threads at work."""

import json
import sys
import threading
import time
import warnings

import psutil
from cases import random_data
from sklearn.model_selection import GridSearchCV

from skrnn import RNNClassifier

GRID = {
    "cell": ["rnn", "gru", "lstm"],
    "hidden_layer_sizes": [32, 64],
    "learning_rate_init": [0.001, 0.01],
}
INTERVAL = 0.25


def main(epochs, rounds):
    """Samples for each number of workers; everything has run once before."""
    X, y = random_data([50] * 600, features=8)
    results = {n: {"seconds": [], "native": [], "busy": []} for n in (1, 2)}
    for n in results:
        search(X, y, n, epochs=1)
    for _ in range(rounds):
        for n, result in results.items():
            with Watch() as watch:
                result["seconds"].append(search(X, y, n, epochs))
            result["native"].append(watch.native)
            result["busy"].append(watch.busy)
    return results


def search(X, y, n_jobs, epochs):
    """Seconds of a search over twelve candidates."""
    estimator = RNNClassifier(max_iter=epochs, random_state=0)
    before = time.perf_counter()
    GridSearchCV(estimator, GRID, cv=3, n_jobs=n_jobs).fit(X, y)
    return time.perf_counter() - before


class Watch:
    """Keeps the highest number of threads in this process and its children.

    `native` counts all of them, `busy` those that worked for most of an interval.
    """

    def __enter__(self):
        self.native = self.busy = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        self._thread.join()

    def _look(self):
        before = _thread_times()
        while not self._end.wait(INTERVAL):
            now = _thread_times()
            worked = (now[key] - before.get(key, now[key]) for key in now)
            self.busy = max(self.busy, sum(t > INTERVAL / 2 for t in worked))
            self.native = max(self.native, len(now))
            before = now


def _thread_times():
    """Processor seconds of every thread in the process tree."""
    me = psutil.Process()
    times = {}
    for process in (me, *me.children(recursive=True)):
        try:
            for thread in process.threads():
                key = process.pid, thread.id
                times[key] = thread.user_time + thread.system_time
        except psutil.NoSuchProcess:
            continue
    return times


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*map(int, sys.argv[1:]))))
