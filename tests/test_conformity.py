"""The estimators keep scikit-learn's conventions, on tables and on sequences."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from ragged_checks import (
    ArrayClassifier,
    ArrayRegressor,
    LastNumber,
    LastTag,
    PaddedClassifier,
    PaddedRegressor,
    RaggedClassifier,
    RaggedRegressor,
    run_checks,
)
from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_regressor_multioutput,
)

import skrnn
from skrnn import RNNClassifier, RNNRegressor
from skrnn.cells import LSTM, RNN
from skrnn.datasets import make_adding_problem, make_switching_sines
from skrnn.optimizers import SGD, Adam

KINDS = [RNNClassifier, RNNRegressor]
both = pytest.mark.parametrize("kind", KINDS)

# The checks fit random labels and large values, and may be warned about them.
may_warn = pytest.mark.filterwarnings("ignore::UserWarning")

WEIGHTS = "check_sample_weight_equivalence_on_dense_data"
SMALL = {
    "hidden_layer_sizes": (16,),
    "cell": "rnn",
    "learning_rate_init": 0.05,
    "max_iter": 25,
}
VARIANTS = {
    "two directions": (
        RNNClassifier(
            (8,),
            "lstm",
            bidirectional=True,
            pooling="attention",
            learning_rate_init=0.05,
            max_iter=15,
        ),
        {},
    ),
    "two levels in chunks": (
        RNNClassifier(
            (8, 8),
            "indrnn",
            bptt_steps=3,
            learning_rate="onecycle",
            learning_rate_init=0.05,
            max_iter=15,
            n_jobs=2,
        ),
        {},
    ),
    # Each iteration magnifies rounding; after 30 it has exceeded the 1e-7 at which
    # weights are compared with repeated rows.
    "full batch of labels": (RNNClassifier((16,), solver="lbfgs", max_iter=20), {}),
    "full batch of values": (RNNRegressor((16,), solver="lbfgs", max_iter=40), {}),
    "early stopping by score": (
        RNNClassifier(
            **SMALL, early_stopping=True, validation_fraction=0.34, scoring="accuracy"
        ),
        {WEIGHTS: "which rows are set aside depends on their number"},
    ),
    "early stopping by loss": (
        RNNRegressor(**SMALL, early_stopping=True, n_iter_no_change=50),
        {WEIGHTS: "which rows are set aside depends on their number"},
    ),
    "dropout in float32": (
        RNNRegressor(
            **{**SMALL, "learning_rate_init": 0.02},
            dropout=0.1,
            recurrent_dropout=0.1,
            dtype="float32",
        ),
        {WEIGHTS: "each repeated row draws a mask of its own"},
    ),
}

ON_SEQUENCES = [
    LastTag,
    pytest.param(LastNumber, marks=pytest.mark.slow),
    ArrayClassifier,
    ArrayRegressor,
    PaddedClassifier,
    PaddedRegressor,
    RaggedClassifier,
    RaggedRegressor,
]
OF_TABLES_ONLY = {
    "check_n_features_in": "n_features_in_ is the width of a table",
    "check_n_features_in_after_fitting": "n_features_in_ is the width of a table",
    "check_estimators_empty_data_messages": "the message names a step, no column",
    "check_dtype_object": "a ValueError names the sequence, a TypeError could not",
}
OF_STEPS = {
    "check_supervised_y_2d": "a column of targets is right for steps, and no warning"
}


def n_checks(estimator):
    """How many checks there are for `estimator`, in scikit-learn 1.6 to 1.9."""
    return 65 if is_classifier(estimator) else 58


@may_warn
@pytest.mark.heavy
@both
def test_all_checks_pass_with_default_parameters(kind):
    assert run_checks(kind(), {}) >= n_checks(kind())


@may_warn
@pytest.mark.heavy
@pytest.mark.parametrize(("estimator", "excluded"), VARIANTS.values(), ids=VARIANTS)
def test_all_checks_pass_with_other_parameters(estimator, excluded):
    n_passed = run_checks(estimator, excluded)
    assert n_passed + len(excluded) >= n_checks(estimator)


@may_warn
@pytest.mark.heavy
@pytest.mark.parametrize("kind", ON_SEQUENCES)
def test_all_checks_pass_on_sequences(kind):
    """On 3-D arrays, with padding and without, on ragged lists, and for each step."""
    of_steps = OF_STEPS if kind in (LastTag, LastNumber) else {}
    excluded = OF_TABLES_ONLY | of_steps
    n_passed = run_checks(kind(**SMALL), excluded)
    assert n_passed + len(excluded) >= n_checks(kind())


@may_warn
@pytest.mark.parametrize("kind", ON_SEQUENCES)
def test_the_checks_above_see_sequences(kind):
    table = np.random.default_rng(0).standard_normal((20, 3))
    est = kind((2,), max_iter=1).fit(table, np.arange(20) % 2)
    assert est.n_step_features_in_ == 3 and not hasattr(est, "n_features_in_")
    steps = [len(rows) for rows in est.hidden_states(table, return_sequences=True)]
    assert set(steps) == ({2} if "Array" in kind.__name__ else {1, 2, 3})


@pytest.mark.heavy
@may_warn
@both
def test_columns_keep_their_names(kind):
    check_dataframe_column_names_consistency(kind.__name__, kind((2,), max_iter=1))


def test_several_outputs_pass_their_check():
    check_regressor_multioutput("RNNRegressor", RNNRegressor((2,), max_iter=1))


# Parameters


OTHERS = {
    "hidden_layer_sizes": (3, 2),
    "cell": LSTM(),
    "bidirectional": True,
    "activation": "relu",
    "pooling": "mean",
    "dropout": 0.1,
    "recurrent_dropout": 0.2,
    "alpha": 0.3,
    "max_grad_norm": None,
    "solver": SGD(momentum=0.5),
    "batch_size": 7,
    "learning_rate": "adaptive",
    "learning_rate_init": 0.1,
    "max_iter": 3,
    "bptt_steps": 5,
    "shuffle": False,
    "random_state": 1,
    "tol": 0.01,
    "verbose": True,
    "warm_start": True,
    "early_stopping": True,
    "validation_fraction": 0.2,
    "n_iter_no_change": 2,
    "embedding_dim": 3,
    "embedding_weights": ((1.0, 2.0, 3.0),),
    "embedding_trainable": False,
    "scoring": "r2",
    "dtype": "float32",
    "n_jobs": 2,
}
OTHERS_OF = {
    RNNClassifier: {**OTHERS, "class_weight": "balanced"},
    RNNRegressor: {
        **OTHERS,
        "loss": "quantile",
        "quantiles": (0.1, 0.9),
        "huber_delta": 2.0,
    },
}


def shallow(estimator):
    return estimator.get_params(deep=False)


@both
def test_every_parameter_survives_init_set_params_and_clone(kind):
    others, defaults = OTHERS_OF[kind], shallow(kind())
    assert others.keys() == defaults.keys()
    assert all(repr(others[name]) != repr(defaults[name]) for name in others)
    made = kind(**others)
    assert shallow(made) == others == shallow(kind().set_params(**others))
    assert repr(sorted(shallow(clone(made)).items())) == repr(sorted(others.items()))
    assert shallow(clone(made).set_params(**defaults)) == defaults


@both
def test_parameters_of_parts_have_their_own_names(kind):
    est = kind(cell=RNN(), solver=Adam())
    assert est.get_params()["cell__activation"] == "tanh"
    est.set_params(cell__activation="relu", solver__beta_2=0.9)
    assert est.cell.activation == "relu" and est.solver.beta_2 == 0.9


@both
def test_repr_is_the_code_that_makes_the_estimator(kind):
    assert repr(kind()) == f"{kind.__name__}()"
    est = kind((3,), "lstm", solver=SGD(nesterov=False), alpha=0.5)
    text = repr(est)
    assert repr(eval(text, {**globals(), kind.__name__: kind})) == text
    assert "nesterov=False" in text and "dropout" not in text


def test_html_shows_parameters_and_whether_fitted():
    pipe = make_pipeline(FunctionTransformer(), RNNClassifier((2,), max_iter=1))
    html = estimator_html_repr(pipe)
    assert "RNNClassifier" in html and "Not fitted" in html
    X, y = make_switching_sines(10, n_timesteps=8, random_state=0)
    fitted = estimator_html_repr(pipe.fit(X, y))
    assert "Not fitted" not in fitted and "max_iter" in fitted


# Tags and metadata


@both
def test_tags_tell_what_is_taken(kind):
    tags = get_tags(kind())
    assert tags.input_tags.two_d_array and tags.input_tags.three_d_array
    assert not tags.input_tags.sparse and not tags.input_tags.allow_nan
    assert tags.target_tags.required and not tags.non_deterministic
    if kind is RNNClassifier:
        assert tags.classifier_tags.multi_class and tags.classifier_tags.multi_label


@both
def test_metadata_can_be_requested_by_name(kind):
    of_fit = dict.fromkeys(("sample_weight", "X_val", "y_val", "sample_weight_val"))
    of_partial_fit = dict.fromkeys(("sample_weight", "classes"))
    if kind is RNNRegressor:
        del of_partial_fit["classes"]
    routing = kind().get_metadata_routing()
    assert routing.fit.requests == of_fit
    assert routing.partial_fit.requests == of_partial_fit
    assert routing.score.requests == {"sample_weight": None}
    assert routing.predict.requests == {}


# Saved estimators


def saved_case(kind):
    """A small network of that kind, and data for it."""
    if kind is RNNClassifier:
        data = make_switching_sines(12, n_timesteps=(8, 12), random_state=0)
    else:
        data = make_adding_problem(12, n_timesteps=(8, 12), random_state=0)
    params = {"bidirectional": True, "pooling": "attention", "solver": Adam()}
    return kind((3,), random_state=0, max_iter=2, **params), *data


@both
def test_a_pickled_estimator_predicts_and_goes_on_as_before(kind):
    """The optimiser's state is saved too: the next epoch has the same bits."""
    est, X, y = saved_case(kind)
    est.partial_fit(X, y).partial_fit(X, y)
    twin = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(twin.predict(X), est.predict(X))
    np.testing.assert_array_equal(
        twin.partial_fit(X, y).theta_, est.partial_fit(X, y).theta_
    )


LOAD_AND_PREDICT = """
import sys
import joblib
model, X = joblib.load(sys.argv[1])
outputs = [model.predict(X), model.hidden_states(X), *model.attention_weights(X)]
joblib.dump(outputs, sys.argv[2])
"""


@pytest.mark.heavy
@both
def test_a_new_process_loads_and_predicts_the_same_bits(kind, tmp_path):
    est, X, y = saved_case(kind)
    est.fit(X, y)
    joblib.dump((est, X), tmp_path / "model.joblib")
    here = Path(skrnn.__file__).parents[1]
    subprocess.run(
        [
            *(sys.executable, "-c", LOAD_AND_PREDICT),
            *(tmp_path / "model.joblib", tmp_path / "outputs.joblib"),
        ],
        env={**os.environ, "PYTHONPATH": str(here)},
        check=True,
    )
    loaded = joblib.load(tmp_path / "outputs.joblib")
    here = [est.predict(X), est.hidden_states(X), *est.attention_weights(X)]
    assert len(loaded) == len(here) == 2 + len(X)
    for got, expected in zip(loaded, here, strict=True):
        np.testing.assert_array_equal(got, expected)


@both
def test_a_memory_mapped_estimator_predicts(kind, tmp_path):
    """As joblib's workers get it: with read-only weights."""
    est, X, y = saved_case(kind)
    joblib.dump(est.fit(X, y), tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert not mapped.theta_.flags.writeable
    np.testing.assert_array_equal(mapped.predict(X), est.predict(X))
    grown = mapped.partial_fit(X, y)
    np.testing.assert_array_equal(grown.theta_, est.partial_fit(X, y).theta_)


@both
def test_nothing_compiled_hangs_on_a_fitted_estimator(kind):
    """So that it can be pickled, and read by any library that stores models."""
    est, X, y = saved_case(kind)
    plain = (np.ndarray, np.generic, int, float, str, bool, type(None), Adam)
    kinds = {type(value) for value in leaves(vars(est.fit(X, y)))}
    others = {kind for kind in kinds if not issubclass(kind, plain)}
    assert {kind.__module__.split(".")[0] for kind in others} <= {"skrnn"}
    assert len(pickle.dumps(est)) < 8 * est.theta_.nbytes + 4000


def leaves(value):
    """All that is in a nest of dicts, lists and tuples."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    else:
        yield value
