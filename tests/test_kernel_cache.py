"""The disk cache: damaged files, folders that cannot be written, many processes."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from markers import IS_COMPILED

import skrnn
from skrnn import jit

if not IS_COMPILED:
    pytest.skip("the compiler is off", allow_module_level=True)

import numba
from numba.core.caching import IndexDataCacheFile

from skrnn import kernel_cache

summand = None


def add(x, out):
    for i in range(x.size):
        out[i] = x[i] + summand


def run(number=1.0):
    """Run a kernel as a new process would; return what its cache counted."""
    jit._specialise.cache_clear()
    kernel = jit.specialise(add, np.float64, summand=number)
    out = np.empty(2)
    kernel(np.array([1.0, 2.0]), out)
    assert out.tolist() == [1.0 + number, 2.0 + number]
    hits, misses = kernel.stats.cache_hits, kernel.stats.cache_misses
    return sum(hits.values()), sum(misses.values())


HIT, MISS = (1, 0), (0, 1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache folder of its own for each test."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    kernel_cache.warn_uncached.cache_clear()
    yield tmp_path / "cache"
    kernel_cache.warn_uncached.cache_clear()
    jit._specialise.cache_clear()


def test_a_kernel_is_compiled_once():
    assert [run(), run(), run(2.0), run(2.0)] == [MISS, HIT, MISS, HIT]


# Damage


def flipped(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


DAMAGES = {
    "truncated": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1],
    "empty": lambda data: b"",
    "zeros": lambda data: bytes(len(data)),
    "garbage": lambda data: b"garbage" * 100,
    "a flipped byte": flipped,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("suffixes", [(".nbi",), (".nbc",), (".nbi", ".nbc")], ids=str)
def test_damaged_files_heal(folder, suffixes, damage):
    """No crash, right results, and the next process finds the file whole."""
    run()
    for suffix in suffixes:
        [file] = folder.rglob(f"*{suffix}")
        file.write_bytes(damage(file.read_bytes()))
    assert [run(), run()] == [MISS, HIT]


def test_a_missing_file_is_written_again(folder):
    run()
    [file] = folder.rglob("*.nbc")
    file.unlink()
    assert [run(), run()] == [MISS, HIT]


# Folders that cannot be written to


class ReadOnly(kernel_cache._Folder):
    """What the system does even to root where a file system is read-only."""

    def ensure_cache_path(self):
        raise OSError(errno.EROFS, "Read-only file system", self.path)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A function that says where kernels may be."""

    def use(*kinds):
        made = [kind(str(tmp_path / str(i)), __file__) for i, kind in enumerate(kinds)]
        monkeypatch.setattr(kernel_cache, "_folders", lambda function: made)
        return [tmp_path / str(i) for i in range(len(kinds))]

    return use


def test_code_goes_where_it_can_be_written(folders):
    first, second = folders(ReadOnly, kernel_cache._Folder)
    assert [run(), run()] == [MISS, HIT]
    assert list(second.glob("*.nbi")) and not first.exists()


def test_warm_code_is_read_where_it_cannot_be_written(folders):
    """As in an image that was warmed up when it was built."""
    folders(kernel_cache._Folder)
    run()
    _, second = folders(ReadOnly, kernel_cache._Folder)
    assert run() == HIT
    assert not second.exists()


def test_without_a_writable_folder_there_is_one_warning(folders):
    folders(ReadOnly, ReadOnly)
    with pytest.warns(RuntimeWarning, match="Set NUMBA_CACHE_DIR to a writable") as log:
        assert [run(), run(), run(2.0)] == [MISS, MISS, MISS]
    assert len(log) == 1


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damage_that_cannot_be_healed_is_lived_with(folders, monkeypatch, suffix):
    [folder] = folders(kernel_cache._Folder)
    run()
    [file] = folder.glob(f"*{suffix}")
    file.write_bytes(b"")
    folders(ReadOnly)

    def refuse(self, path):
        raise OSError(errno.EROFS, "Read-only file system", path)

    monkeypatch.setattr(IndexDataCacheFile, "_open_for_write", refuse)
    with pytest.warns(RuntimeWarning, match="cannot keep its compiled code") as log:
        assert [run(), run()] == [MISS, MISS]
    assert len(log) == 1


def test_a_full_disk_is_lived_with(monkeypatch):
    def save(self, key, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", save)
    with pytest.warns(RuntimeWarning, match="cannot keep its compiled code"):
        assert run() == MISS


# What else a name tells


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [(numba, "__version__", "0.0"), (numba.config, "BOUNDSCHECK", 1)],
    ids=["version", "bounds"],
)
def test_another_numba_or_option_compiles_anew(monkeypatch, where, name, value):
    run()
    monkeypatch.setattr(where, name, value)
    jit._machine.cache_clear()
    assert run() == MISS
    monkeypatch.undo()
    jit._machine.cache_clear()


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [(jit.OPTIONS, "error_model", "python"), (jit.UNWRAPPED, "nogil", False)],
    ids=["kernels", "callees"],
)
def test_another_option_of_ours_compiles_anew(monkeypatch, options, name, value):
    run()
    monkeypatch.setitem(options, name, value)
    assert run() == MISS


# Processes

WORKER = """
import sys
import numpy as np
from skrnn.jit import specialise
from work import add

kernels = [specialise(add, np.float64, summand=float(i)) for i in range(4)]
print("ready", flush=True)
sys.stdin.read()
out = np.empty(2)
for i, kernel in enumerate(kernels):
    kernel(np.array([1.0, 2.0]), out)
    assert out.tolist() == [1.0 + i, 2.0 + i]
print(sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels))
"""

WORK = """
def add(x, out):
    for i in range(x.size):
        out[i] = x[i] + summand
"""


def start(folder):
    path = os.pathsep.join([str(Path(skrnn.__file__).parents[1]), str(folder)])
    variables = {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(folder / "cache")}
    return subprocess.Popen(
        [sys.executable, "-P", "-W", "error", "-c", WORKER],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def n_compiled(workers):
    """Let workers go at once; return how much each one compiled."""
    for worker in workers:
        assert worker.stdout.readline() == "ready\n", worker.stderr.read()
    for worker in workers:
        worker.stdin.close()
        worker.stdin = None
    results = [worker.communicate() for worker in workers]
    assert not any(worker.returncode for worker in workers), results
    return [json.loads(out) for out, _ in results]


def test_cold_processes_do_not_clash(tmp_path):
    """Four start at once with an empty folder; the next one compiles nothing."""
    (tmp_path / "work.py").write_text(WORK)
    n_compiled([start(tmp_path) for _ in range(4)])
    assert n_compiled([start(tmp_path)]) == [0]
    assert not list(tmp_path.rglob("*.tmp.*"))


CELL = """
from skrnn import Cell
from skrnn.cells import sigmoid, tanh

class Slow(Cell):
    x_gates = h_gates = ("i", "f", "g", "o")
    carried = ("h", "c")
    taped = ("i", "f", "g", "o", "tanh_c")
    additive = True

    @staticmethod
    def forward(ax, ah, carry, unit):
        i, f = sigmoid(ax[0] + ah[0]), sigmoid(ax[1] + ah[1])
        g, o = tanh(ax[2] + ah[2]), sigmoid(ax[3] + ah[3])
        c = 0.75 * f * carry[1] + i * g
        tanh_c = tanh(c)
        return (o * tanh_c, c), (i, f, g, o, tanh_c)

    @staticmethod
    def backward(d_carry, tape, carry_prev, unit):
        i, f, g, o, tanh_c = tape
        d_c = d_carry[1] + d_carry[0] * o * (1.0 - tanh_c * tanh_c)
        d = (
            d_c * g * i * (1.0 - i),
            0.75 * d_c * carry_prev[1] * f * (1.0 - f),
            d_c * i * (1.0 - g * g),
            d_carry[0] * tanh_c * o * (1.0 - o),
        )
        return d, d, (0.0, 0.75 * d_c * f), ()
"""

TRAIN = """
import hashlib, warnings
import numpy as np
from skrnn import RNNRegressor
from cell import Slow

warnings.simplefilter("ignore")
X = [np.random.default_rng(i).normal(size=(3 + i % 5, 2)) for i in range(12)]
model = RNNRegressor((3,), cell=Slow(), max_iter=2, random_state=0)
model.fit(X, np.arange(12.0))
print(hashlib.sha256(model.theta_.tobytes()).hexdigest())
"""


@pytest.mark.heavy
def test_fresh_code_has_the_bits_of_that_from_the_cache(tmp_path):
    """A process that compiles a cell trains as one that finds it compiled."""
    (tmp_path / "cell.py").write_text(CELL)
    path = os.pathsep.join([str(Path(skrnn.__file__).parents[1]), str(tmp_path)])
    variables = {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-P", "-c", TRAIN]
    options = {"env": {**os.environ, **variables}, "text": True, "timeout": 200}
    fresh, cached = (subprocess.check_output(command, **options) for _ in range(2))
    assert fresh == cached
