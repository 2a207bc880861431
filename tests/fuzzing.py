"""The machinery of the fuzz tests: cases at random, data, and what is compared.

Data are what an adversary (`adversary.py`) makes of them; `fuzz_calls.py` has the calls
that they go into.
"""

import contextlib
import pickle
import re
import warnings
from collections import Counter
from dataclasses import dataclass

import adversary
import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skrnn import RNNClassifier, RNNRegressor, RNNSequenceRegressor, RNNTagger
from skrnn.sequences import split_steps

OF_SEQUENCES = {"classifier": RNNClassifier, "regressor": RNNRegressor}
OF_STEPS = {"tagger": RNNTagger, "sequence regressor": RNNSequenceRegressor}
KINDS = {**OF_SEQUENCES, **OF_STEPS}
CLASSES = ["two classes", "three classes", "one class", "labels"]
NUMBERS = ["values", "two columns", "constant", "counts", "quantiles"]
TARGETS = {
    "classifier": CLASSES,
    "regressor": NUMBERS,
    "tagger": [*CLASSES, "three classes in a chain"],
    "sequence regressor": NUMBERS,
}
ALLOWED_WARNINGS = (UserWarning, FutureWarning)  # scikit-learn's and our own


FEW = 40  # cases, at most, that are always the same


def few_and_many(few, many):
    """A number of cases for each change, and one for each night."""
    many = pytest.param(many, marks=pytest.mark.slow)
    return pytest.mark.parametrize("n_cases", [few, many])


def run(check, cases, n_cases, least=0.1):
    """Check that many cases; those of the daily run are always the same."""
    seen = Counter()

    def count(case):
        seen[check(case)] += 1

    settings(
        max_examples=n_cases,
        derandomize=n_cases <= FEW,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(given(cases)(count))()
    print(f"{sum(seen.values())} cases:", dict(seen))
    assert min(seen["right"], seen["refused"]) >= least * n_cases, seen


@contextlib.contextmanager
def no_wrong_warnings():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    wrong = [w for w in caught if not issubclass(w.category, ALLOWED_WARNINGS)]
    assert not wrong, [str(w.message) for w in wrong]


def check_refused(function, name, says=""):
    """The call is refused with these words and the name of the argument."""
    with no_wrong_warnings(), pytest.raises((ValueError, TypeError)) as caught:
        function()
    message = str(caught.value)
    assert re.search(rf"\b{name}\b", message), message
    assert re.search(says, message, re.DOTALL), message
    return "refused"


def check_same(answer, expected):
    """The same finite numbers, to the last bit, in the same shapes."""
    if isinstance(expected, (list, tuple)):
        for pair in zip(answer, expected, strict=True):
            check_same(*pair)
        return
    answer, expected = np.asarray(answer), np.asarray(expected)
    assert answer.dtype == expected.dtype and answer.shape == expected.shape
    assert np.isfinite(answer).all() and np.array_equal(answer, expected)


def state_of(estimator):
    return {name: pickle.dumps(value) for name, value in vars(estimator).items()}


@contextlib.contextmanager
def unchanged(estimator, arguments):
    """Neither the estimator nor what it is given may change."""
    state, digest = state_of(estimator), joblib.hash(arguments)
    yield
    assert state_of(estimator) == state
    assert joblib.hash(arguments) == digest


# Cases


@dataclass
class Data:
    """Sequences, and how they are handed over."""

    seed: int
    lengths: list
    n_features: int
    form: str
    layouts: list
    types: list
    scale: float

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        self.arrays = adversary.draw_sequences(
            self.rng, self.lengths, self.n_features, self.types, self.scale
        )
        self.plain = adversary.canonical(self.arrays)

    harms = adversary.X_HARMS

    def disguised(self):
        return adversary.FORMS[self.form](self.arrays, self.layouts)

    def harmed(self, harm):
        """A bad X, and what its refusal says."""
        return self.harms[harm]([x.copy() for x in self.plain], self.rng)


LAYOUTS = sorted(adversary.LAYOUTS)
UNTYPED = {"objects", "nested lists"}  # float32 is no longer known for that
FRAMES = {"pandas", "polars"}
SCALES = [1.0, 1.0, 30.0, 1e-30, 1e-310]


@st.composite
def data(draw, n_features=None):
    """Sequences in a form that can hold them, with layouts that keep their type."""
    n_features = n_features or draw(st.integers(1, 2))
    lengths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    if draw(st.booleans()):
        lengths = [lengths[0]] * len(lengths)
    is_ragged = len(set(lengths)) > 1
    forms = [*adversary.RAGGED_FORMS, "padded" if is_ragged else "3-D"]
    forms += ["1-D sequences"] if n_features == 1 else []
    forms += ["2-D"] * 3 if n_features == 1 and not is_ragged else []
    form = draw(st.sampled_from(forms))
    layouts = draw(st.lists(st.sampled_from(LAYOUTS), min_size=1, max_size=2))
    types = adversary.FLOATS if form == "padded" else adversary.TYPES
    if form == "padded" and "nested lists" in layouts:
        layouts = ["plain"]  # in a list, NaN is no padding
    if UNTYPED & set(layouts):
        types = [t for t in types if t != "f4"]
    n_types = 1 if form in adversary.WHOLE_FORMS else 2
    types = draw(st.lists(st.sampled_from(types), min_size=1, max_size=n_types))
    scale, seed = draw(st.sampled_from(SCALES)), draw(st.integers(0, 2**32 - 1))
    return Data(seed, lengths, n_features, form, layouts, types, scale)


def draw_target(target, n, rng, dtype="f8"):
    """Plain targets, typed."""
    if target == "labels":
        return rng.integers(0, 2, (n, 3))
    if "class" in target:
        return rng.integers(0, {"one": 1, "two": 2, "three": 3}[target.split()[0]], n)
    shape = (n, 2) if target == "two columns" else n
    y = adversary.draw_values(rng, shape, dtype)
    if target == "constant":
        y[:] = 1
    return np.abs(y) if target == "counts" else y


def draw_targets(kind, target, lengths, rng):
    """Plain targets of sequences, or of the steps of each of them."""
    if kind in OF_SEQUENCES:
        return draw_target(target, len(lengths), rng)
    return split_steps(draw_target(target, sum(lengths), rng), lengths)


@st.composite
def weights(draw, n, rng):
    """Plain weights, and the same in disguise."""
    dtype = draw(st.sampled_from(adversary.TYPES))
    weight = np.abs(adversary.draw_values(rng, n, dtype)).astype(dtype)
    weight[:2] = 1
    layout = draw(st.sampled_from(LAYOUTS))
    return weight.astype(np.float64), adversary.LAYOUTS[layout](weight)
