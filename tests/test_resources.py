"""Memory: it does not grow, it is not promised twice, and it follows the real steps."""

import gc
import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from markers import needs_compiler

import skrnn
from skrnn import RNNClassifier
from skrnn.network.network import Network
from skrnn.network.workspace import Workspace
from skrnn.optimizers import LBFGS, Adam
from skrnn.training import memory

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
MB = 2**20

PRELUDE = """
import gc
import itertools
import json
import pickle
import resource
import sys
import time
import numpy as np
from skrnn import RNNClassifier, RNNRegressor
from skrnn.network.pooling import EveryStep, LastPooling, StepWeights

def status(name):
    with open("/proc/self/status") as lines:
        return next(1024 * int(x.split()[1]) for x in lines if x.startswith(name))

def peak_of(function, *args):
    '''Bytes on top of what there was, and seconds.'''
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before, began = status("VmRSS"), time.perf_counter()
    function(*args)
    return status("VmHWM") - before, time.perf_counter() - began

"""
# What is freed goes back to the system, so that it is seen.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}


def run(source, **values):
    """Run a program with some values; return what it printed."""
    given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    path = {"PYTHONPATH": str(Path(skrnn.__file__).parents[1])}
    result = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", PRELUDE + given + source],
        env={**os.environ, **path, **MALLOC},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


# Growth

GROWTH = """
rng = np.random.default_rng(0)
X = [rng.standard_normal((1 + i % 5, 2)) for i in range(16)]
y = np.array([x.sum() for x in X])
number = itertools.count()

def make(**params):
    defaults = dict(hidden_layer_sizes=3, cell="rnn", learning_rate="cosine")
    return RNNRegressor(**defaults | dict(max_iter=1, random_state=0) | params)

est = make().fit(X, y)
labels = RNNClassifier(3, "rnn", max_iter=1, learning_rate="cosine").fit(X, y > 0)

def fit():
    make().fit(X, y)

def fit_again():
    est.fit(X, y)

def fit_on_threads():
    make(n_jobs=2, early_stopping=True).fit(X, y)

def predict():
    est.predict(X)
    labels.predict_proba(X)
    est.hidden_states(X, return_sequences=True)

def refuse():
    for bad in ([X[0], X[1] * np.nan], X[:3] + [X[0][:, :1]], []):
        try:
            est.fit(bad, y[:len(bad)])
        except ValueError:
            continue
        raise AssertionError

def diverge():
    try:
        make(learning_rate_init=1e300, max_grad_norm=None).fit(X, y * 1e200)
    except ValueError:
        return
    raise AssertionError

def other_shapes():
    i = next(number)
    shape = 2 + i % 7, 1 + i % 50, 1 + i % 3
    other = make(hidden_layer_sizes=1 + i % 11).fit(np.ones(shape), np.ones(shape[0]))
    other.predict(np.ones((1 + i % 13, 1 + i % 29, shape[2])))
    est.predict(np.ones((1 + i % 17, 1 + i, 2)))

def pickle_it():
    pickle.loads(pickle.dumps(est)).predict(X)

def stream():
    state = None
    for _ in range(3):
        _, state = est.step(np.ones((1 + next(number) % 40, 2)), None)
        _, state = est.step(np.ones((len(state), 2)), state)

def measure():
    gc.collect()
    return status("VmRSS"), sys.getallocatedblocks()

kinds = [fit, fit_again, fit_on_threads, predict, refuse, diverge, other_shapes]
kinds += [pickle_it, stream]
for kind in kinds * n_first:
    kind()
for kind in kinds:
    growths = []
    for _ in range(n_times):
        before = measure()
        for _ in range(n_more):
            kind()
        growths.append([b - a for a, b in zip(before, measure())])
    grown[kind.__name__] = [min(column) for column in zip(*growths)]
print(json.dumps(grown))
"""


def check_growth(n_first, n_times, n_more):
    """What leaks does so each time; what else there is warms up once."""
    grown = run(GROWTH, n_first=n_first, n_times=n_times, n_more=n_more, grown={})
    assert len(grown) == 9
    for name, (n_bytes, n_objects) in grown.items():
        assert n_bytes <= MB, (name, n_bytes)
        assert n_objects < 0.8 * n_more, (name, n_objects)  # not one a time


@linux
@needs_compiler
def test_memory_does_not_grow():
    check_growth(n_first=60, n_times=4, n_more=100)


@linux
@needs_compiler
@pytest.mark.slow
def test_memory_does_not_grow_over_a_thousand_fits_and_predicts():
    check_growth(n_first=100, n_times=3, n_more=300)


# The estimate

ESTIMATED = """
rng = np.random.default_rng(0)
found = {}
for name, (lengths, D, params) in cases.items():
    X = [rng.standard_normal((length, D), np.float32) for length in lengths]
    if params.get("dtype") == "float64":
        X = [x.astype(np.float64) for x in X]
    y = np.arange(len(X)) % 2
    est = RNNClassifier(**params, batch_size=len(X), learning_rate="cosine", max_iter=1)
    est.fit([x[:9] for x in X], y)
    est.predict([x[:9] for x in X])
    n_fit, n_predict = peak_of(est.fit, X, y)[0], peak_of(est.predict, X[:1])[0]
    network, n_steps = est._network(), np.array(lengths)
    found[name] = [
        [network.activation_bytes(n_steps, taped=True), n_fit],
        [network.activation_bytes(n_steps[:1], taped=False), n_predict],
    ]
print(json.dumps(found))
"""
EQUAL = [4000] * 16
RAGGED = np.linspace(500, 8000, 16).astype(int).tolist()
LONG = [400_000, *[20_000] * 4]
CASES = {
    "rnn": (EQUAL, 4, {"cell": "rnn", "hidden_layer_sizes": 128}),
    "gru": (EQUAL, 4, {"cell": "gru", "hidden_layer_sizes": 64}),
    "lstm, ragged": (RAGGED, 4, {"cell": "lstm", "hidden_layer_sizes": 64}),
    "peephole": (RAGGED, 4, {"cell": "peephole_lstm", "hidden_layer_sizes": 64}),
    "mingru, deep": (EQUAL, 4, {"cell": "mingru", "hidden_layer_sizes": (64, 64)}),
    "indrnn, deep": (RAGGED, 4, {"cell": "indrnn", "hidden_layer_sizes": (64, 64)}),
    "both ways": (
        RAGGED,
        4,
        {"cell": "gru", "hidden_layer_sizes": (32, 32), "bidirectional": True},
    ),
    "attention": (
        RAGGED,
        4,
        {"cell": "lstm", "hidden_layer_sizes": 64, "pooling": "attention"},
    ),
    "mean": (EQUAL, 4, {"cell": "gru", "hidden_layer_sizes": 64, "pooling": "mean"}),
    "max": (EQUAL, 4, {"cell": "rnn", "hidden_layer_sizes": 128, "pooling": "max"}),
    "chunks": (
        LONG,
        32,
        {"cell": "gru", "hidden_layer_sizes": 64, "bptt_steps": 1000},
    ),
    "long": (LONG, 1, {"cell": "gru", "hidden_layer_sizes": 32}),
    "many features": (RAGGED, 300, {"cell": "rnn", "hidden_layer_sizes": 16}),
    "double": (
        RAGGED,
        4,
        {"cell": "lstm", "hidden_layer_sizes": 32, "dtype": "float64"},
    ),
    "dropout": (
        RAGGED,
        4,
        {"cell": "gru", "hidden_layer_sizes": (64, 64), "dropout": 0.2},
    ),
}


SOME_CASES = ["lstm, ragged", "attention", "both ways", "chunks"]


@linux
@needs_compiler
@pytest.mark.heavy
@pytest.mark.parametrize(
    "names",
    [SOME_CASES, pytest.param(list(CASES), marks=pytest.mark.slow)],
    ids=["some", "all"],
)
def test_the_estimate_is_near_what_is_taken_and_not_above(names):
    """A smaller one lets the system end the process, a larger one refuses in vain."""
    found, n_judged = run(ESTIMATED, cases={name: CASES[name] for name in names}), 0
    for name, pairs in found.items():
        for estimated, measured in pairs:
            if measured > 50 * MB:
                n_judged += 1
                assert 0.5 <= estimated / measured <= 1.1, (name, estimated, measured)
    assert n_judged >= len(names)


READ_OUT = """
X = [np.random.default_rng(0).standard_normal((150_000, 32), np.float32)]
params = dict(cell="gru", bptt_steps=1000, pooling="attention", max_iter=1)
est = RNNClassifier(64, **params, learning_rate="cosine")
est.fit([X[0][:9], X[0][:8]], [0, 1])
found = {}
for name, method, pooling, *args in (
    ("last", est.hidden_states, LastPooling()),
    ("every step", est.hidden_states, EveryStep(), True),
    ("attention", est.attention_weights, StepWeights()),
):
    method([X[0][:9]], *args)
    network, lengths = est._network().read_out_by(pooling), np.array([len(X[0])])
    estimated = network.activation_bytes(lengths, taped=False)
    found[name] = [estimated, peak_of(method, X, *args)[0]]
print(json.dumps(found))
"""


@linux
@needs_compiler
@pytest.mark.heavy
def test_states_and_weights_of_steps_are_read_chunk_by_chunk():
    """What is asked for, and the rows of the minibatch, are all that is kept."""
    found = run(READ_OUT)
    for name, (estimated, measured) in found.items():
        assert 0.5 <= estimated / measured <= 1.1, (name, estimated, measured)
    rows = 150_000 * 32 * 4
    assert found["last"][1] < 2 * rows > found["attention"][1]


def make_network(**params):
    defaults = {"cell": skrnn.cells.CELLS["gru"](), "n_inputs": 2, "n_raw": 1}
    defaults |= {"hidden_layer_sizes": (8, 4), "bidirectional": False}
    return Network(**defaults | {"pooling": "last", "dtype": "float32"} | params)


def test_an_estimate_allocates_nothing_and_follows_the_real_steps():
    network = make_network()
    small = network.activation_bytes(np.full(3, 10**3), taped=True)
    large = network.activation_bytes(np.full(3, 10**12), taped=True)
    assert large / small == pytest.approx(10**9, rel=0.1)
    ragged = network.activation_bytes(np.array([10**12, 1, 1]), taped=True)
    assert large / ragged == pytest.approx(3.0)
    assert network.activation_bytes(np.full(3, 10**12), taped=False) < large / 2
    chunked = make_network(bptt_steps=100)
    rows = 3 * 10**12 * 2 * 4
    assert chunked.activation_bytes(np.full(3, 10**12), taped=True) < 1.01 * rows


# Refusal

X = [np.ones((40 + i, 2), np.float32) for i in range(12)]
Y = np.arange(12) % 2


def make(**params):
    defaults = {"hidden_layer_sizes": 8, "cell": "rnn", "learning_rate": "cosine"}
    return RNNClassifier(**defaults | {"max_iter": 1, "random_state": 0} | params)


@pytest.fixture
def available(monkeypatch):
    """A function that says how many bytes there are, small needs counted too."""

    def leave(n_bytes):
        monkeypatch.setattr(memory, "CHECKED_BYTES", 0)
        monkeypatch.setattr(memory, "available_bytes", lambda: n_bytes)

    return leave


def test_a_fit_that_cannot_fit_is_refused_and_changes_nothing(available):
    est = make().fit(X, Y)
    before = est.predict(X)
    available(20_000)
    with pytest.raises(
        MemoryError, match=r"minibatch of 12 sequence\(s\), 546 steps.*Lower batch_size"
    ):
        est.fit(X, Y)
    available(40_000)  # what L-BFGS keeps of the weights fits
    with pytest.raises(MemoryError, match=r"0\.0 GB are available.*set bptt_steps"):
        make(solver="lbfgs", batch_size=1).fit(X, Y)
    with pytest.raises(MemoryError, match="would take at least"):
        est.partial_fit(X, Y)
    available(10**9)
    assert np.array_equal(est.predict(X), before)
    assert np.array_equal(make(batch_size=1).fit(X, Y).classes_, [0, 1])


def test_a_smaller_minibatch_or_chunk_is_what_helps(available):
    available(22_000)
    make(batch_size=1).fit(X, Y)
    make(bptt_steps=2).fit(X, Y)


def test_predictions_that_cannot_fit_are_refused(available, monkeypatch):
    """And need more where more threads are at work."""
    monkeypatch.setattr(skrnn.training.inference, "BATCH_STEPS", 1)
    monkeypatch.setattr(skrnn.training.inference, "SINGLE_THREADED", 0)
    monkeypatch.setattr(skrnn.training.inference, "WORTH_A_THREAD", 0)
    est = make().fit(X, Y)
    before = est.predict(X)
    available(1000)
    with pytest.raises(MemoryError, match=r"1 sequence\(s\), 51 steps.* on 1 thread"):
        est.predict(X)
    available(20_000)
    assert np.array_equal(est.predict(X), before)
    est.n_jobs = 8
    with pytest.raises(MemoryError, match=r"8 sequence\(s\), 380 .* Lower n_jobs"):
        est.predict(X)


def test_small_work_is_not_looked_at(monkeypatch):
    def fail():
        raise AssertionError

    monkeypatch.setattr(memory, "available_bytes", fail)
    make().fit(X, Y).predict(X)


def test_systems_that_do_not_say_refuse_nothing(available, monkeypatch):
    available(None)
    make().fit(X, Y).predict(X)
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", "other")
    assert memory.available_bytes() is None


@linux
@pytest.mark.parametrize("n_units", [10**6, 10**9, (10**6, 10**6)])
def test_weights_that_cannot_fit_are_refused(n_units):
    with pytest.raises(MemoryError, match=r"parameters.*Lower hidden_layer_sizes"):
        make(hidden_layer_sizes=n_units).fit(X, Y)


@linux
def test_what_lbfgs_keeps_of_the_weights_counts(available):
    """Twenty-five vectors in float64 with ten pairs, where Adam keeps two."""
    available(500 * MB)
    with pytest.raises(MemoryError, match="what the solver keeps of them would take"):
        make(hidden_layer_sizes=2000, solver="lbfgs").fit(X, Y)
    few = LBFGS(memory=1)
    assert few.state_bytes(1000, np.float32) == 7 * 8000
    assert Adam().state_bytes(1000, np.float32) == 2 * 4000


REFUSED = """
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
X = [np.zeros((1_000_000, 1), np.float32)] * 32
y = np.arange(32) % 2
params = dict(cell="rnn", max_iter=1, learning_rate="cosine", random_state=0)
est = RNNClassifier(100, **params).fit([x[:9] for x in X], y)

def refuse(function, *args):
    try:
        function(*args)
    except MemoryError as error:
        messages.append(str(error))

messages = []
n_fit = peak_of(refuse, est.fit, X, y)[0]
n_predict = peak_of(refuse, est.predict, [np.zeros((20_000_000, 1), np.float32)])[0]
est.set_params(bptt_steps=100).fit([x[:20_000] for x in X[:2]], y[:2])
print(json.dumps([messages, n_fit, n_predict]))
"""


@linux
@needs_compiler
def test_refusal_comes_before_memory_is_taken():
    """Under a limit of the process: what fits into it is then done."""
    messages, n_fit, n_predict = run(REFUSED, limit=5 * 2**30)
    assert len(messages) == 2, messages
    assert "32,000,000 steps" in messages[0] and "20,000,000 steps" in messages[1]
    assert n_fit < 30 * MB and n_predict < 110 * MB


# What there is

FILES = {
    "proc/meminfo": "MemTotal:  9000 kB\nMemAvailable:  5000 kB\nSwapFree:  100 kB\n",
    "proc/self/status": "Name:\tpython\nVmSize:\t  700 kB\nVmData:\t  300 kB\n",
    "proc/self/cgroup": "",
}
V1, V2 = "sys/fs/cgroup/memory", "sys/fs/cgroup"
GROUPS = {
    "none": ({}, 5100),
    "version 2": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            f"{V2}/a/b/memory.max": str(3000 * 1024),
            f"{V2}/a/b/memory.current": str(2500 * 1024),
            f"{V2}/a/b/memory.stat": f"anon 7\ninactive_file {400 * 1024}\n",
        },
        1000,
    ),
    "a limit of the parent": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            f"{V2}/a/b/memory.max": "max",
            f"{V2}/a/memory.max": str(3000 * 1024),
            f"{V2}/a/memory.current": str(2500 * 1024),
            f"{V2}/a/memory.stat": "inactive_file 0\n",
        },
        600,
    ),
    "version 1": (
        {
            "proc/self/cgroup": "5:cpu,memory:/x\n1:name=systemd:/\n0::/\n",
            f"{V1}/x/memory.limit_in_bytes": str(2000 * 1024),
            f"{V1}/x/memory.usage_in_bytes": str(500 * 1024),
            f"{V1}/x/memory.stat": "total_inactive_file 0\n",
        },
        1600,
    ),
    "seen from within": (
        {
            "proc/self/cgroup": "0::/not/here\n",
            f"{V2}/memory.max": str(900 * 1024),
            f"{V2}/memory.current": str(950 * 1024),
            f"{V2}/memory.stat": "inactive_file 0\n",
        },
        50,
    ),
    "old kernel": ({"proc/meminfo": "MemTotal:  9000 kB\n"}, None),
    "no groups": ({"proc/self/cgroup": None}, None),
}


@linux
@pytest.mark.parametrize(("files", "expected"), GROUPS.values(), ids=GROUPS)
def test_what_is_available_is_the_least_of_all_limits(
    files, expected, tmp_path, monkeypatch
):
    import resource

    for name, content in {**FILES, **files}.items():
        if content is not None:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: unlimited)
    monkeypatch.setattr(memory, "ROOT", str(tmp_path))
    found = memory.available_bytes()
    assert found == (expected and expected * 1024)
    if expected is not None:
        monkeypatch.setattr(resource, "getrlimit", lambda kind: (710 * 1024, -1))
        assert memory.available_bytes() == min(expected, 10) * 1024


@linux
def test_this_machine_says_what_is_available():
    assert MB < memory.available_bytes() < 2**50


# One enormous sequence

ENORMOUS = """
n_long, n_short = 300_000, 10
lengths = [n_short] * 16 + [n_long] + [n_short] * 15
padded = np.full((32, n_long, 1), np.nan, np.float32)
for x, length in zip(padded, lengths):
    x[:length] = 0.5
each = [x[:length].copy() for x, length in zip(padded, lengths)]
objects = np.empty(32, object)
objects[:] = each
y = np.arange(32) % 2
params = dict(cell="rnn", max_iter=1, learning_rate="cosine", random_state=0)
est = RNNClassifier(4, **params).fit([x[:9] for x in each], y)
est.predict(each)
found = {"fit": {}, "predict": {}}
forms = {"alone": [each[16]] * 2, "list": each, "objects": objects, "padded": padded}
for name, X in forms.items():
    few = X if name != "alone" else X[:1]
    found["predict"][name] = peak_of(est.predict, few)
    if name == "alone":
        est.batch_size = 1
    found["fit"][name] = peak_of(est.fit, X, y[:len(X)])
    est.batch_size = 32
print(json.dumps(found))
"""


@linux
@needs_compiler
@pytest.mark.heavy
def test_one_enormous_sequence_costs_what_it_costs_alone():
    """Among 31 short ones, and in the form that pads those to its length."""
    found = run(ENORMOUS)
    for method, of_forms in found.items():
        alone, seconds = of_forms.pop("alone")
        for name, (n_bytes, form_seconds) in of_forms.items():
            assert n_bytes < 1.2 * alone + 10 * MB, (method, name, n_bytes, alone)
            assert form_seconds < 3 * seconds + 0.5, (method, name, form_seconds)


PADDED = """
X = np.full((1000, 20_000, 1), np.nan, np.float32)
X[:, 0], X[-1] = 1.0, 1.0
y = np.arange(1000) % 2
params = dict(cell="rnn", max_iter=1, learning_rate="cosine", random_state=0)
est = RNNClassifier(4, **params).fit(X[:, :9], y)
print(json.dumps(peak_of(est.fit, X, y)))
"""


@linux
@needs_compiler
def test_padding_is_never_copied():
    """Not to look at the scale of X, either: 80 MB of it hold 21,000 numbers."""
    n_bytes, _ = run(PADDED)
    assert n_bytes < 30 * MB


# What is let go of


@pytest.fixture
def spaces(monkeypatch):
    """The workspaces that are alive, with the collector of cycles off."""
    alive, create = weakref.WeakSet(), Workspace.__init__

    def spy(self, dtype):
        create(self, dtype)
        alive.add(self)

    monkeypatch.setattr(Workspace, "__init__", spy)
    gc.collect()
    gc.disable()
    yield alive
    gc.enable()


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"solver": "lbfgs", "tol": 1.0},
        {"early_stopping": True, "scoring": "accuracy"},
        {"n_jobs": 2, "warm_start": True},
    ],
    ids=str,
)
def test_a_fit_lets_go_of_its_memory_when_it_ends(params, spaces):
    """Cycles would keep it: their collector does not see how large arrays are."""
    est = make(**params).fit(X, Y)
    assert len(spaces) == 0
    est.predict(X)
    with pytest.raises(ValueError, match="NaN"):
        est.fit([x * np.nan for x in X], Y)
    assert len(spaces) <= 1
    del est
    assert len(spaces) == 0


def test_what_is_kept_for_the_next_call_goes_with_the_estimator(spaces):
    """The workspace of `predict`, and what `step` made."""
    est = make().fit(X, Y)
    est.predict(X)
    est.step(np.ones((3, 2), np.float32))
    assert len(spaces) == 2
    est.fit(X, Y).predict(X)
    assert len(spaces) == 1
    del est
    assert len(spaces) == 0
