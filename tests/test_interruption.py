"""Ctrl-C, killed workers, full disks, forks and many threads: nothing breaks.

Faults are injected at the very places where Python looks for signals, one after the
other; and probes, small programs, do it all to real processes.
"""

import contextlib
import gc
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from markers import needs_compiler
from threadpoolctl import threadpool_limits

import skrnn
from skrnn import RNNRegressor, RNNTagger, jit
from skrnn.training import Threads, inference, objective, threads

linux = pytest.mark.skipif(
    sys.platform != "linux", reason="asks Linux for threads and files, and forks"
)
N_FAULTS = 40  # of each operation; the slow tests inject many more
MANY_FAULTS = 2000


def make_data(n=16):
    rng = np.random.default_rng(n)
    X = [rng.standard_normal((1 + i % 5, 2)) for i in range(n)]
    return X, np.array([x[:, 0].sum() for x in X])


X, Y = make_data()
OTHER = make_data(12)
TOKENS = [np.arange(i, i + 2 + i % 4) % 7 + 1 for i in range(12)]
TAGS = [tokens % 3 for tokens in TOKENS]


def make(**params):
    defaults = {"hidden_layer_sizes": 3, "cell": "rnn", "max_iter": 2}
    defaults |= {"learning_rate": "cosine", "random_state": 0}
    return RNNRegressor(**defaults | params)


@pytest.fixture
def much_work(monkeypatch):
    """Small data count as much, so that they are shared out to threads."""
    monkeypatch.setattr(objective, "SHARD_OPERATIONS", 1e2)
    monkeypatch.setattr(objective, "SHARD_SEQUENCES", 4)
    monkeypatch.setattr(inference, "BATCH_SEQUENCES", 4)
    monkeypatch.setattr(inference, "MIN_BATCH_SEQUENCES", 4)
    monkeypatch.setattr(inference, "SINGLE_THREADED", 0)
    monkeypatch.setattr(inference, "WORTH_A_THREAD", 0)


# Ctrl-C at any moment


def interrupt(moment, function):
    """Call `function` and press Ctrl-C at a moment; return how many there were.

    The moments are those at which Python looks for signals: when a function begins,
    and when one of C has returned.
    """
    count = 0

    def watch(frame, event, argument):
        nonlocal count
        if event in ("call", "c_return"):
            count += 1
            if count == moment:
                raise KeyboardInterrupt

    try:
        sys.setprofile(watch)
        function()
    finally:
        sys.setprofile(None)
    return count


def blas_threads():
    return [library.num_threads for library in threads._libraries()]


def n_threads():
    """Threads of this process, those of C included."""
    return len(os.listdir("/proc/self/task"))


def n_files():
    return len(os.listdir("/proc/self/fd"))


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


class Fit:
    """A fit of an estimator that was fitted to other data before."""

    def __init__(self, **params):
        self.params = params

    def prepare(self):
        self.est = make(**self.params).fit(*OTHER)
        self.before = self.est.theta_.copy()

    def run(self):
        self.est.fit(X, Y)

    def result(self):
        return self.est.theta_

    def check_broken_off(self, expected):
        theta = self.est.theta_
        assert np.array_equal(theta, self.before) or np.array_equal(theta, expected)

    def check_usable(self):
        assert np.isfinite(self.est.predict(X)).all()


class FitTagger(Fit):
    """The same of a tagger of tokens, which has a table and a chain to change too."""

    def prepare(self):
        self.est = RNNTagger(
            3, "rnn", crf=True, embedding_dim=2, max_iter=2, random_state=0
        )
        self.est.set_params(**self.params).fit(TOKENS[:6], TAGS[:6])
        self.before = self.est.theta_.copy()

    def run(self):
        self.est.fit(TOKENS, TAGS)

    def check_usable(self):
        assert np.isfinite(np.concatenate(self.est.predict_proba(TOKENS))).all()


class Predict:
    """A prediction by an estimator that never predicted before."""

    def __init__(self, **params):
        self.params = params

    def prepare(self):
        self.est = make(**self.params).fit(*OTHER)

    def run(self):
        self.found = self.est.predict(X)

    def result(self):
        return self.found

    def check_broken_off(self, expected):
        pass

    def check_usable(self):
        pass


class Step(Predict):
    """Steps of more streams than one thread takes."""

    def run(self):
        self.found, state = self.est.step(np.ones((12, 2)))
        self.found, state = self.est.step(np.ones((12, 2)), state)


OPERATIONS = {
    "fit": Fit(),
    "fit on threads": Fit(n_jobs=2),
    "fit with early stopping": Fit(early_stopping=True),
    "fit with dropout": Fit(dropout=0.2, recurrent_dropout=0.2, pooling="attention"),
    "lbfgs": Fit(solver="lbfgs", tol=1.0),
    "fit of tokens": FitTagger(),
    "fit of tokens on threads": FitTagger(n_jobs=2, early_stopping=True),
    "predict": Predict(),
    "predict on threads": Predict(n_jobs=2),
    "step on threads": Step(n_jobs=2),
}


def inject(operation, n_faults):
    """Interrupt at so many moments; return how often it was, and what must hold."""
    operation.prepare()
    operation.run()
    expected = operation.result().copy()
    operation.prepare()
    n_moments = interrupt(None, operation.run)
    moments = np.unique(np.linspace(1, n_moments, n_faults).astype(int)).tolist()
    for moment in moments:
        operation.prepare()
        try:
            interrupt(moment, operation.run)
        except KeyboardInterrupt:
            operation.check_broken_off(expected)
        operation.check_usable()
        yield moment
        operation.run()
        assert np.array_equal(operation.result(), expected), moment


@pytest.fixture
def no_collector():
    """Without it, the moments are the same in each run."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def told(test):
    """Warnings that tell of Ctrl-C are no errors, nor those of one within `__del__`."""
    test = pytest.mark.filterwarnings("ignore:Training was interrupted")(test)
    name = "ignore::pytest.PytestUnraisableExceptionWarning"
    return pytest.mark.filterwarnings(name)(test)


def check_faults(operation, n_faults):
    with threadpool_limits(2, user_api="blas"), Threads(2) as warm:
        warm.map(abs, range(4))
    with threadpool_limits(2, user_api="blas"):
        usual, before, files = blas_threads(), n_threads(), n_files()
        n_done = 0
        for moment in inject(operation, n_faults):
            assert blas_threads() == usual, moment
            assert not threads._users and not threads._usual, moment
            assert wait_for(lambda: n_threads() <= before), moment
            n_done += 1
        assert n_files() <= files  # joblib may have closed some
    return n_done


@pytest.mark.heavy
@linux
@pytest.mark.usefixtures("much_work", "no_collector")
@told
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_ctrl_c_at_any_moment_leaves_all_in_order(operation):
    """The estimator, the threads, the limit of BLAS; and then the same bits."""
    assert check_faults(operation, N_FAULTS) >= N_FAULTS - 1


@linux
@pytest.mark.slow
@pytest.mark.usefixtures("much_work", "no_collector")
@told
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_ctrl_c_at_thousands_of_moments_leaves_all_in_order(operation):
    assert check_faults(operation, MANY_FAULTS) > 300


def test_after_an_error_no_thread_begins_another_item():
    """Else Ctrl-C would have to wait for all that is left to do."""
    done, main = [], threading.get_ident()

    def work(item):
        if threading.get_ident() == main:
            raise KeyboardInterrupt
        time.sleep(0.01)
        done.append(item)

    with pytest.raises(KeyboardInterrupt), Threads(2) as pool:
        pool.map(work, range(1000))
    assert len(done) <= 5


class Bell:
    """Rung by helpers that have ended; Ctrl-C comes while one waits for it.

    Each event is how many outcomes are new, and whether Ctrl-C comes then.
    """

    def __init__(self, *events):
        self.events, self.outcomes = list(events), []

    def get(self):
        n_new, is_pressed = self.events.pop(0)
        self.outcomes += [None] * n_new
        if is_pressed:
            raise KeyboardInterrupt


def test_ctrl_c_waits_for_helpers_that_read_the_data():
    bell = Bell((1, False), (0, True), (1, False))
    with pytest.raises(KeyboardInterrupt):
        threads._last_error(bell.outcomes, bell, 2)
    assert bell.events == []


def test_ctrl_c_that_drowns_out_the_bell_does_not_wait_for_ever():
    """It comes when the call has got what it waited for, and not returned."""
    bell = Bell((1, True))
    with pytest.raises(KeyboardInterrupt):
        threads._last_error(bell.outcomes, bell, 1)


def test_a_second_ctrl_c_leaves_them_alone():
    bell = Bell((0, True), (0, True), (1, False))
    with pytest.raises(KeyboardInterrupt):
        threads._last_error(bell.outcomes, bell, 1)
    assert bell.events == [(1, False)]


def test_an_error_of_a_helper_stops_the_calling_thread():
    done, main, begun = [], threading.get_ident(), threading.Event()

    def work(item):
        if threading.get_ident() != main:
            begun.set()
            raise MemoryError("no room")
        begun.wait(10)
        time.sleep(0.01)
        done.append(item)

    with pytest.raises(MemoryError, match="no room"), Threads(2) as pool:
        pool.map(work, range(1000))
    assert len(done) <= 5


@needs_compiler
@pytest.mark.usefixtures("no_collector")
@told
def test_ctrl_c_while_a_kernel_is_written_leaves_a_cache_that_works(
    tmp_path, monkeypatch
):
    import numba
    from numba.core.caching import IndexDataCacheFile

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    save, press = IndexDataCacheFile.save, {"at": None, "moments": 0}

    def interrupted_save(self, key, data):
        press["moments"] = interrupt(press["at"], lambda: save(self, key, data))

    def double(x):
        for i in range(x.size):
            x[i] *= factor

    def run(number):
        jit._specialise.cache_clear()
        x = np.ones(2)
        jit.specialise(double, np.float64, factor=number)(x)
        assert x.tolist() == [number, number]

    monkeypatch.setattr(IndexDataCacheFile, "save", interrupted_save)
    run(2.0)
    chosen = np.linspace(1, press["moments"], 8).astype(int).tolist()
    for number, moment in enumerate(chosen, start=3):
        press["at"] = moment
        with pytest.raises(KeyboardInterrupt):
            run(float(number))
        press["at"] = None
        run(float(number))
        run(float(number))
    jit._specialise.cache_clear()


factor = None


# Programs

PRELUDE = """
import json
import os
import resource
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from skrnn import RNNRegressor
from skrnn.training import inference, objective, threads

objective.SHARD_OPERATIONS = 1e3
inference.BATCH_SEQUENCES = inference.MIN_BATCH_SEQUENCES = 8
inference.SINGLE_THREADED = inference.WORTH_A_THREAD = 0
rng = np.random.default_rng(0)
X = [rng.standard_normal((20 + i % 9, 3)) for i in range(64)]
y = rng.standard_normal(64)
BRIEF = dict(hidden_layer_sizes=8, cell="rnn", max_iter=2, learning_rate="cosine")
ENDLESS = dict(
    max_iter=10**9, n_iter_no_change=10**9, tol=0.0, learning_rate="constant"
)

def make(kind=RNNRegressor, **params):
    return kind(**BRIEF | dict(batch_size=64, random_state=0) | params)

def tasks():
    return len(os.listdir("/proc/self/task"))

def files():
    return len(os.listdir("/proc/self/fd"))

def blas():
    return [library.num_threads for library in threads._libraries()]

def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()

def press(seconds):
    def run():
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=run, daemon=True).start()

"""


def start(source, folder, package=None, **variables):
    """Start a program, of which a warning is an error."""
    path = folder / "program.py"
    path.write_text(PRELUDE + source)
    package = package or Path(skrnn.__file__).parents[1]
    variables = {"PYTHONPATH": str(package), "OPENBLAS_NUM_THREADS": "2"} | variables
    options = ["-P", "-W", "error", "-W", "ignore:This process:DeprecationWarning"]
    return subprocess.Popen(
        [sys.executable, *options, str(path)],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process, seconds=240):
    """Wait for a program, which prints "done" at its end; return what it printed."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.communicate()  # closes the pipes, of which the next test would hear
        raise
    assert process.returncode == 0, err
    assert out.endswith("done\n"), out + err
    return out


def copied_package(folder):
    """A folder with a copy of the package of which nothing was ever compiled."""
    source = Path(skrnn.__file__).parent
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, folder / "copy" / "skrnn", ignore=ignore)
    return folder / "copy"


PRESSED = """
def check(name, run, is_fit):
    usual, n_tasks, n_files = blas(), tasks(), files()
    press(0.3)
    began = time.monotonic()
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            result = run()
            while not told:  # it was too fast
                run()
        assert is_fit and "interrupted in epoch" in str(told[0].message)
        assert np.isfinite(result.predict(X)).all()
    except KeyboardInterrupt:
        assert not is_fit
    assert time.monotonic() - began < 10, name
    wait_for(lambda: tasks() <= n_tasks)
    assert blas() == usual, name
    assert files() == n_files, name
    est = make(n_jobs=2).fit(X, y)
    assert np.array_equal(est.theta_, fitted.theta_), name
    assert np.array_equal(est.predict(X), expected), name
    print(name)

fitted = make(n_jobs=2).fit(X, y)
expected = fitted.predict(X)
make(solver="lbfgs", tol=1.0).fit(X, y)
LONG = [rng.standard_normal((60_000, 3)) for _ in range(8)]
fits = {
    "one thread": dict(n_jobs=1),
    "two threads": dict(n_jobs=2),
    "small minibatches": dict(batch_size=4),
    "lbfgs": dict(solver="lbfgs"),
}
for name, params in fits.items():
    est = make(**ENDLESS | params)
    check(name, lambda: est.fit(X * 4, rng.standard_normal(256)), True)
est = make(**ENDLESS, hidden_layer_sizes=32)
check("a long minibatch", lambda: est.fit(LONG, np.arange(8.0)), True)
for n_jobs in (1, 2):
    fitted.n_jobs = n_jobs
    check(f"predict, {n_jobs}", lambda: [fitted.predict(LONG * 8) for _ in range(9)], 0)
print("done")
"""


@linux
@pytest.mark.heavy
def test_ctrl_c_in_fit_and_predict(tmp_path):
    """It warns and keeps weights, or raises; all is as before, and gives its bits."""
    out = finish(start(PRESSED, tmp_path))
    assert len(out.splitlines()) == 8


SEARCHED = """
from joblib import parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.model_selection import GridSearchCV

class Marking(RNNRegressor):
    '''Tells that a worker is at work.'''

    def fit(self, X, y):
        open(os.environ["MARK"], "w").close()
        return super().fit(X, y)

class Killed(RNNRegressor):
    '''Kills its worker, once.'''

    def fit(self, X, y):
        if not os.path.exists(os.environ["MARK"]):
            open(os.environ["MARK"], "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)

def search(backend, kind=RNNRegressor, n_jobs=2, **params):
    grid = GridSearchCV(make(kind, **params), {"alpha": [1e-4, 1.0, 10.0]}, cv=2)
    with parallel_config(backend, n_jobs=n_jobs):
        return grid.fit(X, y)

def press_when_marked(send):
    def run():
        wait_for(lambda: os.path.exists(os.environ["MARK"]))
        time.sleep(0.2)
        send()

    if os.path.exists(os.environ["MARK"]):
        os.unlink(os.environ["MARK"])
    threading.Thread(target=run, daemon=True).start()

def to_me():
    os.kill(os.getpid(), signal.SIGINT)

def to_all():  # as a terminal does
    os.killpg(os.getpgid(0), signal.SIGINT)

def check(name, expected, usual):
    found = search("loky" if "loky" in name else "threading")
    scores = found.cv_results_["mean_test_score"]
    np.testing.assert_allclose(scores, expected, rtol=1e-9)
    wait_for(lambda: blas() == usual)
    print(name, flush=True)

if __name__ == "__main__":
    make().fit(X, y)
    usual = blas()
    expected = search("threading", n_jobs=1).cv_results_["mean_test_score"]
    cases = [("threading", to_me), ("loky", to_all)]
    for name, send in cases:
        press_when_marked(send)
        # after threading the fits that were begun go on to their end
        params = dict(max_iter=600) if name == "threading" else ENDLESS
        try:
            search(name, Marking, **params)
        except KeyboardInterrupt:
            check(name, expected, usual)
        else:
            raise AssertionError(name)
    os.unlink(os.environ["MARK"])
    try:
        search("loky", Killed)
    except TerminatedWorkerError:
        check("loky, killed", expected, usual)
    print("done")
"""


@linux
@pytest.mark.heavy
def test_a_search_that_is_interrupted_or_loses_a_worker(tmp_path):
    """The error comes out, and the next search in the process is right."""
    out = finish(start(SEARCHED, tmp_path, MARK=str(tmp_path / "mark")))
    assert len(out.splitlines()) == 4, out


FORKED = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

fitted = make(n_jobs=2).fit(X, y)
theta, expected, usual = fitted.theta_, fitted.predict(X), blas()

def work(est=None):
    '''What a child does: predict and fit.'''
    est = est or fitted
    same = np.array_equal(est.predict(X), expected)
    again = make(n_jobs=2).fit(X, y)
    return same and np.array_equal(again.theta_, theta) and blas() == usual

def fork():
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os._exit(0 if work() else 1)
    return os.waitpid(child, 0)[1]

if __name__ == "__main__":
    over = threading.Event()

    def fit_on():
        while not over.is_set():
            assert np.array_equal(make(n_jobs=2).fit(X, y).theta_, theta)

    n_tasks, n_files = tasks(), files()
    with ThreadPoolExecutor(1) as pool:
        fits = pool.submit(fit_on)
        assert [fork() for _ in range(30)] == [0] * 30
        over.set()
        fits.result()
    print("forked in fits", flush=True)
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            assert all(pool.map(work, [fitted] * 4)), method
        print(method, flush=True)
    wait_for(lambda: tasks() <= n_tasks)
    print("done")
"""


@linux
@pytest.mark.heavy
def test_forked_and_spawned_children_fit_and_predict(tmp_path):
    """Also those that are forked while another thread fits."""
    assert len(finish(start(FORKED, tmp_path)).splitlines()) == 4


COLD = """
from skrnn.jit import specialise

def add(x, out):
    for i in range(x.size):
        out[i] = x[i] + summand

def run_new_kernel(number):
    out = np.empty(2)
    specialise(add, np.float64, summand=number)(np.array([1.0, 2.0]), out)
    return out.tolist() == [1.0 + number, 2.0 + number]

def fork(number):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(0 if run_new_kernel(number) else 1)
    return os.waitpid(child, 0)[1]

def make_cold(cell):
    return make(cell=cell, n_jobs=2)

usual = blas()
cells = ["rnn", "indrnn", "rnn", "indrnn"]
barrier = threading.Barrier(5)

def fit(cell):
    barrier.wait()
    return make_cold(cell).fit(X, y).theta_

assert run_new_kernel(1.0)  # a fork while a thread imports is Python's own affair
with ThreadPoolExecutor(4) as pool:
    thetas = pool.map(fit, cells)
    barrier.wait()
    time.sleep(0.5)
    assert fork(3.0) == 0  # while another thread compiles
    thetas = list(thetas)
for cell, theta in zip(cells, thetas):
    assert np.array_equal(make_cold(cell).fit(X, y).theta_, theta), cell
print("threads", flush=True)

for seconds in (0.3, 1.0):
    press(seconds)
    end = time.monotonic() + seconds + 10
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            while not told and time.monotonic() < end:
                make_cold("mingru").fit(X, y)
        except KeyboardInterrupt:
            pass
est = make_cold("mingru").fit(X, y)
assert np.array_equal(make_cold("mingru").fit(X, y).theta_, est.theta_)
assert np.isfinite(est.predict(X)).all()
assert blas() == usual
wait_for(lambda: threading.active_count() == 1)
print("done")
"""


@linux
@needs_compiler
@pytest.mark.heavy
def test_threads_that_compile_at_once_and_ctrl_c_while_compiling(tmp_path):
    """With a fork on top, in a process that finds nothing compiled."""
    package = copied_package(tmp_path)
    process = start(COLD, tmp_path, package, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert len(finish(process).splitlines()) == 2


DISK = """
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
if "LIMIT" in os.environ:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["LIMIT"]), limit[1]))
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    est = make(cell="indrnn").fit(X, y)
    est.predict(X)
messages = [str(warning.message) for warning in told]
assert len(messages) == 1 and "cannot keep its compiled code" in messages[0], messages
print(est.theta_.tobytes().hex())
print("done")
"""


@linux
@needs_compiler
@pytest.mark.heavy
def test_a_disk_that_is_full_or_cannot_be_written(tmp_path):
    """The results are right, and there is one warning."""
    package = copied_package(tmp_path)
    for folder in [f for f in package.rglob("*") if f.is_dir()]:
        (folder / "__pycache__").touch()  # a file, where a folder would be made
    nowhere = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"}
    full, closed = tmp_path / "full", tmp_path / "closed"
    for folder in (full, closed):
        folder.mkdir()
    (closed / "file").touch()
    processes = [
        start(DISK, full, package, NUMBA_CACHE_DIR=str(full), LIMIT="4096"),
        start(DISK, closed, package, NUMBA_CACHE_DIR=str(closed / "file"), **nowhere),
    ]
    first, second = map(finish, processes)
    assert first == second
    assert not list(full.rglob("*.tmp.*"))


# Threads of the user's own


@pytest.mark.heavy
@pytest.mark.usefixtures("much_work")
def test_eight_threads_predict_while_another_model_is_fitted():
    est = make(n_jobs=2, pooling="attention").fit(X, Y)
    expected, theta = est.predict(X), make(n_jobs=2, random_state=1).fit(X, Y).theta_
    over = threading.Event()

    def predict():
        n_same = 0
        while not over.is_set():
            assert np.array_equal(est.predict(X), expected)
            n_same += 1
        return n_same

    with ThreadPoolExecutor(8) as pool:
        predictions = [pool.submit(predict) for _ in range(8)]
        try:
            for _ in range(10):
                again = make(n_jobs=2, random_state=1).fit(X, Y)
                assert np.array_equal(again.theta_, theta)
        finally:
            over.set()
        assert min(prediction.result() for prediction in predictions) > 0


@pytest.mark.usefixtures("much_work")
def test_fits_on_threads_of_their_own_give_the_same_bits_side_by_side():
    cells = ["rnn", "gru", "rnn", "indrnn"]
    expected = [make(cell=cell, n_jobs=2).fit(X, Y).theta_ for cell in cells]
    barrier = threading.Barrier(len(cells))

    def fit(cell):
        barrier.wait()
        return make(cell=cell, n_jobs=2).fit(X, Y).theta_

    with ThreadPoolExecutor(len(cells)) as pool:
        assert all(map(np.array_equal, pool.map(fit, cells), expected))
