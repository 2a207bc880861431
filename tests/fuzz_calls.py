"""Calls of public methods, with the right outcome of each.

A case is a call with data as an adversary hands them over. What is done to them is
known, and so is what must come of it: the very answer that the plain data give, or a
ValueError or TypeError with the right words. A refused call leaves the estimator as it
was, and no call changes its arguments.
"""

import functools
from dataclasses import dataclass, replace

import adversary
import adversary_of_steps
import joblib
import numpy as np
from fuzzing import (
    KINDS,
    LAYOUTS,
    NUMBERS,
    OF_SEQUENCES,
    OF_STEPS,
    TARGETS,
    UNTYPED,
    Data,
    check_refused,
    check_same,
    data,
    draw_targets,
    no_wrong_warnings,
    state_of,
    unchanged,
)
from hypothesis import strategies as st
from sklearn.base import clone


def networks(kind, target, **more):
    """Small estimators of every kind; strategies for `more` parameters."""
    params = {
        "hidden_layer_sizes": st.sampled_from([(2,), (2, 3)]),
        "cell": st.sampled_from(["gru", "rnn", "lstm", "mingru"]),
        "bidirectional": st.booleans(),
        "solver": st.sampled_from(["adam", "adam", "sgd", "lbfgs"]),
        "batch_size": st.sampled_from(["auto", 1, 2]),
        "dtype": st.sampled_from([None, None, "float32", "float64"]),
        "max_iter": st.integers(1, 2),
        "alpha": st.sampled_from([0.0, 0.01]),
        "random_state": st.just(0),
        **more,
    }
    if kind in OF_SEQUENCES:
        params["pooling"] = st.sampled_from(["last", "mean", "max", "attention"])
    if "chain" in target:
        params["crf"] = st.just(True)
    if target == "counts":
        params["loss"] = st.just("poisson")
    elif target == "quantiles":
        params |= {"loss": st.just("quantile"), "quantiles": st.just((0.1, 0.9))}
    elif target in NUMBERS:
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


def with_validation(arguments):
    """The arguments of a fit that is judged by the data that it is fitted to."""
    judged = {f"{name}_val": value for name, value in arguments.items()}
    return {**arguments, **judged}


def results(estimator, X):
    """What a fit has led to, with codes for labels."""
    predicted = estimator.predict(X)
    assert len(predicted) == len(X)
    if hasattr(estimator, "classes_"):
        predicted = codes_of(predicted, estimator.classes_)
    curves = ["loss_curve_", "validation_loss_curve_", "validation_scores_"]
    curves = [getattr(estimator, name) or [] for name in curves]
    return [estimator.theta_, *curves, predicted]


def codes_of(labels, classes):
    if isinstance(labels, list):
        return [codes_of(part, classes) for part in labels]
    if labels.ndim == 2:
        return labels
    assert set(labels.tolist()) <= set(classes.tolist())
    return np.searchsorted(classes, labels)


def check_disguised_fit(case):
    fit_both(case)
    return "right"


def fit_both(case):
    """Estimators fitted to the data as given, and to the plain ones: the same."""
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
    assert sum(w.size for w in estimator.weights_.values()) == estimator.theta_.size
    return estimator, expected


HARMS_TO_Y = {
    "classifier": adversary.LABEL_HARMS,
    "regressor": adversary.VALUE_HARMS,
    "tagger": adversary_of_steps.LABEL_HARMS,
    "sequence regressor": adversary_of_steps.VALUE_HARMS,
}


def harms_of(argument, kind, data):
    """All that can be done to an argument of a fit, by name."""
    steps = adversary_of_steps if kind in OF_STEPS else adversary
    return {
        "X": data.harms,
        "y": HARMS_TO_Y[kind],
        "sample_weight": steps.WEIGHT_HARMS,
        "classes": adversary.CLASSES_HARMS,
    }[argument.removesuffix("_val")]


def harmed_fit(case, kind, argument, harm):
    """The fit with harm done to one argument, its name, and what its refusal says."""
    bad, says = spoil(case.data, case.plain, kind, argument, harm)
    case = replace(case, given={**case.plain, argument: bad}, how=harm)
    return case, argument, says


def spoil(data, plain, kind, argument, harm):
    """A bad value of an argument, and what its refusal says."""
    if argument in ("X", "X_val"):
        return data.harmed(harm)
    do = harms_of(argument, kind, data)[harm]
    if kind in OF_SEQUENCES or argument == "classes":
        return do(plain.get(argument), data.rng), ""
    return do(plain[argument.replace("sample_weight", "y")], data.rng)


@st.composite
def harmed_fits(draw, kind, fits):
    case = draw(fits)
    argument = draw(st.sampled_from(sorted(case.plain)))
    harms = sorted(harms_of(argument, kind, case.data))
    return harmed_fit(case, kind, argument, draw(st.sampled_from(harms)))


def check_harmed_fit(case, argument, says):
    estimator = clone(case.estimator)
    if case.data.seed % 2:  # half of them have been fitted before
        with no_wrong_warnings():
            getattr(estimator, case.method)(**case.plain)
    before = state_of(estimator)
    fit = functools.partial(getattr(estimator, case.method), **case.given)
    outcome = check_refused(fit, argument, says)
    assert state_of(estimator) == before
    return outcome


def check_fit(case):
    if isinstance(case, Fit):
        return check_disguised_fit(case)
    return check_harmed_fit(*case)


SCORED = ["X", "y", "sample_weight"]


def check_fit_and_score(case):
    """The scores are the same bits, too; NaN where R^2 is not defined, of one step."""
    if not isinstance(case, Fit):
        return check_harmed_fit(*case)
    found, expected = fit_both(case)
    with no_wrong_warnings(), unchanged(found, case.given):
        score = found.score(*map(case.given.get, SCORED))
        same = expected.score(*map(case.plain.get, SCORED))
    assert isinstance(score, float)
    assert np.array_equal(score, same, equal_nan=True)
    return "right"


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
    lengths = [3, 1, 2, 4, 2, 3]
    X = adversary.draw_sequences(rng, lengths, n_features, ["f8"])
    return unfitted(kind, target, number).fit(
        X, draw_targets(kind, target, lengths, rng)
    )


def unfitted(kind, target, number):
    params = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
    if target in ("counts", "quantiles"):
        params |= {"loss": {"counts": "poisson", "quantiles": "quantile"}[target]}
    if target == "quantiles":
        params["quantiles"] = [0.1, 0.5, 0.9]
    params |= {"crf": True} if "chain" in target else {}
    params |= MODELS[number]
    if kind in OF_STEPS:
        params.pop("pooling", None)
    return KINDS[kind](**params)


@st.composite
def models(draw, kind, streams=False):
    targets = [t for t in TARGETS[kind] if not (streams and "chain" in t)]
    target = draw(st.sampled_from(targets))
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
    harms = ["wrong features", *X.harms]
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
    harms = {"x_t": adversary.STEP_HARMS, "state": adversary.STATE_HARMS}

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        shape = self.n_streams, self.estimator.n_step_features_in_
        self.typed = adversary.draw_values(self.rng, shape, self.dtype)
        self.plain = self.typed.astype(np.float64)


STATE_LAYOUTS = ["plain", "F-ordered", "every third row", "backwards"]
STATE_LAYOUTS += ["every second column", "read-only", "unaligned"]


@st.composite
def steps(draw, kind):
    return draw(steps_of(Step, models(kind, streams=True)))


@st.composite
def steps_of(draw, case, models):
    harms = [(name, harm) for name in case.harms for harm in case.harms[name]]
    return case(
        draw(models),
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
    arguments[name] = case.harms[name][harm](arguments[name], case.rng)
    with unchanged(case.estimator, None):
        return check_refused(lambda: step(**arguments), name)


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


def plain_fit(kind, method, argument, harm, data=None, **params):
    """A fit of good data but for one argument, and what its refusal says."""
    data, target = data or plain_data(), TARGETS[kind][0]
    y = draw_targets(kind, target, data.lengths, np.random.default_rng(2))
    plain = {"X": data.plain, "y": y, "sample_weight": np.arange(1.0, 1 + len(y))}
    plain = with_validation(plain) if method == "fit" else plain
    params |= {"hidden_layer_sizes": 2, "max_iter": 1, "random_state": 0}
    fit = Fit(KINDS[kind](**params), method, data, target, plain, plain, "")
    return harmed_fit(fit, kind, argument, harm)
