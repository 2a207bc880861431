"""Every parameter and every piece of data that cannot be used is refused by name."""

import random
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics import r2_score

from skrnn import (
    Cell,
    RNNClassifier,
    RNNRegressor,
    RNNSequenceRegressor,
    RNNTagger,
)
from skrnn.cells import CELLS, GRU, LSTM, RNN, MinGRU
from skrnn.cells.algebra import sigmoid
from skrnn.optimizers import LBFGS, OPTIMIZERS, SCHEDULES, SGD, Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
KINDS = [RNNClassifier, RNNRegressor]
both = pytest.mark.parametrize("kind", KINDS)

X = [np.random.default_rng(i).standard_normal((2 + i % 3, 2)) for i in range(12)]
LABELS = np.arange(12) % 2
VALUES = np.linspace(-1, 1, 12)
Y = {
    RNNClassifier: LABELS,
    RNNRegressor: VALUES,
    RNNTagger: [np.arange(len(x)) % 2 for x in X],
    RNNSequenceRegressor: [x[:, 0] for x in X],
}
NAN, INF = float("nan"), float("inf")

# Integers that no array can count to, and that no float holds; then what is no number.
TOO_LARGE = [2**63, 10**400]
NO_NUMBERS = [None, "1", b"1", "", [], [1], {}, True, np.True_, NAN, np.array([1])]
NO_NUMBERS += [np.array(1), 1j, Decimal(1), Decimal("NaN")]
SIZES = r"an integer >= 1 or a tuple of 1 to 1000 integers >= 1"
COUNT = (
    r"an integer >= 1",
    [0, -1, 1.0, 1.5, INF, *TOO_LARGE, *NO_NUMBERS],
    [1, np.int32(2), np.uint8(1)],
)
FLAG = (
    r"True or False",
    [0, 1, None, "yes", "", [], NAN, np.array([True]), np.array(True)],
    [True, np.False_],
)
RATE = (
    r"a number in \[0, 1\)",
    [1, 1.0, -0.1, INF, *TOO_LARGE, *NO_NUMBERS],
    [0, 0.5, np.float16(0.5), Fraction(1, 3)],
)
NOT_NEGATIVE = (
    r"a number >= 0",
    [-1e-9, -INF, INF, 10**400, *NO_NUMBERS],
    [0, 0.1, 2, np.float16(0.1), np.float32(1), Fraction(1, 7), 5e-324],
)
POSITIVE = (
    r"a number > 0",
    [0, -1, -0.0, INF, -INF, 10**400, *NO_NUMBERS],
    [0.01, np.float32(1), np.float16(0.1), Fraction(1, 3), 1],
)
NO_NAMES = [None, 1, "", " ", [], ("last",), b"last", NAN, {}]

# For each parameter: what its message says is allowed, values refused, values taken.

SHARED = {
    "hidden_layer_sizes": (
        SIZES,
        [0, (), [], (0,), (3, -1), 3.0, (3.0,), "3", ("3",), None, True, (True,)]
        + [np.array([2.5]), ((3,),), np.array(3), np.ones((1, 2), int), {3: 1}, {3, 4}]
        + [(2**63,), 10**400, NAN, INF, b"3", np.array([]), (None,), (1,) * 1001],
        [2, (2,), [2, 3], (1, 1, 1), np.array([2, 2]), np.int64(2)],
    ),
    "cell": (
        r"one of 'rnn', 'lstm', 'gru', .* or a Cell object such as LSTM\(\)",
        ["GRU", "", None, GRU, 3, Adam(), b"gru", ["gru"], NAN],
        [*CELLS, GRU(), RNN("relu")],
    ),
    "embedding_dim": (
        r"an integer >= 1 or None",
        [0, -1, 2.0, "2", INF, *TOO_LARGE, *NO_NUMBERS[1:]],
        [None],
    ),
    "embedding_weights": (
        r"a finite array of shape \(n_ids, embedding_dim\), n_ids > 1 or None",
        [0, "x", [[1.0]], [[1.0], [1.0, 2.0]], {2: [1.0]}, [["a"], ["b"]]]
        + [np.ones(3), np.ones((1, 2)), np.full((3, 2), NAN)]
        + [np.ma.MaskedArray(np.ones((3, 2)), np.eye(3, 2))]
        + [np.full((3, 2), 1e300), np.ones((3, 2), complex), np.ones((3, 2), object)],
        [None],
    ),
    "embedding_trainable": (*FLAG[:2], [True]),
    "bidirectional": FLAG,
    "activation": (r"one of 'tanh', 'relu'", ["TANH", "sigmoid", *NO_NAMES], ["tanh"]),
    "pooling": (
        r"one of 'last', 'mean', 'max', 'attention'",
        ["sum", "LAST", *NO_NAMES],
        ["last", "mean", "max", "attention"],
    ),
    "dropout": RATE,
    "recurrent_dropout": RATE,
    "alpha": NOT_NEGATIVE,
    "max_grad_norm": (
        r"a number > 0 or None",
        [0, -1, INF, 10**400, *NO_NUMBERS[1:]],
        [0.1, 5, None],
    ),
    "solver": (
        r"one of 'adam', 'rmsprop', 'sgd', 'lbfgs' or an? Optimizer object such as "
        r"Adam\(\)",
        ["ADAM", Adam, GRU(), *NO_NAMES],
        [*OPTIMIZERS, SGD(momentum=0.5), LBFGS(memory=3)],
    ),
    "batch_size": (
        r"(one of )?'auto' or an integer >= 1",
        [0, -1, 1.0, "all", INF, *TOO_LARGE, *NO_NUMBERS],
        ["auto", 1, 5, 10_000, np.int64(3)],
    ),
    "learning_rate": (
        "one of " + ", ".join(map(repr, SCHEDULES)),
        ["linear", 0.1, ["constant"], *NO_NAMES],
        [*SCHEDULES],
    ),
    "learning_rate_init": POSITIVE,
    "max_iter": COUNT,
    "bptt_steps": (
        r"an integer >= 1 or None",
        [0, -1, 2.0, "2", INF, *TOO_LARGE, *NO_NUMBERS[1:]],
        [1, 100, None],
    ),
    "shuffle": FLAG,
    "random_state": (
        r"None or an integer in \[0, 4294967295\] or a RandomState instance",
        ["0", -1, 1.5, [[]], 2**32, 10**400, *NO_NUMBERS[1:]]
        + [np.random.default_rng(0), np.random.RandomState, random],
        [0, None, np.random.RandomState(0), np.int64(7), 2**32 - 1, np.random],
    ),
    "tol": NOT_NEGATIVE,
    "verbose": (
        r"True or False or an integer >= 0",
        [-1, 0.5, INF, *(v for v in NO_NUMBERS if not isinstance(v, (bool, np.bool_)))],
        [False, 0],
    ),
    "warm_start": FLAG,
    "early_stopping": FLAG,
    "validation_fraction": (
        r"a number in \(0, 1\)",
        [0, 1, 1.0, -0.5, 3, INF, 10**400, *NO_NUMBERS],
        [0.01, 0.99, np.float32(0.25), Fraction(1, 4)],
    ),
    "n_iter_no_change": COUNT,
    "scoring": (
        r"None or a str or a callable",
        [3, ["r2"], 0.5, b"r2", {}, NAN, True],
        [None, max],
    ),
    "dtype": (
        r"None or 'float32' or 'float64'",
        [
            "f4",
            "float16",
            int,
            np.float16,
            32,
            "single",
            ["float32"],
            "",
            NAN,
            b"float32",
        ]
        + [np.dtype("f2"), np.dtype([("a", "f4")]), np.array("float32"), np.float32(1)],
        [None, "float32", np.float64, np.dtype("float32")],
    ),
    "n_jobs": (
        r"None or a non-zero integer",
        [0, 1.0, "2", 1.5, INF, *TOO_LARGE, *NO_NUMBERS[1:]],
        [None, 1, 2, -1, np.int8(2), -100],
    ),
}
OWN = {
    RNNClassifier: {
        "class_weight": (
            r"None or one of 'balanced' or a dict of numbers >= 0 or a list of these",
            ["auto", "", 3, True, ("balanced",), NAN, np.ones(2), {1, 2}]
            + [{0: value} for value in (-1, NAN, INF, None, "1", [1], True, 10**400)]
            + [[3], [{0: 1}, "auto"], [{0: NAN}], [[{0: 1}]], [True], [np.ones(2)]],
            [None, "balanced", {0: 1, 1: 2}, [{0: 0.5}], ["balanced"], {}],
        )
    },
    RNNRegressor: {
        "loss": (
            r"one of 'squared_error', 'absolute_error', 'huber', 'poisson', 'quantile'",
            ["mse", "SQUARED_ERROR", *NO_NAMES],
            ["squared_error", "absolute_error", "huber", "quantile"],
        ),
        "huber_delta": POSITIVE,
        "quantiles": (
            r"a number in \(0, 1\) or an ascending sequence of them",
            [0, 1, -0.1, 50, 1.0, INF, [], [0.9, 0.1], [0.5, 0.5], [[0.1, 0.9]]]
            + [(0.1, 1.0), (0.1, "0.9"), (0.1, NAN), (NAN,), {0.1, 0.9}, {0.1: 1}]
            + [np.array([]), np.array([[0.5]]), np.array([0.9, 0.1]), (True,)]
            + [10**400, (0.1, None), *NO_NUMBERS],
            [0.5, [0.5], (0.1, 0.9), np.array([0.2, 0.3]), np.float32(0.3)]
            + [np.array([0.2, 0.3], "f2"), (Fraction(1, 3), 0.5)],
        ),
    },
}
# Estimators of each step share the rules of the others: tried is what is their own.
STEPS = {
    RNNTagger: {
        **OWN[RNNClassifier],
        "crf": FLAG,
        "ignored_label": (
            r"None or a str or a number",
            [[0], (1,), {}, b"1", np.array([1]), np.array("a"), 1j, max],
            [None, 0, "x", 7.5, np.int64(1), NAN],
        ),
    },
    RNNSequenceRegressor: OWN[RNNRegressor],
}
TABLES = {kind: {**SHARED, **OWN[kind]} for kind in KINDS} | STEPS


def tiny(kind, **params):
    base = {"hidden_layer_sizes": (2,), "max_iter": 1, "random_state": 0}
    return kind(**{**base, **params})


def cases(column):
    return [
        pytest.param(kind, name, value, id=f"{kind.__name__}-{name}-{value!r:.40}")
        for kind in TABLES
        for name, row in TABLES[kind].items()
        for value in row[column]
    ]


@both
def test_the_table_holds_every_parameter(kind):
    assert TABLES[kind].keys() == kind().get_params(deep=False).keys()


@pytest.mark.parametrize(("kind", "of_one"), [*zip(STEPS, KINDS, strict=True)])
def test_estimators_of_each_step_share_the_rules_of_the_others(kind, of_one):
    shared = kind._rules.keys() & of_one._rules.keys()
    assert all(kind._rules[name] is of_one._rules[name] for name in shared)
    assert of_one._rules.keys() - shared == {"pooling"}
    assert kind._rules.keys() == kind().get_params(deep=False).keys()
    assert kind._rules.keys() - shared <= STEPS[kind].keys()


@pytest.mark.parametrize(("kind", "name", "value"), cases(1))
def test_bad_values_are_stored_and_refused_by_fit(kind, name, value):
    """`__init__` only stores; `fit` names the parameter, the rule and the value."""
    est = tiny(kind, **{name: value})
    assert est.get_params()[name] is value
    with pytest.raises(ValueError) as caught:
        est.fit(X, Y[kind])
    assert caught.match(rf"^{name} must be {TABLES[kind][name][0]}, got ")
    if len(repr(value)) <= 500:
        assert f"got {value!r} in {kind.__name__}." in str(caught.value)
    with pytest.raises(ValueError, match=f"^{name} must be"):
        est.partial_fit(X, Y[kind])
    assert not hasattr(est, "theta_")


def test_a_large_value_is_shown_in_part():
    """Word vectors as a dict would fill the screen, and take long to print."""
    vectors = {f"word{k}": np.ones(300) for k in range(20_000)}
    for value in (vectors, [*vectors], "x" * 10**6, (1,) * 10**6):
        with pytest.raises(
            ValueError, match=r"(?s)^embedding_weights must .*\.\.\."
        ) as caught:
            tiny(RNNClassifier, embedding_weights=value).fit(X, LABELS)
        assert len(str(caught.value)) < 3_000


@pytest.mark.parametrize(("kind", "name", "value"), cases(2))
def test_good_values_are_taken(kind, name, value):
    est = tiny(kind, **{name: value}).fit(X, Y[kind])
    assert est.n_iter_ == est.max_iter and np.isfinite(est.theta_).all()


@both
@pytest.mark.parametrize("sizes", [{3: 1}, {3, 4}])
def test_sizes_without_an_order_are_refused(kind, sizes):
    with pytest.raises(ValueError, match=f"^hidden_layer_sizes must be {SIZES}"):
        tiny(kind, hidden_layer_sizes=sizes).fit(X, Y[kind])


def test_quantiles_without_an_order_are_refused():
    with pytest.raises(ValueError, match="^quantiles must be"):
        tiny(RNNRegressor, loss="quantile", quantiles={0.1, 0.9}).fit(X, VALUES)


@both
def test_an_array_is_no_dtype(kind):
    with pytest.raises(ValueError, match="^dtype must be None or 'float32'"):
        tiny(kind, dtype=np.zeros(3)).fit(X, Y[kind])


@both
def test_an_unknown_scoring_is_refused_even_without_validation_data(kind):
    message = rf"^scoring must be None, .*_names\(\), got 'nope' in {kind.__name__}\.$"
    with pytest.raises(ValueError, match=message):
        tiny(kind, scoring="nope").fit(X, Y[kind])
    with pytest.raises(ValueError, match="^scoring .* a metric function rather than"):
        tiny(kind, scoring=r2_score).fit(X, Y[kind])


@both
def test_clone_and_set_params_go_round(kind):
    est = tiny(kind, solver=Adam(beta_1=0.5), cell=LSTM(), pooling="mean")
    twin = clone(est)
    assert repr(twin) == repr(est) and twin.solver is not est.solver
    assert twin.set_params(solver__beta_1=0.3).solver.beta_1 == 0.3
    assert est.get_params()["solver__beta_1"] == 0.5
    twin.fit(X, Y[kind])
    assert repr(clone(twin)) == repr(twin)


@pytest.mark.parametrize("name", ["alpha", "tol", "learning_rate_init", "dropout"])
def test_numbers_of_low_precision_are_computed_with_as_floats(name):
    low = np.float16(0.1)
    for kind in KINDS:
        narrow, wide = (tiny(kind, **{name: v}, max_iter=3) for v in (low, float(low)))
        narrow.fit(X, Y[kind])
        assert narrow.loss_curve_ == wide.fit(X, Y[kind]).loss_curve_
        assert np.array_equal(narrow.theta_, wide.theta_)


@pytest.mark.heavy
def test_integers_of_few_bits_do_not_overflow():
    """The end of the second minibatch, and of the second fit, are 200."""
    many, y = np.random.default_rng(0).standard_normal((2, 250, 1))
    narrow, wide = (
        tiny(RNNRegressor, batch_size=size, max_iter=size, warm_start=True, tol=0)
        for size in (np.int8(100), 100)
    )
    for est in (narrow, wide):
        est.fit(many, y[:, 0]).fit(many, y[:, 0])
    assert narrow.n_iter_ == 200 and np.array_equal(narrow.theta_, wide.theta_)


# Hyper-parameters of the parts


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (Adam(beta_1=1.0), r"beta_1 must be in \[0, 1\), got 1.0"),
        (SGD(nesterov="no"), "nesterov must be True or False, got 'no'"),
        (LBFGS(memory=0), "memory must be an integer of at least 1, got 0"),
    ],
    ids=repr,
)
def test_bad_hyper_parameters_of_a_solver_are_refused(solver, message):
    with pytest.raises(ValueError, match=message):
        tiny(RNNRegressor, solver=solver).fit(X, VALUES)


def test_a_bad_activation_of_a_cell_object_is_refused():
    with pytest.raises(ValueError, match="activation must be .*got 'sigmoid'"):
        tiny(RNNRegressor, cell=RNN("sigmoid")).fit(X, VALUES)


# Combinations


@both
def test_combinations_that_cannot_work_are_refused(kind):
    def check(message, **params):
        with pytest.raises(ValueError, match=message):
            tiny(kind, **params).fit(X, Y[kind])

    check(
        r"bptt_steps must be None with bidirectional=True, got 3: the backward layers",
        bptt_steps=3,
        bidirectional=True,
    )
    check(
        r"recurrent_dropout must be 0 with cell='mingru', got 0.1: the cell has no "
        "recurrent product",
        cell="mingru",
        recurrent_dropout=0.1,
    )
    check(
        r"recurrent_dropout must be 0 with cell=MinGRU\(\), got 0.1",
        cell=MinGRU(),
        recurrent_dropout=0.1,
    )
    check(
        r"activation must be 'tanh' with cell='lstm', got 'relu'; the cells that know "
        "it are 'rnn', 'indrnn'",
        cell="lstm",
        activation="relu",
    )


# Targets


@both
def test_targets_must_match_the_sequences(kind):
    message = "inconsistent numbers of samples: X holds 12 sequences and y 5 targets"
    with pytest.raises(ValueError, match=message):
        tiny(kind).fit(X, Y[kind][:5])
    with pytest.raises(ValueError, match="requires y to be passed, but the target y"):
        tiny(kind).fit(X, None)


@pytest.mark.parametrize("loss", ["squared_error", "quantile"])
def test_targets_of_a_score_must_match_the_sequences(loss):
    est = tiny(RNNRegressor, loss=loss).fit(X, VALUES)
    for y in (VALUES[:6], np.tile(VALUES, 2)):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            est.score(X, y)
    with pytest.raises(ValueError, match="sample_weight must be non-negative"):
        est.score(X, VALUES, -np.ones(12))


@pytest.mark.parametrize(
    ("kind", "y", "message"),
    [
        (RNNClassifier, VALUES, "label type: continuous.* are for RNNRegressor"),
        (RNNClassifier, np.full(12, np.nan), r"^y\[0\] must be finite, got nan\.$"),
        (
            RNNClassifier,
            np.array([*"abcab", None, *"abcabc"], object),
            r"^y\[5\] must be a label, got None\.$",
        ),
        (
            RNNClassifier,
            [*"abcab", NAN, *"abcabc"],
            r"^y\[5\] must be a label, got nan",
        ),
        (RNNClassifier, [*"abcab", 7, *"abcabc"], "y must hold either str or numbers"),
        (RNNRegressor, [*VALUES[:3], None, *VALUES[4:]], r"^y\[3\] must be fin.* None"),
        (
            RNNRegressor,
            np.where(np.arange(24).reshape(12, 2) == 9, -np.inf, 1.0),
            r"^y\[4\] must be finite, got -inf in column 1\.$",
        ),
        (
            RNNClassifier,
            np.column_stack([LABELS, LABELS + 1]),
            r"several class columns of shape \(12, 2\); fit an estimator to each, as "
            "MultiOutputClassifier",
        ),
        (RNNRegressor, np.array(["a"] * 12), "y must be numeric, got dtype <U1"),
        (RNNRegressor, ["1.5"] * 12, "y must be numeric, got dtype <U3"),
        (RNNRegressor, np.array([b"1"] * 12), "y must be numeric, got dtype .S1"),
        (RNNRegressor, np.array(["1"] * 12, object), "y must be numeric, got dtype <U"),
        (RNNRegressor, [1.0, pd.NA, *range(10)], r"^y\[1\] must be finite, got <NA>"),
        (
            RNNRegressor,
            np.full(12, "2020", "M8[D]"),
            "y must be numeric, got dtype date",
        ),
        (RNNRegressor, np.r_[VALUES[:-1], np.inf], r"^y\[11\] must be finite, got inf"),
        (RNNRegressor, np.ones((12, 2, 2)), "Found array with dim 3"),
    ],
)
def test_targets_of_a_wrong_kind_are_refused(kind, y, message):
    with pytest.raises(ValueError, match=message):
        tiny(kind).fit(X, y)


POISSON = {"loss": "poisson"}


def test_targets_that_the_loss_refuses():
    message = r"^y\[0\] must be finite and non-negative, got -1.0\.$"
    with pytest.raises(ValueError, match=message):
        tiny(RNNRegressor, **POISSON).fit(X, VALUES)
    zeros = tiny(RNNRegressor, **POISSON).fit(X, np.zeros(12)).predict(X)
    assert np.all(zeros > 0) and np.all(zeros < 1e-3)


def test_the_loss_refuses_targets_of_later_calls_too():
    est = tiny(RNNRegressor, **POISSON).partial_fit(X, VALUES + 1)
    with pytest.raises(ValueError, match=r"y\[0\] must be finite and non-negative"):
        est.partial_fit(X, VALUES)


def test_the_loss_refuses_validation_targets_too():
    est = tiny(RNNRegressor, **POISSON)
    with pytest.raises(ValueError, match="must be finite and non-negative"):
        est.fit(X, VALUES + 1, X_val=X, y_val=VALUES)


def test_later_targets_must_be_like_the_first():
    est = tiny(RNNRegressor).partial_fit(X, VALUES)
    with pytest.raises(ValueError, match="y must have 1 columns as in fit, got 2"):
        est.partial_fit(X, np.column_stack([VALUES, VALUES]))
    est = tiny(RNNClassifier).partial_fit(X, np.eye(3, dtype=int)[np.arange(12) % 3])
    with pytest.raises(ValueError, match="y must have 3 columns as in fit, got shape"):
        est.partial_fit(X, LABELS)


# Weights


@both
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(12), "(?i)sample.weights? must"),
        (-np.ones(12), "sample_weight must be non-negative with a positive sum"),
        (np.r_[-1e-9, np.ones(11)], "sample_weight must be non-negative"),
        (np.ones(5), r"sample_weight.shape == \(5,\), expected \(12,\)"),
        (np.ones((12, 1)), "Sample weights must be 1D"),
        (np.full(12, np.nan), "sample_weight contains NaN"),
    ],
)
def test_bad_sample_weights_are_refused(kind, weight, message):
    for arguments in (
        {"sample_weight": weight},
        {"X_val": X, "y_val": Y[kind], "sample_weight_val": weight},
    ):
        with pytest.raises(ValueError, match=message):
            tiny(kind).fit(X, Y[kind], **arguments)


@pytest.mark.parametrize(
    "weight",
    [
        {0: 0, 1: 0},
        {0: -1, 1: 3},
    ],
)
def test_class_weights_must_leave_something_to_learn(weight):
    with pytest.raises(ValueError, match="class_weight,? must be"):
        tiny(RNNClassifier, class_weight=weight).fit(X, LABELS)


def test_class_weight_for_unknown_classes_is_refused():
    with pytest.raises(ValueError, match=r"are not in class_weight"):
        tiny(RNNClassifier, class_weight={5: 1.0}).fit(X, LABELS)


def test_class_weight_may_name_classes_that_a_part_of_the_data_lacks():
    """A dict is checked against all classes, not against those of one call."""
    est = tiny(RNNClassifier, class_weight={0: 2.0})
    est.partial_fit(X, LABELS).partial_fit(X, np.ones(12, dtype=int))
    est.fit(X, LABELS, X_val=X, y_val=np.ones(12, dtype=int))
    assert len(est.validation_loss_curve_) == 1


def test_infinite_weights_are_refused():
    message = "sample_weight, times class_weight, .*got a largest of inf"
    with pytest.raises(ValueError, match=message):
        tiny(RNNRegressor).fit(X, VALUES, np.inf)
    est = tiny(RNNClassifier, class_weight={0: 1e200, 1: 1e200})
    with pytest.raises(ValueError, match=message):
        est.fit(X, LABELS, np.full(12, 1e200))


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_a_mask_is_never_ignored(name):
    masked = np.ma.MaskedArray(np.ones(12), mask=np.arange(12) == 3)
    arguments = {"y": VALUES, name: masked}
    with pytest.raises(ValueError, match=f"^{name} must not be a masked array"):
        tiny(RNNRegressor).fit(X, **arguments)


# Validation data


@both
def test_validation_data_must_be_complete(kind):
    y = Y[kind]

    def check(message, **given):
        with pytest.raises(ValueError, match=message):
            tiny(kind).fit(X, y, **given)

    check("X_val and y_val must be given together, .*got no y_val", X_val=X)
    check("X_val and y_val must be given together, .*got no X_val", y_val=y)
    check(
        "inconsistent .* samples: X_val holds 12 sequences and y_val 3 targets",
        X_val=X,
        y_val=y[:3],
    )
    wide = [np.ones((3, 5))]
    refused = r"X_val was refused: X must have 2 feature\(s\) per step"
    check(refused, X_val=wide, y_val=y[:1])


@both
def test_validation_weights_without_validation_data_are_refused(kind):
    with pytest.raises(ValueError, match="sample_weight_val"):
        tiny(kind).fit(X, Y[kind], sample_weight_val=np.ones(12))


def test_validation_labels_must_be_known():
    message = r"must hold the classes \[0, 1\] only, got \[2\]"
    with pytest.raises(ValueError, match=message):
        tiny(RNNClassifier).fit(X, LABELS, X_val=X, y_val=LABELS + 1)


def test_weights_that_all_fall_to_the_validation_data_are_refused():
    """Whatever the split: the rest must keep a positive weight."""
    est = tiny(RNNRegressor, early_stopping=True, validation_fraction=0.75)
    weight = np.r_[1.0, np.zeros(11)]
    message = "early_stopping=True cannot set aside .* of 1 sequences"
    for seed in range(3):
        with pytest.raises(ValueError, match=message):
            est.set_params(random_state=seed).fit(X, VALUES, weight)


@pytest.mark.parametrize(
    ("name", "bad", "message"),
    [
        (
            "X_val",
            [np.full((2, 2), NAN)],
            r"^X_val was refused: X\[0\] has NaN at step",
        ),
        ("X_val", csr_array(np.eye(2)), "^X_val was refused: Sparse data was passed"),
        ("y_val", LABELS[:5] + 0.5, "^y_val was refused: Mix type of y"),
        (
            "sample_weight_val",
            -np.ones(12),
            "^sample_weight_val was refused: sample_we",
        ),
    ],
)
def test_validation_data_are_refused_by_their_own_names(name, bad, message):
    good = {"X_val": X, "y_val": LABELS, "sample_weight_val": np.ones(12)}
    with pytest.raises((ValueError, TypeError), match=message):
        tiny(RNNClassifier).fit(X, LABELS, **{**good, name: bad})


SPLITS = [
    (RNNRegressor, VALUES[:1], 0.1, "train set will be empty"),
    (RNNRegressor, VALUES, 0.99, "train set will be empty"),
    (RNNClassifier, np.arange(12) == 3, 0.5, "only 1 member"),
    (RNNClassifier, np.arange(12) % 3, 0.1, "test_size = 2 should be greater"),
]


@pytest.mark.parametrize(("kind", "y", "fraction", "reason"), SPLITS)
def test_a_split_that_cannot_be_made_names_the_parameters(kind, y, fraction, reason):
    est = tiny(kind, early_stopping=True, validation_fraction=fraction)
    message = (
        "^early_stopping=True cannot set aside the share validation_fraction="
        rf"{fraction} of {len(y)} sequences: .*{reason}.* Give X_val and y_val, more"
    )
    with pytest.raises(ValueError, match=message):
        est.fit(X[: len(y)], y)
    assert not hasattr(est, "theta_")


# Classes


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (3, "classes was refused: .*1d array"),
        ([[0, 1], [2, 3]], "classes was refused: .*1d array"),
        (np.array([0, "a"], object), "classes was refused"),
        ([0.0, NAN], "classes was refused: Input contains NaN"),
        ([0, 2], r"y must hold the classes \[0, 2\] only, got \[1\]"),
        (["0", "1"], "y was refused: Mix of label input types"),
    ],
)
def test_classes_that_cannot_be_used_are_refused(classes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tiny(RNNClassifier).partial_fit(X, LABELS, classes=classes)
    est = tiny(RNNClassifier).fit(X, LABELS)
    with pytest.raises((ValueError, TypeError), match="classes (was|must)"):
        est.partial_fit(X, LABELS, classes=classes)


def test_later_labels_are_not_rounded_or_converted():
    """What is neither 0 nor 1 is no indicator, and text is no number."""
    y = np.eye(3, dtype=int)[np.arange(12) % 3]
    est = tiny(RNNClassifier).fit(X, y)
    with pytest.raises(ValueError, match=r"y\[0\] must be 0 or 1, got 0.5"):
        est.partial_fit(X, y / 2)
    with pytest.raises(ValueError, match=r"y_val was refused: y\[0\] must be 0 or 1"):
        est.fit(X, y, X_val=X, y_val=y / 2)
    est = tiny(RNNClassifier).fit(X, LABELS)
    with pytest.raises(ValueError, match="y was refused: Mix of label input types"):
        est.partial_fit(X, LABELS.astype(str))


# Values too large


def test_values_that_float32_cannot_hold_are_refused():
    est = tiny(RNNRegressor, dtype="float32")
    large = [*X[:7], np.array([[0.0, 1.0], [2.0, -1e39]]), *X[8:]]
    message = r"^X\[7\] has values of up to 1e\+39, too large for float32, .*; scale X"
    for call in (est.fit, est.fit(X, VALUES).score):
        with pytest.raises(ValueError, match=message):
            call(large, VALUES)
    with pytest.raises(
        ValueError, match=r"^X_val was refused: X\[7\] has values of up to 1e\+39"
    ):
        est.fit(X, VALUES, X_val=large, y_val=VALUES)
    assert np.isfinite(tiny(RNNRegressor).fit(X, VALUES).predict(large)).all()


def test_an_output_that_overflows_is_refused():
    """No method answers with infinity or NaN."""
    est = tiny(RNNRegressor, cell="rnn", activation="relu")
    est.fit(np.ones((12, 3, 2)), VALUES).theta_[:] = 1e200
    ones = np.ones((2, 3, 2))
    for method in (est.predict, est.hidden_states):
        with pytest.raises(
            ValueError, match=r"^X\[0\] makes the network overflow: its"
        ):
            method(ones)
    with pytest.raises(ValueError, match=r"^X\[0\] makes the network overflow: its"):
        est.hidden_states(ones, return_sequences=True)
    message = "^x_t makes the network overflow in stream 0: its output"
    with pytest.raises(ValueError, match=message):
        est.step(ones[:, 0])


def test_targets_without_a_finite_mean_are_refused():
    with pytest.raises(
        ValueError, match="^y must be of a size that float64 can compute with"
    ):
        tiny(RNNRegressor).fit(X, np.full(12, 1.7e308))
    with pytest.raises(
        ValueError, match="^y must be of a size that float32 can compute with"
    ):
        tiny(RNNRegressor, dtype="float32").fit(X, np.full(12, 1e39))


# Cells of the user


class Leaky(Cell):
    """A correct cell: a leaky mean of the input."""

    x_gates = ("a",)
    h_gates = ("a",)
    taped = ("k",)

    @staticmethod
    def forward(ax, ah, carry, unit):
        k = sigmoid(ah[0])
        return (carry[0] + k * (ax[0] - carry[0]),), (k,)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        k = tape[0]
        return (d_carry[0] * k,), (0.0,), (d_carry[0] * (1.0 - k),), ()


def test_a_cell_of_the_user_is_taken():
    assert tiny(RNNRegressor, cell=Leaky()).fit(X, VALUES).predict(X).shape == (12,)


@both
@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"x_gates": tuple("abcdefg")},
            "x_gates of Broken must be a tuple of at most 6",
        ),
        ({"carried": ("c", "h")}, "carried of Broken must begin with 'h', the output"),
        (
            {"taped": ()},
            r"forward of Broken must return tape with one value for each of",
        ),
        ({"forward": Cell.forward}, "a cell must define `forward`"),
    ],
)
def test_a_cell_that_contradicts_itself_is_refused(kind, members, message):
    """By fit, before anything is compiled, with the name of the part that is wrong."""
    members = {k: staticmethod(v) if callable(v) else v for k, v in members.items()}
    cell = type("Broken", (Leaky,), members)()
    with pytest.raises((ValueError, NotImplementedError), match=message):
        tiny(kind, cell=cell).fit(X, Y[kind])


@both
def test_a_target_for_each_step_is_refused(kind):
    """A likely mistake, which NumPy answers with a word about its own shapes."""
    with pytest.raises(ValueError, match="a target for each step is for RNNTagger"):
        tiny(kind).fit(X, [np.zeros(len(x)) for x in X])


class Brief(RNNClassifier):
    def __init__(self, max_iter=1):
        super().__init__((2,), max_iter=max_iter)


def test_a_subclass_may_take_fewer_parameters():
    assert Brief().fit(X, LABELS).predict(X).shape == LABELS.shape
    with pytest.raises(
        ValueError, match="max_iter must be an integer >= 1, got 0 in B"
    ):
        Brief(max_iter=0).fit(X, LABELS)


def test_records_are_no_labels():
    for records in (np.zeros(len(X), [("a", "f4")]), np.zeros(len(X), "V4")):
        with pytest.raises(TypeError, match="y must hold str or numbers, got records"):
            tiny(RNNClassifier).fit(X, records)


def test_bytes_are_no_labels():
    with pytest.raises(TypeError, match="y must hold str or numbers, got bytes"):
        tiny(RNNClassifier).fit(X, LABELS.astype("S1"))
    several = np.eye(3, dtype=int)[LABELS]
    with pytest.raises(ValueError, match="y_val was .* must be numeric, got"):
        tiny(RNNClassifier).fit(X, several, X_val=X, y_val=several.astype("S1"))
