"""Memory: what a fit or a prediction takes on top of the data.

Each case runs under a limit on what the process may allocate. Files that are mapped
into memory do not count, since the system can drop their pages at any time.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from markers import IS_COMPILED

import skrnn
from skrnn.cells import CELLS
from skrnn.sequences import check_sequences, pack, packing

limited = pytest.mark.skipif(
    not (IS_COMPILED and sys.platform == "linux"),
    reason="limits are Linux's, and the sizes are those of compiled code",
)
MB = 2**20
SLACK = 60 * MB

START = """
import json
import resource
import numpy as np
from skrnn import RNNClassifier
from skrnn.sequences import check_sequences

def allocated():
    with open("/proc/self/status") as lines:
        return next(1024 * int(x.split()[1]) for x in lines if "VmData" in x)

def within(n_bytes, function, *args, **kwargs):
    limit, top = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (allocated() + int(n_bytes), top))
    result = function(*args, **kwargs)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, top))
    return result

"""


def run(source, **values):
    """Run `source` in a new process, with `values` and the functions of START."""
    given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    result = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", START + given + source],
        env={**os.environ, "PYTHONPATH": str(Path(skrnn.__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout or "null")


@limited
def test_a_limit_is_felt():
    """The tests below can fail."""
    with pytest.raises(AssertionError, match="MemoryError"):
        run("within(100 * 2**20, np.ones, 2**24)")


# X as a whole: 512 MB, of which no copy and no mask of float64 would fit

WHOLE = """
n, T = 1000, 256
X = np.zeros((n, T, 2**29 // (n * T * np.dtype(dtype).itemsize)), dtype)
y = np.arange(n) % 2

def use(X, **options):
    model = RNNClassifier(1, "indrnn", max_iter=1, **options).fit(X, y)
    model.score(X, y)

use([x[:5] for x in X], early_stopping=True)
within(slack, use, X)
within(slack, use, list(X))
within(slack, use, X, class_weight="balanced", early_stopping=True)
within(slack, check_sequences, X.reshape(n, -1))
within(slack, check_sequences, X.swapaxes(1, 2))
"""


@limited
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_x_is_never_copied_as_a_whole(dtype):
    run(WHOLE, dtype=dtype, slack=SLACK)


MAPPED = """
X = np.load(path, mmap_mode="r")
y = np.arange(len(X)) % 2
RNNClassifier(1, "indrnn", max_iter=1).fit(X[:40], y[:40])
within(slack, RNNClassifier(1, "indrnn", max_iter=1, early_stopping=True).fit, X, y)
"""


def zeros_on_disk(folder, n_bytes):
    """An array of so many bytes in a file that takes no room."""
    path, shape = str(folder / "X.npy"), (n_bytes // (256 * 512 * 4), 256, 512)
    np.lib.format.open_memmap(path, "w+", np.float32, shape)
    return path


@limited
def test_mapped_data_stay_on_disk(tmp_path):
    run(MAPPED, path=zeros_on_disk(tmp_path, 512 * MB), slack=SLACK)


@limited
@pytest.mark.slow
def test_four_gigabytes_train_in_one(tmp_path):
    """In all: what the process takes before and for the fit."""
    source = "resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))"
    path = zeros_on_disk(tmp_path, 4096 * MB)
    run(source + MAPPED, path=path, slack=SLACK)


# One minibatch

FIT = """
rng = np.random.default_rng(0)
X = [rng.standard_normal((length, D), np.float32) for length in lengths]
y = np.arange(len(X)) % 2
model = RNNClassifier(sizes, **options, max_iter=1, random_state=0)
model.fit([x[:9] for x in X], y)
within(n_bytes, model.fit, X, y)
"""


def stated(lengths, D, sizes, options):
    """Bytes for a minibatch by the formula of the user guide."""
    cell = CELLS[options["cell"]]
    kept = len(cell.carried) + len(cell.taped)
    in_transit = 7 if options.get("pooling") == "attention" else 4
    units = sum(sizes) * (1 + options.get("bidirectional", False))
    chunk = np.minimum(lengths, options.get("bptt_steps", max(lengths)))
    numbers = 2 * sum(lengths) * D + chunk.sum() * (kept + in_transit) * units
    return int(4 * numbers + 32 * chunk.sum())


MINIBATCHES = {
    "gru": ({"cell": "gru"}, (64, 64), False),
    "lstm": ({"cell": "lstm", "pooling": "max", "dropout": 0.2}, (64, 64), True),
    "attention": (
        {"cell": "rnn", "pooling": "attention", "bidirectional": True, "dropout": 0.2},
        (64, 64),
        True,
    ),
    "chunks": ({"cell": "gru", "pooling": "mean", "bptt_steps": 100}, (64,), True),
}


@limited
@pytest.mark.parametrize(
    ("options", "sizes", "ragged"), MINIBATCHES.values(), ids=MINIBATCHES
)
def test_activations_take_what_the_user_guide_says(options, sizes, ragged):
    longest = 20_000 if "bptt_steps" in options else 2_000
    shortest = longest // 2 if ragged else longest
    lengths = np.linspace(shortest, longest, 32).astype(int).tolist()
    n_bytes = stated(lengths, 8, sizes, options) + SLACK
    run(FIT, lengths=lengths, D=8, sizes=sizes, options=options, n_bytes=n_bytes)


LONG = """
X = np.zeros((8, 100_000, 50), np.float32)
y = np.arange(8) % 2
options = {"bptt_steps": 100, "pooling": "mean", "max_iter": 1}
RNNClassifier(32, **options).fit(X[:, :300], y)
within(X.nbytes + slack, RNNClassifier(32, **options).fit, X, y)
"""


@limited
def test_long_sequences_train_in_chunks():
    """In the packed copy, without a second one or 100,000 steps of activations."""
    run(LONG, slack=SLACK)


@pytest.mark.parametrize("make", [list, np.stack], ids=["list", "array"])
def test_large_minibatches_are_packed_alike(make, monkeypatch):
    """One by one or all at once: the rows are the same."""
    lengths = [3, 3, 3] if make is np.stack else [2, 5, 3]
    X = make([np.random.default_rng(n).standard_normal((n, 2)) for n in lengths])
    indices = np.array([2, 0, 1, 2])
    at_once = pack(check_sequences(X), indices, np.float32)
    monkeypatch.setattr(packing, "COPIED_VALUES", 0)
    one_by_one = pack(check_sequences(X), indices, np.float32)
    assert one_by_one.rows.dtype == np.float32
    np.testing.assert_array_equal(one_by_one.rows, at_once.rows)
