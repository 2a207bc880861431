"""Memory that a fit adds: `array MB`, `memmap MB FILE`, `long`. Linux only."""

import json
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np

from skrnn import RNNClassifier

SHAPE = (50, 64)  # steps and features
BATCH = 32
LONG = (4, 100_000, 8)
CHUNK = 100  # bptt_steps of the long sequences


def array(megabytes):
    """An array in memory."""
    return _fill(np.empty(_shape(megabytes), np.float32)), {}


def memmap(megabytes, file):
    """A file as an array: written, and opened again for reading only."""
    X = np.lib.format.open_memmap(file, "w+", np.float32, _shape(megabytes))
    _fill(X).flush()
    del X
    return np.load(file, mmap_mode="r"), {}


def long():
    """A few very long sequences, in chunks."""
    return _fill(np.empty(LONG, np.float32)), {"bptt_steps": CHUNK}


def measure(X, settings):
    """Megabytes that a fit adds to a process that has fitted before.

    `peak` counts all resident pages; `anonymous` leaves out those of files, which the
    system drops when it needs the space.
    """
    y = np.arange(len(X)) % 2
    model = RNNClassifier(32, max_iter=1, batch_size=BATCH, **settings)
    model.fit(np.array(X[:4, :200]), y[:4])
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = _status()
    with Watch() as watch:
        model.fit(X, y)
    batch, steps = min(BATCH, len(X)), settings.get("bptt_steps", X.shape[1])
    return {
        "data": X.nbytes / 1e6,
        "minibatch": batch * X[0].nbytes / 1e6,
        "activations": 12 * 4 * 32 * batch * steps / 1e6,
        "peak": (_status()["VmHWM"] - before["VmRSS"]),
        "anonymous": watch.highest - before["RssAnon"],
    }


class Watch:
    """Keeps the highest number of anonymous megabytes, seen every 2 ms."""

    def __enter__(self):
        self.highest, self._on = 0.0, True
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._on = False
        self._thread.join()

    def _look(self):
        while self._on:
            self.highest = max(self.highest, _status()["RssAnon"])
            time.sleep(0.002)


def _status():
    """The kernel's figures for this process, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    pairs = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(kb) * 1024 / 1e6 for name, kb, _ in pairs}


def _shape(megabytes):
    steps, features = SHAPE
    return int(float(megabytes) * 1e6) // (4 * steps * features), steps, features


def _fill(X):
    """Random numbers, without a second array of that size."""
    rng = np.random.default_rng(0)
    for x in X:
        rng.standard_normal(dtype=np.float32, out=x)
    return X


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    action, *arguments = sys.argv[1:]
    makers = {"array": array, "memmap": memmap, "long": long}
    print(json.dumps(measure(*makers[action](*arguments))))
