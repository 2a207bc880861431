"""Whatever is passed in, the answer is right or the refusal names the culprit.

Every public method gets data as an adversary (`adversary.py`) hands them over: here
sequences of features that have one target each.
"""

import re

import adversary
import numpy as np
import pytest
from fuzz_calls import (
    STATE_LAYOUTS,
    Fit,
    Step,
    check_fit,
    check_harmed_fit,
    check_question,
    check_step,
    harmed_fits,
    harms_of,
    model,
    models,
    networks,
    plain_data,
    plain_fit,
    questions,
    steps,
    with_validation,
)
from fuzzing import (
    FRAMES,
    LAYOUTS,
    OF_SEQUENCES,
    TARGETS,
    UNTYPED,
    check_refused,
    check_same,
    data,
    draw_target,
    few_and_many,
    no_wrong_warnings,
    run,
    weights,
)
from hypothesis import strategies as st

from skrnn import RNNClassifier, RNNRegressor, datasets, warmup

pytestmark = pytest.mark.heavy  # plain Python is slow, and warns of each overflow


each_kind = pytest.mark.parametrize("kind", OF_SEQUENCES)
cases = few_and_many(40, 2000)


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
        plain, given = with_validation(plain), with_validation(given)
        estimator.early_stopping = draw(st.booleans())
    return Fit(estimator, method, X, target, plain, given, how)


@each_kind
@cases
def test_fits_are_right_or_refused(kind, n_cases):
    run(check_fit, fits(kind) | harmed_fits(kind, fits(kind)), n_cases)


@each_kind
@cases
def test_answers_are_right_or_refused(kind, n_cases):
    run(check_question, questions(kind), n_cases)


# score


SCORED_LAYOUTS = [
    "plain",
    "F-ordered",
    "backwards",
    "read-only",
    "memory map",
    "nested lists",
]


@st.composite
def scores(draw, kind):
    estimator = draw(models(kind))
    X = draw(data(estimator.n_step_features_in_))
    y = estimator.predict(X.plain)
    y = y[..., 0] if getattr(estimator, "loss", "") == "quantile" else y
    if kind == "regressor":
        y = np.abs(np.round(y.astype("f8")))
        y += np.arange(len(y)).reshape(-1, *[1] * (y.ndim - 1))
    layout = draw(st.sampled_from(SCORED_LAYOUTS))
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
@cases
def test_scores_are_right_or_refused(kind, n_cases):
    run(check_score, scores(kind), n_cases)


@each_kind
@cases
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
@cases
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


@cases
def test_problems_are_right_or_refused(n_cases):
    run(check_problem, problems(), n_cases)


@pytest.mark.parametrize("dtypes", [3, None, [], "f4", ["float16"], [np.ones(2)], {}])
def test_dtypes_of_warmup_are_refused_by_name(dtypes):
    check_refused(lambda: warmup(dtypes=dtypes), "dtypes", "must be")


@pytest.mark.parametrize("estimator", [3, "gru", None, RNNClassifier, [RNNRegressor()]])
def test_what_is_no_estimator_is_refused_by_warmup(estimator):
    check_refused(lambda: warmup(estimator), "estimators", "must be")


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
    for kind in OF_SEQUENCES:
        X = plain_data()
        estimator = model(kind, TARGETS[kind][0], X.n_features, 0)
        check_question((estimator, "predict", X, harm))
        check_harmed_fit(*plain_fit(kind, "fit", "X", harm))
        check_harmed_fit(*plain_fit(kind, "fit", "X_val", harm))


@each_kind
@pytest.mark.parametrize("argument", ["y", "y_val", "sample_weight"])
def test_every_harm_to_targets_and_weights(kind, argument):
    for harm in harms_of(argument, kind, plain_data()):
        check_harmed_fit(*plain_fit(kind, "fit", argument, harm))
        if argument != "y_val":
            check_harmed_fit(*plain_fit(kind, "partial_fit", argument, harm))


@pytest.mark.parametrize("harm", adversary.CLASSES_HARMS)
def test_every_harm_to_classes(harm):
    check_harmed_fit(*plain_fit("classifier", "partial_fit", "classes", harm))


@each_kind
def test_every_harm_to_a_step(kind):
    estimator = model(kind, TARGETS[kind][0], 2, 0)
    for name, harms in Step.harms.items():
        for harm in harms:
            check_step(Step(estimator, 0, 3, "f8", "plain", "plain", (name, harm)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_disguise_of_a_step(layout):
    for dtype in adversary.TYPES:
        for held in STATE_LAYOUTS:
            estimator = model("regressor", "values", 2, 0)
            check_step(Step(estimator, 0, 3, dtype, layout, held, None))
