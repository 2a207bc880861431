"""The border to Numba: what is compiled, when, and which code the disk cache runs."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import draw_sequences, make_case
from markers import needs_compiler
from numpy.testing import assert_allclose, assert_array_equal

import skrnn
from skrnn import RNNClassifier, RNNRegressor, jit
from skrnn.cells import sigmoid, tanh
from skrnn.jit import plain, specialise, typed_twins, wide_vectors

each_dtype = pytest.mark.parametrize(
    "dtype", [np.float32, np.float64], ids=["float32", "float64"]
)

# Left open by the kernels below.
factor = helper = function = None


def scale(x):
    return factor * x


def scale_all(x, out):
    for i in range(x.size):
        out[i] = scale(x[i])


def apply_all(x, out):
    for i in range(x.size):
        out[i] = helper(x[i])


def apply_function(x, out):
    for i in range(x.size):
        out[i] = function(x[i])


def add_one(x):
    return x + 1.0


def add_default(x, summand=1.0):
    return x + summand


def add_bound(x):
    return x + factor


ONE_TWO = (1.0, 2.0)


def add_first(x):
    return x + ONE_TWO[0]


TENTHS = (0.1, 0.2)


def add_tenth(x):
    return x + TENTHS[0]


def make_adder(summand):
    def add_enclosed(x):
        return x + summand

    return add_enclosed


def halve(x):
    return 0.5 * x


def run(kernel, values, dtype=np.float64, **bindings):
    """What the compiled `kernel` makes of some values; float64 whatever `dtype` is."""
    x, out = np.array(values, dtype), np.empty(len(values))
    specialise(kernel, dtype, **bindings)(x, out)
    return out.tolist()


# What a kernel is made of


@pytest.mark.parametrize(
    "add", [add_one, add_default, add_bound, add_first, make_adder(1.0)]
)
def test_float_literals_have_the_kernels_dtype(add):
    """Defaults, bound numbers and tuples too: 1 + 2^-30 is 1 in float32 only."""
    tiny = 2.0**-30
    assert run(apply_all, [tiny], np.float32, helper=add, factor=1.0) == [1.0]
    assert run(apply_all, [tiny], np.float64, helper=add, factor=1.0) == [1.0 + tiny]


def test_constants_of_one_dtype_are_not_those_of_another():
    """0.1 has other digits in float32; tuples of both look alike in NumPy 1."""
    for dtype in (np.float32, np.float64):
        assert run(apply_all, [0.0], dtype, helper=add_tenth) == [float(dtype(0.1))]


def test_bound_names_reach_the_functions_that_are_called():
    assert run(scale_all, [1.0, 2.0], factor=3.0) == [3.0, 6.0]
    assert run(scale_all, [1.0, 2.0], factor=-1) == [-1.0, -2.0]
    assert run(apply_all, [1.0], helper=halve) == [0.5]
    assert run(apply_all, [1.0], helper=scale, factor=7.0) == [7.0]


def test_any_name_can_be_bound():
    assert run(apply_function, [1.0], function=halve) == [0.5]


def test_functions_are_not_changed():
    before = dict(scale.__globals__), scale.__code__.co_consts, halve.__code__.co_consts
    run(apply_all, [1.0], np.float32, helper=scale, factor=5.0)
    run(apply_all, [1.0], np.float32, helper=halve)
    assert scale.__globals__ == before[0]
    assert (scale.__code__.co_consts, halve.__code__.co_consts) == before[1:]
    assert factor is helper is None


def scale_wide(x, out):
    wide_vectors()
    for i in range(x.size):
        out[i] = factor * x[i]


def call_wide(x, out):
    scale_wide(x, out)


@needs_compiler
@pytest.mark.parametrize("function", [scale_wide, call_wide])
def test_wide_vectors_reach_the_machine_code(function):
    """Also of a function that is inlined, where the processor has them."""
    import llvmlite.binding as llvm
    import numba

    x, out = np.ones(64, np.float32), np.empty(64, np.float32)
    specialise(function, np.float32, factor=2.0)(x, out)
    assert_array_equal(out, 2.0 * x)
    kernel = numba.njit(**jit.OPTIONS)(
        jit._with_compiled_callees(plain(function, np.float32, factor=2.0))
    )
    kernel(x, out)
    (assembly,) = kernel.inspect_asm().values()
    has_them = llvm.get_host_cpu_features().get("avx512f", False)
    assert ("zmm" in assembly) == has_them


def test_kernels_are_made_once():
    kernel = specialise(scale_all, np.float64, factor=2.0)
    assert specialise(scale_all, "float64", factor=2.0) is kernel
    assert specialise(scale_all, np.float32, factor=2.0) is not kernel
    assert specialise(scale_all, np.float64, factor=3.0) is not kernel


def test_equal_numbers_of_another_type_make_another_kernel():
    """So that a result does not depend on what was compiled before."""
    kernels = {specialise(scale_all, np.float32, factor=v) for v in (1, 1.0, True)}
    assert len(kernels) == 3


def test_typed_twins_stand_in_for_their_dtype(monkeypatch):
    monkeypatch.setattr(jit, "_TWINS", dict(jit._TWINS))
    typed_twins(add_one, float32=halve)
    assert run(apply_all, [4.0], np.float32, helper=add_one) == [2.0]
    assert run(apply_all, [4.0], np.float64, helper=add_one) == [5.0]


@each_dtype
def test_plain_is_the_kernel_as_python(dtype):
    """`plain` runs what `specialise` compiles: literals and twins alike."""
    x = np.linspace(-3, 3, 7).astype(dtype)
    compiled = run(apply_all, x, dtype, helper=sigmoid)
    in_python = plain(sigmoid, dtype)
    assert all(type(in_python(value)) is dtype for value in x)
    by_hand = [float(in_python(value)) for value in x]
    assert_allclose(compiled, by_hand, rtol=0, atol=4 * np.finfo(dtype).eps)
    assert plain(tanh, dtype)(dtype(100)) == plain(tanh, dtype)(dtype(200))


# The name under which the disk cache keeps a kernel

SOURCE = """
import functools
import numba
from skrnn.jit import compiled_as, specialise

SHIFT = 1.0

@functools.cache
def kept():
    return 4.0

class Maker:
    def make(self):
        return self.start() + kept()

    @staticmethod
    def start():
        return 8.0

    def another(self):
        return Maker()

def made():
    return Maker().make()

def elsewhere(x):
    return x + 0.125

def generate():
    def nested():
        return made() + specialise(elsewhere, "float64")(1.0)
    return nested

def generated(x):
    return x + 9.0

compiled_as(generated, lambda: generate())

def doubled(function):
    @functools.wraps(function)
    def wrapper(x):
        return 2.0 * function(x)
    return wrapper

@doubled
def shifted(x):
    return x + 0.5

def inner(x, power=2.0):
    return shifted(x)**power + 3.0

def make(slope):
    def enclosing(x):
        return slope * x
    return enclosing

outer = make(6.0)

def helper(x):
    return SHIFT + inner(outer(generated(x)))

def kernel(x, out):
    out[0] = bound(x[0]) + helper(x[0])
"""

EDITS = {
    "the kernel": ("out[0] = bound", "out[0] = 2.0 * bound"),
    "a helper": ("SHIFT + inner", "SHIFT - inner"),
    "a helper's helper": ("+ 3.0", "+ 4.0"),
    "a default": ("power=2.0", "power=3.0"),
    "a wrapper": ("2.0 * function", "4.0 * function"),
    "a wrapped function": ("x + 0.5", "x + 0.75"),
    "an enclosed value": ("make(6.0)", "make(7.0)"),
    "a constant of the module": ("SHIFT = 1.0", "SHIFT = 2.0"),
    "a generator": ("return nested", "return made"),
    "what a generator calls": ("Maker().make()", "Maker().start()"),
    "what a generator has compiled": ("x + 0.125", "x + 0.25"),
    "a method that it uses": ("return self.start()", "return 2.0 * self.start()"),
    "a method without an instance": ("return 8.0", "return 8.5"),
    "a function that is called once": ("return 4.0", "return 4.5"),
}


@pytest.fixture
def module_of(tmp_path):
    """A function that writes source to a new file and imports it."""

    def load(source):
        n = len(list(tmp_path.glob("*.py")))
        spec = importlib.util.spec_from_file_location("m", tmp_path / f"m{n}.py")
        Path(spec.origin).write_text(source)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def name_of(module, dtype=np.float64, **bindings):
    bindings = {"bound": halve, **bindings}
    return specialise(module.kernel, dtype, **bindings).__qualname__


def test_the_same_source_has_the_same_name(module_of):
    assert name_of(module_of(SOURCE)) == name_of(module_of(SOURCE))


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_anywhere_makes_a_new_name(edit, module_of):
    edited = SOURCE.replace(*edit)
    assert edited != SOURCE
    assert name_of(module_of(edited)) != name_of(module_of(SOURCE))


def test_dtype_and_bindings_make_a_new_name(module_of, monkeypatch):
    module = module_of(SOURCE)
    names = [
        name_of(module),
        name_of(module, np.float32),
        name_of(module, bound=add_one),
        name_of(module, bound=scale, factor=1.0),
        name_of(module, bound=scale, factor=2.0),
        name_of(module, bound=scale, factor=1),
    ]
    jit._specialise.cache_clear()
    monkeypatch.setitem(jit.OPTIONS, "fastmath", {"contract"})
    names.append(name_of(module))
    jit._specialise.cache_clear()
    assert len(set(names)) == len(names)


def test_a_compiled_helper_counts_by_its_source(module_of):
    """A user's own `numba.njit` helper: the same name in every process."""
    jitted = SOURCE.replace("def inner", "@numba.njit\ndef inner")
    name = name_of(module_of(jitted))
    assert name_of(module_of(jitted)) == name
    assert name_of(module_of(jitted.replace("+ 3.0", "+ 4.0"))) != name


# What happens on disk

IMPORT = """
import sys
import skrnn
assert not {"numba", "sklearn.metrics", "sklearn.model_selection"} & set(sys.modules)
from skrnn.jit import _specialise
assert _specialise.cache_info().currsize == 0
"""

# Prints the output of one step of a minGRU whose gate sees 0: the sigmoid of 0.
STEP = """
import json
import numpy as np
from numba.core import event
import skrnn
from skrnn.cells import MinGRU
from skrnn.network.network import Network
from skrnn.network.workspace import Workspace
from skrnn.sequences import check_sequences, pack

packed = pack(check_sequences(np.zeros((1, 1, 1))), np.zeros(1, int), "float64")
network = Network(MinGRU(), 1, (1,), False, "last", 1, "float64")
theta = np.zeros(network.layout.size)
views = network.layout.views(theta)
views["bias_ih_l0"][1] = views["head_weight"][:] = 1.0
with event.install_recorder("numba:compile") as recorder:
    raw = network.predict_raw(theta, packed, Workspace("float64"))
print(json.dumps([raw.item(), len(recorder.buffer), skrnn.__file__]))
"""

GRADIENT = """
import json
from cases import make_case
case = make_case(("gru", "tanh"), pooling="attention", dropout=0.3)
print(json.dumps(case.gradient(lambda raw: (0.0, raw))[1].tolist()))
"""


def python(source, *, path, **variables):
    """What `source` prints in a new process that imports from `path` first."""
    path = os.pathsep.join(map(str, path))
    result = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", source],
        env={**os.environ, "PYTHONPATH": path, **variables},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout or "null")


INSTALLED = Path(skrnn.__file__).parents[1]


@pytest.mark.heavy
def test_import_neither_loads_numba_nor_compiles():
    """Nor other modules that are slow to load and seldom needed."""
    python(IMPORT, path=[INSTALLED])


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """A copy of the package that has compiled once, with a cache folder of its own."""
    site = tmp_path_factory.mktemp("site")
    unused = shutil.ignore_patterns("__pycache__")  # kernels are read from anywhere
    shutil.copytree(INSTALLED / "skrnn", site / "skrnn", ignore=unused)
    variables = {"NUMBA_CACHE_DIR": str(site / "cache"), "NUMBA_DISABLE_JIT": "0"}
    raw, n_compiled, file = python(STEP, path=[site], PYTHONHASHSEED="1", **variables)
    assert raw == 0.5 and n_compiled > 0
    assert Path(file).is_relative_to(site)
    return site, variables


@needs_compiler
def test_a_new_process_compiles_nothing(installation):
    site, variables = installation
    result = python(STEP, path=[site], PYTHONHASHSEED="2", **variables)
    assert result[:2] == [0.5, 0]


HELPERS = {
    "cells/algebra.py": ("return 0.5 + 0.5 * tanh", "return 0.125 + 0.5 * tanh"),
    "network/microkernel.py": ("builder.fadd(*values)", "values[1]"),
}


@needs_compiler
@pytest.mark.parametrize("name", HELPERS)
def test_an_edited_helper_is_not_run_stale(installation, name):
    """An edit in a file other than the kernel's takes effect in the next process."""
    site, variables = installation
    file = site / "skrnn" / name
    source = file.read_text()
    edited = source.replace(*HELPERS[name])
    assert edited != source
    try:
        file.write_text(edited)
        raw, n_compiled, _ = python(STEP, path=[site], **variables)
    finally:
        file.write_text(source)
    assert raw != 0.5 and n_compiled > 0


@pytest.mark.heavy
def test_runs_as_plain_python():
    """With NUMBA_DISABLE_JIT=1, to the last bits the same gradient."""
    path = [INSTALLED, Path(__file__).parent]
    in_python = python(GRADIENT, path=path, NUMBA_DISABLE_JIT="1")
    case = make_case(("gru", "tanh"), pooling="attention", dropout=0.3)
    assert_allclose(case.gradient(lambda raw: (0.0, raw))[1], in_python, atol=1e-14)


def test_other_errors_of_the_compiler_are_raised(monkeypatch):
    import numba

    def njit(cache=False, **options):
        raise RuntimeError("out of order")

    monkeypatch.setattr(numba, "njit", njit)
    with pytest.raises(RuntimeError, match="out of order"):
        specialise(add_one, np.float64, unused=1.0)


# One signature for each kernel


@pytest.fixture
def kernels(monkeypatch):
    """The kernels that are made from here on."""
    made, compile_cached = [], jit._compile_cached

    def record(function):
        made.append(compile_cached(function))
        return made[-1]

    monkeypatch.setattr(jit, "_compile_cached", record)
    jit._specialise.cache_clear()
    yield made
    jit._specialise.cache_clear()


def assert_one_signature(kernels, at_least):
    assert len(kernels) >= at_least
    for kernel in kernels:
        assert len(kernel.signatures) <= 1, (kernel.__name__, kernel.signatures)


@needs_compiler
@each_dtype
def test_networks_use_one_signature(kernels, dtype):
    """Whatever the batch, the sizes, the dropout and the chunks."""
    for lengths in [(3, 5, 1), (4, 4), (1,)]:
        for sizes in [(1,), (3, 2)]:
            for options in [
                {"bidirectional": True, "dropout": 0.3, "pooling": "attention"},
                {"bptt_steps": 2, "dropout": 0.3, "pooling": "max"},
                {"pooling": "mean"},
                {"pooling": "last"},
            ]:
                case = make_case(
                    ("gru", "tanh"),
                    sequences=draw_sequences(lengths, dtype),
                    hidden_layer_sizes=sizes,
                    dtype=dtype,
                    **options,
                )
                case.raw_scores()
                case.gradient(lambda raw: (0.0, raw))
    assert_one_signature(kernels, at_least=6)


@needs_compiler
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_read_only_weights_use_the_same_signature(kernels):
    """Large models come back from joblib as read-only memory maps."""
    X = np.random.default_rng(0).standard_normal((12, 4, 3))
    est = RNNRegressor(5, max_iter=1, random_state=0).fit(X, X[:, 0, 0])
    writable = est.predict(X)
    est.theta_.flags.writeable = False
    assert_array_equal(est.predict(X), writable)
    assert_array_equal(est.step(X[:, 0])[0], est.predict(X[:, :1]))
    est.theta_.flags.writeable = True
    est.theta_ *= 2.0
    assert (est.predict(X) != writable).all()
    assert_one_signature(kernels, at_least=2)


@needs_compiler
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd", "lbfgs"])
def test_estimators_use_one_signature(kernels, solver):
    """Whatever the form, the order and the flags of X."""
    X = np.random.default_rng(0).standard_normal((12, 4, 3))
    read_only = X.copy()
    read_only.flags.writeable = False
    y = np.arange(12) % 2
    for data in (X, np.asfortranarray(X), read_only, list(X), X[:, ::-1]):
        options = {"hidden_layer_sizes": (2,), "max_iter": 1, "solver": solver}
        for estimator in (RNNClassifier(**options), RNNRegressor(**options)):
            estimator.fit(data, y).predict(data)
    assert_one_signature(kernels, at_least=2)
