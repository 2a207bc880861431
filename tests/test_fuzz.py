"""Whatever is passed in, the answer is right or the refusal names the culprit.

Every public method gets data as an adversary (`adversary.py`) hands them over. What is
done to them is known, and so is what must come of it: the very answer that the plain
data give, or a ValueError or TypeError with the right words. A refused call leaves the
estimator as it was, and no call changes its arguments.
"""

import contextlib
import functools
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
from sklearn.base import clone

from skrnn import RNNClassifier, RNNRegressor, datasets, warmup

pytestmark = pytest.mark.heavy  # plain Python is slow, and warns of each overflow
KINDS = {"classifier": RNNClassifier, "regressor": RNNRegressor}
TARGETS = {
    "classifier": ["two classes", "three classes", "one class", "labels"],
    "regressor": ["values", "two columns", "constant", "counts", "quantiles"],
}
ALLOWED_WARNINGS = (UserWarning, FutureWarning)  # scikit-learn's and our own
FEW, MANY = 40, 2000

each_kind = pytest.mark.parametrize("kind", KINDS)
few_and_many = pytest.mark.parametrize(
    "n_cases", [FEW, pytest.param(MANY, marks=pytest.mark.slow)]
)


def run(check, cases, n_cases, least=0.1):
    """Check that many cases; those of the daily run are always the same."""
    seen = Counter()

    def count(case):
        seen[check(case)] += 1

    settings(
        max_examples=n_cases,
        derandomize=n_cases == FEW,
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

    def disguised(self):
        return adversary.FORMS[self.form](self.arrays, self.layouts)

    def harmed(self, harm):
        """A bad X, and what its refusal says."""
        return adversary.X_HARMS[harm]([x.copy() for x in self.plain], self.rng)


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


@st.composite
def disguised_target(draw, target, y):
    """The targets in disguise: other labels, another type, another layout."""
    layouts = set(LAYOUTS)
    if target == "labels":
        y = y.astype(draw(st.sampled_from(["?", "i1", "u8", "f4", "f8"])))
        layouts -= {"objects"}
    elif "class" in target:
        names = [k for k, v in adversary.ALPHABETS.items() if len(v) > y.max()]
        name = draw(st.sampled_from(names))
        y = np.array(adversary.ALPHABETS[name])[y]
        if y.dtype.kind != "U":
            layouts -= {"objects"}
        if y.dtype.kind == "M":
            layouts -= UNTYPED | FRAMES
    layout = draw(st.sampled_from(sorted(layouts)))
    return adversary.LAYOUTS[layout](y), y, layout


@st.composite
def weights(draw, n, rng):
    """Plain weights, and the same in disguise."""
    dtype = draw(st.sampled_from(adversary.TYPES))
    weight = np.abs(adversary.draw_values(rng, n, dtype)).astype(dtype)
    weight[0] = 1
    layout = draw(st.sampled_from(LAYOUTS))
    return weight.astype(np.float64), adversary.LAYOUTS[layout](weight)


def networks(kind, target):
    """Small estimators of every kind."""
    params = {
        "hidden_layer_sizes": st.sampled_from([(2,), (2, 3)]),
        "cell": st.sampled_from(["gru", "rnn", "lstm", "mingru"]),
        "pooling": st.sampled_from(["last", "mean", "max", "attention"]),
        "bidirectional": st.booleans(),
        "solver": st.sampled_from(["adam", "adam", "sgd", "lbfgs"]),
        "batch_size": st.sampled_from(["auto", 1, 2]),
        "dtype": st.sampled_from([None, None, "float32", "float64"]),
        "max_iter": st.integers(1, 2),
        "alpha": st.sampled_from([0.0, 0.01]),
        "random_state": st.just(0),
    }
    if target == "counts":
        params["loss"] = st.just("poisson")
    elif target == "quantiles":
        params |= {"loss": st.just("quantile"), "quantiles": st.just((0.1, 0.9))}
    elif kind == "regressor":
        losses = ["squared_error", "absolute_error", "huber"]
        params["loss"] = st.sampled_from(losses)
    return st.builds(KINDS[kind], **params)


# fit and partial_fit


@dataclass
class Fit:
    """A call of `fit` or `partial_fit`."""

    estimator: object
    method: str
    data: Data
    target: str
    plain: dict
    given: dict
    how: str  # what is done to targets, or the harm


@st.composite
def fits(draw, kind):
    target = draw(st.sampled_from(TARGETS[kind]))
    estimator, method = draw(networks(kind, target)), "fit"
    X = draw(data())
    y_type = "f8" if kind == "classifier" else draw(st.sampled_from(adversary.TYPES))
    y = draw_target(target, len(X.lengths), X.rng, y_type)
    disguise, y_typed, how = draw(disguised_target(target, y))
    plain = {"X": X.plain, "y": y if kind == "classifier" else y.astype(np.float64)}
    given = {"X": X.disguised(), "y": disguise}
    if draw(st.booleans()):
        weight = draw(weights(len(y), X.rng))
        plain["sample_weight"], given["sample_weight"] = weight
    if draw(st.booleans()):
        method = "partial_fit"
        if kind == "classifier" and target != "labels" and draw(st.booleans()):
            plain["classes"] = np.unique(y)
            given["classes"] = np.unique(y_typed)[::-1]
    elif draw(st.booleans()):
        for name in list(plain):
            plain[f"{name}_val"], given[f"{name}_val"] = plain[name], given[name]
        estimator.early_stopping = draw(st.booleans())
    return Fit(estimator, method, X, target, plain, given, how)


def results(estimator, X):
    """What a fit has led to, with codes for labels."""
    predicted = estimator.predict(X)
    if hasattr(estimator, "classes_") and predicted.ndim == 1:
        assert set(predicted.tolist()) <= set(estimator.classes_.tolist())
        predicted = np.searchsorted(estimator.classes_, predicted)
    return [estimator.theta_, estimator.loss_curve_, predicted]


def check_disguised_fit(case):
    expected = clone(case.estimator)
    with no_wrong_warnings():
        getattr(expected, case.method)(**case.plain)
        digest = joblib.hash(case.given)
        estimator = getattr(clone(case.estimator), case.method)(**case.given)
        assert joblib.hash(case.given) == digest
        check_same(
            results(estimator, case.plain["X"]), results(expected, case.plain["X"])
        )
    assert estimator.n_step_features_in_ == case.data.n_features
    assert len(results(estimator, case.plain["X"])[2]) == len(case.data.lengths)
    assert sum(w.size for w in estimator.weights_.values()) == estimator.theta_.size
    return "right"


def harms_of(argument, kind):
    """Names of what can be done to an argument of a fit."""
    part = argument.removesuffix("_val")
    if part == "y":
        return adversary.LABEL_HARMS if kind == "classifier" else adversary.VALUE_HARMS
    return {
        "X": adversary.X_HARMS,
        "sample_weight": adversary.WEIGHT_HARMS,
        "classes": adversary.CLASSES_HARMS,
    }[part]


@st.composite
def harmed_fits(draw, kind):
    """A fit of plain data but for one argument, and that with its refusal."""
    case = draw(fits(kind))
    argument = draw(st.sampled_from(sorted(case.plain)))
    harms = harms_of(argument, kind)
    case.how, says = draw(st.sampled_from(sorted(harms))), ""
    good = case.plain[argument]
    if argument in ("X", "X_val"):
        bad, says = case.data.harmed(case.how)
    else:
        bad = harms[case.how](good, case.data.rng)
    case.given = {**case.plain, argument: bad}
    return case, argument, says


def check_harmed_fit(case, argument, says):
    estimator = clone(case.estimator)
    if case.data.seed % 2:  # half of them have been fitted before
        good = {k: v for k, v in case.plain.items() if k != "classes"}
        with no_wrong_warnings():
            estimator.fit(**good)
    before = state_of(estimator)
    fit = functools.partial(getattr(estimator, case.method), **case.given)
    outcome = check_refused(fit, argument, says)
    assert state_of(estimator) == before
    return outcome


def check_fit(case):
    if isinstance(case, Fit):
        return check_disguised_fit(case)
    return check_harmed_fit(*case)


@each_kind
@few_and_many
def test_fits_are_right_or_refused(kind, n_cases):
    run(check_fit, fits(kind) | harmed_fits(kind), n_cases)


# Methods that answer


MODELS = [
    {"cell": "gru", "pooling": "attention"},
    {"cell": "rnn", "dtype": "float32", "pooling": "max"},
    {"cell": "lstm", "hidden_layer_sizes": (2, 3), "pooling": "mean"},
    {"cell": "mingru", "bidirectional": True},
]


@functools.cache
def model(kind, target, n_features, number):
    """A fitted estimator; tests may not change it."""
    rng = np.random.default_rng(number)
    X = adversary.draw_sequences(rng, [3, 1, 2, 4, 2, 3], n_features, ["f8"])
    y = draw_target(target, len(X), rng)
    params = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
    if target in ("counts", "quantiles"):
        params |= {"loss": {"counts": "poisson", "quantiles": "quantile"}[target]}
    if target == "quantiles":
        params["quantiles"] = [0.1, 0.5, 0.9]
    return KINDS[kind](**{**params, **MODELS[number]}).fit(X, y)


@st.composite
def models(draw, kind, streams=False):
    target = draw(st.sampled_from(TARGETS[kind]))
    number = draw(st.integers(0, len(MODELS) - 1 - streams))
    return model(kind, target, draw(st.integers(1, 2)), number)


def methods_of(estimator):
    names = ["predict", "hidden_states", "hidden states of all steps"]
    if hasattr(estimator, "classes_"):
        names += ["predict_proba", "predict_log_proba"]
    if estimator.pooling == "attention":
        names += ["attention_weights"]
    return names


def call(estimator, method, X):
    if method == "hidden states of all steps":
        return estimator.hidden_states(X, return_sequences=True)
    return getattr(estimator, method)(X)


def with_wrong_features(X, D):
    return [np.ones((3, D + 2))] * len(X), rf"X must have {D} feature\(s\) per step"


@st.composite
def questions(draw, kind):
    """A model, a method, sequences, and what is done to them."""
    estimator = draw(models(kind))
    method = draw(st.sampled_from(methods_of(estimator)))
    X = draw(data(estimator.n_step_features_in_))
    if draw(st.booleans()):
        return estimator, method, X, None
    harms = ["wrong features", *adversary.X_HARMS]
    if estimator.dtype == "float32":
        harms += ["too large for float32"] * 5
    return estimator, method, X, draw(st.sampled_from(harms))


def check_question(case):
    estimator, method, X, harm = case
    if harm is None:
        given = X.disguised()
        with no_wrong_warnings(), unchanged(estimator, given):
            answer = call(estimator, method, given)
        check_same(answer, call(estimator, method, X.plain))
        assert len(answer) == len(X.lengths)
        return "right"
    if harm == "wrong features":
        bad, says = with_wrong_features(X.plain, X.n_features)
    elif harm == "too large for float32":
        bad, says = adversary.too_large_for_single(X.plain, X.rng)
    else:
        bad, says = X.harmed(harm)
    with unchanged(estimator, None):
        return check_refused(lambda: call(estimator, method, bad), "X", says)


@each_kind
@few_and_many
def test_answers_are_right_or_refused(kind, n_cases):
    run(check_question, questions(kind), n_cases)


# score


SCORED = ["plain", "F-ordered", "backwards", "read-only", "memory map", "nested lists"]


@st.composite
def scores(draw, kind):
    estimator = draw(models(kind))
    X = draw(data(estimator.n_step_features_in_))
    y = estimator.predict(X.plain)
    y = y[..., 0] if getattr(estimator, "loss", "") == "quantile" else y
    if kind == "regressor":
        y = np.abs(np.round(y.astype("f8")))
        y += np.arange(len(y)).reshape(-1, *[1] * (y.ndim - 1))
    layout = draw(st.sampled_from(SCORED))
    weight = draw(st.none() | weights(len(y), X.rng))
    harm = draw(st.sampled_from([None, None, "X", "too short", "too long", "weight"]))
    return estimator, X, y, layout, weight, harm


def check_score(case):
    estimator, X, y, layout, weight, harm = case
    plain, disguised = weight or (None, None)
    if harm is None:
        with no_wrong_warnings():
            disguise = adversary.LAYOUTS[layout](y)
            answer = estimator.score(X.disguised(), disguise, disguised)
            expected = estimator.score(X.plain, y, plain)
        assert isinstance(answer, float) and answer <= 1
        # From a list scikit-learn makes targets of the type of the predictions.
        rtol = {"float32": 1e-5, "float64": 1e-12}[estimator.theta_.dtype.name]
        assert np.isclose(answer, expected, rtol=rtol)
        return "right"
    if harm == "X":
        bad, says = X.harmed("NaN")
        return check_refused(lambda: estimator.score(bad, y), "X", says)
    if harm == "weight":
        short = np.ones(len(y) - 1)
        return check_refused(lambda: estimator.score(X.plain, y, short), "samples")
    y = adversary.ANY_Y_HARMS[harm](y, X.rng)
    return check_refused(lambda: estimator.score(X.plain, y), "samples", "inconsis")


@each_kind
@few_and_many
def test_scores_are_right_or_refused(kind, n_cases):
    run(check_score, scores(kind), n_cases)


# step


@dataclass
class Step:
    """A step of some streams, and what is done to one argument."""

    estimator: object
    seed: int
    n_streams: int
    dtype: str
    layout: str
    state_layout: str
    harm: tuple | None

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        shape = self.n_streams, self.estimator.n_step_features_in_
        self.typed = adversary.draw_values(self.rng, shape, self.dtype)
        self.plain = self.typed.astype(np.float64)


STATE_LAYOUTS = ["plain", "F-ordered", "every third row", "backwards"]
STATE_LAYOUTS += ["every second column", "read-only", "unaligned"]


@st.composite
def steps(draw, kind):
    harms = [("x_t", name) for name in adversary.STEP_HARMS]
    harms += [("state", name) for name in adversary.STATE_HARMS]
    return Step(
        draw(models(kind, streams=True)),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.integers(2, 4)),
        draw(st.sampled_from(adversary.TYPES)),
        draw(st.sampled_from(LAYOUTS)),
        draw(st.sampled_from(STATE_LAYOUTS)),
        draw(st.none() | st.sampled_from(harms)),
    )


def check_step(case):
    step, plain = case.estimator.step, case.plain
    state = step(plain[::-1])[1]
    if case.harm is None:
        given = adversary.LAYOUTS[case.layout](case.typed)
        held = adversary.LAYOUTS[case.state_layout](state)
        with no_wrong_warnings(), unchanged(case.estimator, [given, held]):
            answer = step(given, held)
        check_same(answer, step(plain, state))
        check_same(step(given), step(plain))
        return "right"
    name, harm = case.harm
    arguments = {"x_t": plain, "state": state}
    harms = adversary.STEP_HARMS if name == "x_t" else adversary.STATE_HARMS
    arguments[name] = harms[harm](arguments[name], case.rng)
    with unchanged(case.estimator, None):
        return check_refused(lambda: step(**arguments), name)


@each_kind
@few_and_many
def test_steps_are_right_or_refused(kind, n_cases):
    run(check_step, steps(kind), n_cases)


# Values too large to compute with


@st.composite
def huge_fits(draw, kind):
    target = draw(st.sampled_from(TARGETS[kind]))
    X, dtype = draw(data()), draw(st.sampled_from(["f4", "f8"]))
    largest = {"f4": 38, "f8": 308}[dtype]
    scales = [10.0 ** draw(st.integers(3, largest)) for _ in "Xy"]
    y = draw_target(target, len(X.lengths), X.rng)
    y = np.clip(y, -1, 1) * scales[1] if kind == "regressor" else y
    limits = np.finfo(dtype).min, np.finfo(dtype).max
    X = [np.clip(x, -1, 1) * scales[0] for x in adversary.canonical(X.arrays, "f8")]
    return draw(networks(kind, target)), [x.clip(*limits).astype(dtype) for x in X], y


def check_huge_fit(case):
    """A fit that overflows says so; one that does not has finite answers."""
    estimator, X, y = case
    with no_wrong_warnings():
        try:
            estimator.fit(X, y)
        except ValueError as error:
            assert re.search(
                "scale X and y|X.*too large|y must be of a size", str(error)
            )
            return "refused"
        try:
            assert np.isfinite(estimator.predict(X)).all()
        except ValueError as error:
            assert re.search(r"X\[\d\] makes the network overflow", str(error))
            return "refused"
    assert np.isfinite(estimator.theta_).all()
    return "right"


@each_kind
@few_and_many
def test_huge_values_give_no_silent_nan(kind, n_cases):
    run(check_huge_fit, huge_fits(kind), n_cases, least=0)


# datasets and warmup


INTEGERS = [int, np.int8, np.int64, np.uint16]
NO_INTEGERS = [0, -1, 1.0, "3", None, True, np.nan, [], (1, 2, 3), 2**63, np.array([2])]
NO_BOUNDS = [*NO_INTEGERS, (5, 3), (0.5, 9), ("8", 9), (9, None)]
NO_SEED = ["0", -1, 1.5, 2**32, np.nan, np.random.default_rng(0), [[]]]
MAKERS = {
    "make_adding_problem": {"n_timesteps": (NO_BOUNDS, st.integers(2, 9))},
    "make_copy_memory": {
        "n_symbols": (NO_INTEGERS, st.integers(2, 5)),
        "n_copied": (NO_INTEGERS, st.integers(1, 3)),
        "delay": ([-1, *NO_BOUNDS[2:]], st.integers(0, 4)),
    },
    "make_reber": {"embedded": ([0, 1, None, "no", []], st.booleans())},
    "make_switching_sines": {
        "n_classes": ([*NO_INTEGERS, 1, 9], st.integers(2, 8)),
        "n_features": ([*NO_INTEGERS, 1], st.integers(2, 4)),
        "n_timesteps": ([*NO_BOUNDS, 7], st.integers(8, 12)),
        "noise": ([-1, np.nan, np.inf, "0", None, True, []], st.floats(0, 3)),
    },
}


@st.composite
def problems(draw):
    name = draw(st.sampled_from(sorted(MAKERS)))
    table = {
        "n_sequences": (NO_INTEGERS, st.integers(1, 6)),
        "random_state": (NO_SEED, st.integers(0, 2**32 - 1)),
        **MAKERS[name],
    }
    params = {key: draw(good) for key, (_, good) in table.items()}
    params["n_sequences"] = draw(st.sampled_from(INTEGERS))(params["n_sequences"])
    wrong = draw(st.none() | st.sampled_from(sorted(table)))
    if wrong:
        params[wrong] = draw(st.sampled_from(table[wrong][0]))
    return getattr(datasets, name), params, wrong


def check_problem(case):
    make, params, wrong = case
    if wrong:
        return check_refused(lambda: make(**params), wrong, "must be")
    with no_wrong_warnings():
        X, y = make(**params)
        check_same(make(**params)[0], X)
    assert len(X) == len(y) == params["n_sequences"]
    assert all(x.ndim == 2 and len(x) and np.isfinite(x).all() for x in X)
    return "right"


@few_and_many
def test_problems_are_right_or_refused(n_cases):
    run(check_problem, problems(), n_cases)


@pytest.mark.parametrize("dtypes", [3, None, [], "f4", ["float16"], [np.ones(2)], {}])
def test_dtypes_of_warmup_are_refused_by_name(dtypes):
    check_refused(lambda: warmup(dtypes=dtypes), "dtypes", "must be")


@pytest.mark.parametrize("estimator", [3, "gru", None, RNNClassifier, [RNNRegressor()]])
def test_what_is_no_estimator_is_refused_by_warmup(estimator):
    check_refused(lambda: warmup(estimator), "estimators", "must be")


# Each harm and each disguise by itself, where chance may miss one


def plain_data(form="list", layout="plain", dtype="f8"):
    """The same sequences in a given form; None where it cannot hold them."""
    flat = form in ("2-D", "1-D sequences")
    lengths = [3, 3, 3, 3] if form in ("2-D", "3-D") else [3, 1, 2, 4]
    if form == "padded" and (layout == "nested lists" or dtype not in adversary.FLOATS):
        return None
    if layout in UNTYPED and dtype == "f4":
        return None
    return Data(0, lengths, 1 if flat else 2, form, [layout], [dtype], 1.0)


@pytest.mark.parametrize("form", adversary.FORMS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_disguise_of_X(form, layout):
    for dtype in adversary.TYPES:
        X = plain_data(form, layout, dtype)
        if X is not None:
            estimator = model("regressor", "values", X.n_features, 0)
            check_question((estimator, "hidden states of all steps", X, None))


@pytest.mark.parametrize("harm", adversary.X_HARMS)
def test_every_harm_to_X(harm):
    for kind in KINDS:
        X = plain_data()
        estimator = model(kind, TARGETS[kind][0], X.n_features, 0)
        check_question((estimator, "predict", X, harm))
        check_harmed_fit(*plain_fit(kind, "fit", "X", harm))
        check_harmed_fit(*plain_fit(kind, "fit", "X_val", harm))


def plain_fit(kind, method, argument, harm):
    """A fit of good data but for one argument, and what its refusal says."""
    data, target, says = plain_data(), TARGETS[kind][0], ""
    y = draw_target(target, len(data.lengths), np.random.default_rng(2))
    plain = {"X": data.plain, "y": y, "sample_weight": np.arange(1.0, 1 + len(y))}
    if method == "fit":
        plain |= {f"{name}_val": value for name, value in plain.items()}
    params = {"hidden_layer_sizes": 2, "max_iter": 1, "random_state": 0}
    if argument in ("X", "X_val"):
        bad, says = data.harmed(harm)
    else:
        bad = harms_of(argument, kind)[harm](plain.get(argument), data.rng)
    given = {**plain, argument: bad}
    estimator = KINDS[kind](**params)
    return Fit(estimator, method, data, target, plain, given, ""), argument, says


@each_kind
@pytest.mark.parametrize("argument", ["y", "y_val", "sample_weight"])
def test_every_harm_to_targets_and_weights(kind, argument):
    for harm in harms_of(argument, kind):
        check_harmed_fit(*plain_fit(kind, "fit", argument, harm))
        if argument != "y_val":
            check_harmed_fit(*plain_fit(kind, "partial_fit", argument, harm))


@pytest.mark.parametrize("harm", adversary.CLASSES_HARMS)
def test_every_harm_to_classes(harm):
    check_harmed_fit(*plain_fit("classifier", "partial_fit", "classes", harm))


@each_kind
def test_every_harm_to_a_step(kind):
    estimator = model(kind, TARGETS[kind][0], 2, 0)
    for name, harms in [("x_t", "STEP_HARMS"), ("state", "STATE_HARMS")]:
        for harm in getattr(adversary, harms):
            check_step(Step(estimator, 0, 3, "f8", "plain", "plain", (name, harm)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_disguise_of_a_step(layout):
    for dtype in adversary.TYPES:
        for held in STATE_LAYOUTS:
            estimator = model("regressor", "values", 2, 0)
            check_step(Step(estimator, 0, 3, dtype, layout, held, None))
