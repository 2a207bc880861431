"""Pickled estimators: who wrote them, whether they are whole, and where they load."""

import copy
import io
import itertools
import json
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import skrnn
from skrnn import RNNClassifier, RNNRegressor, RNNSequenceRegressor, RNNTagger
from skrnn.cells import CELLS, GRU, LSTM
from skrnn.estimators.state import ADDED, FORMAT
from skrnn.optimizers import SGD, Adam
from skrnn.persistence import VersionWarning

HERE = Path(__file__).parent
X = [np.random.default_rng(i).standard_normal((1 + i % 4, 2)) for i in range(12)]
LABELS = np.array(["calm", "rising", "stormy"])[np.arange(12) % 3]
SETS = np.array([[i % 2, i % 3 == 0] for i in range(12)], int)
SUMS = np.array([x.sum() for x in X])
TAGS = [np.resize(LABELS[i % 3 :], len(x)) for i, x in enumerate(X)]

CASES = {
    **{cell: (RNNClassifier(cell=cell), LABELS) for cell in CELLS},
    "two classes": (RNNClassifier(cell=LSTM(), class_weight="balanced"), LABELS < "d"),
    "several labels": (RNNClassifier(pooling="mean", dtype="float32"), SETS),
    "attention": (
        RNNClassifier((3, 2), bidirectional=True, pooling="attention"),
        LABELS,
    ),
    "numbers": (RNNRegressor(solver=SGD()), SUMS),
    "rows of numbers": (RNNRegressor(bptt_steps=2, solver="lbfgs"), SETS + 0.5),
    "huber": (RNNRegressor(loss="huber", huber_delta=0.3), SUMS),
    "quantiles": (RNNRegressor(loss="quantile", quantiles=(0.1, 0.5, 0.9)), SUMS),
    "tags": (RNNTagger(bidirectional=True, ignored_label="calm"), TAGS),
    "chain": (RNNTagger(crf=True, dtype="float32"), TAGS),
    "rolls": (RNNTagger(cell="rnn"), [(x > 0).astype(int) for x in X]),
    "steps": (RNNSequenceRegressor(loss="poisson"), [abs(x) for x in X]),
    "scored": (
        RNNRegressor(early_stopping=True, scoring="r2", validation_fraction=0.3),
        SUMS,
    ),
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
each_case = pytest.mark.parametrize("case", CASES)


def fitted(case):
    est, y = CASES[case]
    small = {"hidden_layer_sizes": (3,)} if case != "attention" else {}
    est = clone(est).set_params(max_iter=2, random_state=0, **small)
    return est.fit(X, y)


def outputs(est):
    """All that a fitted estimator answers, as a list of arrays."""
    found = [est.predict(X), est.hidden_states(X)]
    if hasattr(est, "predict_proba"):
        found += [est.predict_proba(X), est.predict_log_proba(X)]
    if est.pooling == "attention":
        found.append(est.attention_weights(X))
    return list(itertools.chain(*map(as_list, found)))


def as_list(answer):
    return answer if isinstance(answer, list) else [answer]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def through_pickle(est, protocol=pickle.HIGHEST_PROTOCOL):
    return pickle.loads(pickle.dumps(est, protocol))


def through_joblib(est, **options):
    file = io.BytesIO()
    joblib.dump(est, file, **options)
    file.seek(0)
    return joblib.load(file)


# There and back


@each_case
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_brings_back_the_same_bits(case, protocol):
    est = fitted(case)
    assert_same(outputs(through_pickle(est, protocol)), outputs(est))


@pytest.mark.parametrize("compress", [0, "zlib", ("gzip", 9), "lz4"])
def test_joblib_compressed_or_not_brings_back_the_same_bits(compress):
    if compress == "lz4":
        pytest.importorskip("lz4")
    est = fitted("attention")
    assert_same(outputs(through_joblib(est, compress=compress)), outputs(est))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, through_pickle])
@pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor])
def test_an_estimator_that_was_not_fitted_is_copied(kind, duplicate):
    est = kind((3,), cell=LSTM(), solver=Adam(beta_1=0.5), alpha="not yet valid")
    twin = duplicate(est)
    assert repr(twin.get_params()) == repr(est.get_params())
    assert vars(twin).keys() == vars(est).keys()


def test_copies_keep_what_a_fit_left():
    est = fitted("attention")
    for duplicate in (copy.copy, copy.deepcopy, through_pickle):
        assert_same(outputs(duplicate(est)), outputs(est))
    assert copy.copy(est).theta_ is est.theta_
    assert not hasattr(clone(est), "theta_")


class Named(RNNClassifier):
    """A user's estimator, with attributes of its own."""

    def fit(self, X, y):
        super().fit(X, y)
        self.labels_seen_, self.note = sorted(set(y)), "first try"
        return self


def test_a_subclass_of_the_user_keeps_its_own_attributes():
    est = Named((2,), max_iter=1).fit(X, LABELS)
    twin = through_pickle(est)
    assert (twin.note, twin.labels_seen_) == ("first try", est.labels_seen_)
    assert_same(outputs(twin), outputs(est))


def test_a_scorer_sees_a_whole_estimator_in_each_epoch_of_a_second_fit():
    """While other classes are being fitted, the estimator itself is half old."""
    seen = []

    def score(est, X, y):
        seen.append(copy.deepcopy(est).predict(X))
        return 0

    est = fitted("two classes").set_params(early_stopping=True, scoring=score)
    est.set_params(validation_fraction=0.3).fit(X, LABELS)
    assert len(seen) == 2 and set(np.concatenate(seen)) <= set(LABELS)
    assert type(est.validation_scores_[0]) is float


# A new process

LOAD = """
import pickle, sys, warnings
warnings.simplefilter("error", UserWarning)
import joblib
if sys.argv[1].endswith(".skrnn"):
    import skrnn
    models = [skrnn.load(path) for path in sys.argv[2:]]
else:
    models = joblib.load(sys.argv[1])
assert "numba" not in sys.modules, "numba was imported"
"""
ANSWER = """
from test_state import outputs
print(json.dumps([[a.tolist() for a in outputs(model)] for model in models]))
"""


def run_python(script, *arguments):
    """What a new process prints that finds this library and these tests."""
    folders = Path(skrnn.__file__).parents[1], HERE
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.heavy
def test_a_new_process_loads_without_numba_and_answers_the_same_bits(tmp_path):
    """Every cell and kind at once; the cell of a user comes from its own module."""
    from own_cell import Leaky

    models = [fitted(case) for case in CASES]
    models.append(RNNRegressor((3,), cell=Leaky(0.3), max_iter=1).fit(X, SUMS))
    joblib.dump(models, tmp_path / "models", compress=3)
    printed = json.loads(run_python(f"import json{LOAD}{ANSWER}", tmp_path / "models"))
    for found, est in zip(printed, models, strict=True):
        expected = [array.tolist() for array in outputs(est)]
        assert found == expected, est


# Versions


def saved_as(est, **signature):
    """The state of an estimator, as another version would have written it."""
    return {**est.__getstate__(), **{f"_skrnn_{k}": v for k, v in signature.items()}}


def restored(kind, state):
    est = kind.__new__(kind)
    est.__setstate__(state)
    return est


def test_a_state_names_its_format_and_version():
    state = RNNClassifier().__getstate__()
    assert state["_skrnn_format"] == FORMAT == 1
    assert state["_skrnn_version"] == skrnn.__version__
    assert not {
        name for name in vars(through_pickle(RNNClassifier())) if "skrnn" in name
    }


@pytest.mark.parametrize("case", ["gru", "numbers"])
def test_a_state_without_what_was_added_to_the_format_is_completed(case):
    """Models of before there were losses with parameters of their own."""
    est = fitted(case)
    state = est.__getstate__()
    state["_architecture_"] = dict(state["_architecture_"])
    del state["_architecture_"]["n_own_rows"]
    twin = restored(type(est), state)
    assert_same(outputs(twin), outputs(est))
    est, y = fitted(case), CASES[case][1]
    for one in (est, twin):
        one.set_params(warm_start=True).fit(X, y)
    assert_same(outputs(twin), outputs(est))


def test_a_chain_must_have_the_rows_that_its_loss_needs():
    est = fitted("chain")
    state = est.__getstate__()
    state["_architecture_"] = {**state["_architecture_"], "n_own_rows": 0}
    with pytest.raises(ValueError, match="theta_ must be a contiguous array of shape"):
        restored(type(est), state)
    state["_loss_parameters_"] = {"crf": False}
    state["_architecture_"]["n_own_rows"] = 5
    with pytest.raises(ValueError, match="'n_own_rows' must be 0, as the loss needs"):
        restored(type(est), state)


@pytest.mark.parametrize("case", ["gru", "numbers"])
def test_another_version_of_skrnn_gives_one_warning_that_names_both(case):
    est = fitted(case)
    with pytest.warns(VersionWarning) as caught:
        twin = restored(type(est), saved_as(est, version="0.0.9"))
    assert len(caught) == 1
    message = str(caught[0].message)
    assert type(est).__name__ in message
    assert "0.0.9" in message and skrnn.__version__ in message
    assert caught[0].filename == __file__
    assert_same(outputs(twin), outputs(est))


def test_the_same_version_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        through_pickle(fitted("gru"))


@pytest.mark.parametrize("number", [0, FORMAT + 1, 10**9])
def test_another_format_is_refused_with_what_to_do(number):
    state = saved_as(RNNClassifier(), format=number, version="7.1.0")
    message = rf"RNNClassifier has format {number}, .* Load it with skrnn 7\.1\.0\."
    with pytest.raises(ValueError, match=message):
        restored(RNNClassifier, state)


@pytest.mark.parametrize(
    "signature",
    [{"format": None}, {"format": "1"}, {"format": True}, {"format": 1.0}]
    + [{"version": None}, {"version": 1}],
)
def test_a_state_that_does_not_say_who_wrote_it_is_refused(signature):
    with pytest.raises(ValueError, match="does not say which version of skrnn wrote"):
        restored(RNNRegressor, saved_as(RNNRegressor(), **signature))


def test_a_state_of_before_there_were_formats_is_refused():
    for state in (vars(RNNRegressor()), {}, None, [1]):
        with pytest.raises(ValueError, match="does not say which version"):
            restored(RNNRegressor, state)


# Damaged states

NAN = float("nan")
ANY = [None, "x", -1, 2.5, [], {}, NAN, b"", True]


def architecture(**changes):
    return lambda old: {**old, **changes}


def without(name):
    return lambda old: {k: v for k, v in old.items() if k != name}


class Unsound(GRU):
    x_gates = ("r", "z", "n", "more")


def wrong_gates(cell):
    cell = copy.copy(cell)
    cell.h_gates = ("r",)
    return cell


def in_theta(change):
    def changed(theta):
        theta = theta.copy()
        change(theta)
        return theta

    return changed


HUGE = 2**40
THETA = [
    np.ndarray.tolist,
    lambda t: t[:-1],
    lambda t: t[:0],
    lambda t: np.append(t, 0.0),
    lambda t: t[:, None],
    lambda t: t.astype("float32"),
    lambda t: t.astype(">f8"),
    lambda t: t.astype("int64"),
    lambda t: t.astype(object),
    lambda t: np.repeat(t, 2)[::2],
    in_theta(lambda t: t.__setitem__(0, np.nan)),
    in_theta(lambda t: t.__setitem__(-1, np.inf)),
    None,
    0,
]
ARCHITECTURES = [
    *ANY,
    without("n_raw"),
    architecture(more=1),
    *(architecture(n_inputs=n) for n in (0, -1, 3, HUGE, 2.0, np.int64(2), "2", True)),
    *(architecture(n_raw=n) for n in (0, 1, 4, HUGE, None, np.int64(3))),
    *(
        architecture(hidden_layer_sizes=sizes)
        for sizes in [(), [3], (3, 3), (2,), (4,), (-3,), (0,), (3.0,), 3, None]
        + [(HUGE,), (np.int64(3),), (1,) * 1001, (2**62, 2**62), "3", ((3,),)]
    ),
    *(architecture(bidirectional=b) for b in (True, None, 1)),
    *(architecture(pooling=p) for p in ("attention", "sum", None, ["last"])),
    *(architecture(dtype=d) for d in ("float32", "float16", "<f8", None, float)),
    *(architecture(bptt_steps=n) for n in (0, -1, 1.5, "1")),
]
CELL = [*ANY, GRU, "gru", LSTM(), CELLS["rnn"]("cube"), Unsound(), wrong_gates]
CURVES = [None, "ab", 3, [None], ["1"], (1.0, 2.0), [1.0], [[1.0]]]
OPTIMIZER = [
    "adam",
    [],
    {},
    {"t": 1},
    without("t"),
    without("m"),
    architecture(more=1),
    *(architecture(t=t) for t in (-1, 1.0, None, np.int64(1))),
    *(architecture(m=m) for m in (None, np.zeros(3), [0.0], 0.0)),
    lambda s: {**s, "v": s["v"].astype("float32")},
    lambda s: {**s, "v": np.repeat(s["v"], 2)[::2]},
]
# For the classifier of three classes and the regressor: attribute, damages.
DAMAGES = {
    "gru": {
        "theta_": THETA,
        "_architecture_": ARCHITECTURES,
        "cell_": CELL,
        "_optimizer_state_": OPTIMIZER,
        "classes_": [
            *ANY,
            lambda c: c[:2],
            lambda c: np.append(c, "w"),
            np.ndarray.tolist,
        ]
        + [lambda c: c[::-1], lambda c: c[:, None], lambda c: c[[0, 0, 1]]]
        + [np.array([1, "a", None], object), lambda c: c[:0]],
        "_multilabel_": [None, 0, 1, "no", True],
        "_class_weights_": ["balanced", {}, [None], [[1.0]], [np.ones((2, 2))]],
        "_loss_parameters_": [None, [], {"loss": "huber"}, "squared_error"],
        "out_activation_": [None, 1, "tanh", "logistic"],
        "n_step_features_in_": [None, 0, 1, 3, 2.0, HUGE],
        "n_features_in_": [None, 0, "2"],
        "feature_names_in_": [None, "ab", ["a"], np.array([1, 2]), np.array(["a"])],
        "loss_curve_": CURVES,
        "validation_loss_curve_": CURVES[1:6],
        "validation_scores_": CURVES[1:6],
        **dict.fromkeys(("loss_", "best_loss_"), [None, "1", [1.0]]),
        **dict.fromkeys(("best_iter_",), [-1, 1.5, "1"]),
        "best_validation_score_": ["1", [1]],
        **dict.fromkeys(("t_", "_seed_", "n_iter_"), [None, -1, 1.5, "1", np.int64(3)]),
        **dict.fromkeys(
            ("n_layers_", "n_outputs_", "n_parameters_"), [None, 0, 9, "3"]
        ),
        "_solver_name_": [None, 1],
    },
    "quantiles": {
        "_flat_y_": [None, 1, "yes"],
        "_n_targets_": [None, 0, 2, 1.0, HUGE, True],
        "_loss_parameters_": [
            None,
            {},
            {"loss": "log"},
            {"loss": ["quantile"]},
            without("quantiles"),
            architecture(huber_delta=1.0),
            *(
                architecture(quantiles=q)
                for q in (None, [], 0, 1.0, [0.5, 0.1, 0.9], [0.1, NAN, 0.9], "0.5")
            ),
            architecture(quantiles=[0.1, 0.9]),
            {"loss": "squared_error"},
        ],
        "n_outputs_": [1, 2],
        "theta_": [lambda t: t[:-1]],
    },
    "huber": {
        "_loss_parameters_": [
            {"loss": "huber", "huber_delta": d} for d in (None, "1", -1, 0.0, [], NAN)
        ]
    },
}
TABLE = [
    (case, name, i)
    for case, damages in DAMAGES.items()
    for name in damages
    for i in range(len(damages[name]))
]
MODELS = {}


def state_of(case):
    if case not in MODELS:
        MODELS[case] = fitted(case)
    return dict(MODELS[case].__getstate__())


def refuse(case, state, beginning):
    """Check that a state is refused with a message that begins so."""
    kind = type(CASES[case][0])
    est = kind.__new__(kind)
    with pytest.raises(ValueError, match=f"^({beginning})"):
        est.__setstate__(state)
    assert vars(est) == {}


@pytest.mark.parametrize(("case", "name", "i"), TABLE)
def test_a_damaged_attribute_is_refused_by_name(case, name, i):
    damage, state = DAMAGES[case][name][i], state_of(case)
    is_function = callable(damage) and not isinstance(damage, type)
    state[name] = damage(state[name]) if is_function else damage
    names = {
        "cell_": "cell_|theta_",
        "_architecture_": "_architecture_|theta_|n_step_features_in_",
        "classes_": "classes_|_architecture_ 'n_raw'",
        "_multilabel_": "_multilabel_|_architecture_ 'n_raw'|out_activation_",
        "_n_targets_": "_n_targets_|_architecture_ 'n_raw'",
        "_loss_parameters_": "_loss_parameters_|_architecture_ 'n_raw'",
        "loss_curve_": "loss_curve_|n_iter_",
    }
    refuse(case, state, f"({names.get(name, name)}) ")


def test_the_table_of_damages_is_long():
    assert len(TABLE) > 200


@pytest.mark.parametrize("case", ["gru", "quantiles"])
def test_a_missing_attribute_is_refused_by_name(case):
    """All but theta_, without which an estimator is not fitted, and what older models
    do without."""
    state = state_of(case)
    own = {"theta_", "_skrnn_format", "_skrnn_version"}
    for name in state.keys() - own - ADDED.keys():
        rest = {k: v for k, v in state.items() if k != name}
        if name in CASES[case][0].get_params(deep=False):
            refuse(case, rest, f"A constructor parameter is missing: .* '{name}'")
        else:
            refuse(case, rest, f"{name} is missing")
    unfitted = restored(
        type(CASES[case][0]), {k: state[k] for k in state if k != "theta_"}
    )
    assert not hasattr(unfitted, "theta_")


@pytest.mark.parametrize("case", ["gru", "quantiles"])
def test_what_could_not_be_loaded_is_not_saved(case):
    """So that it is found while the estimator is still there."""
    est = fitted(case)
    est.loss_curve_ = est.loss_curve_[:1]
    with pytest.raises(ValueError, match="n_iter_ must be 1"):
        pickle.dumps(est)


def test_a_solver_of_the_user_keeps_what_it_wants():
    from own_cell import Averaged

    est = RNNRegressor((2,), solver=Averaged(), max_iter=1).fit(X, SUMS)
    assert est._optimizer_state_.keys() == {"anything"}
    assert_same(outputs(through_pickle(est)), outputs(est))


# Bytes of theta at random


@pytest.mark.heavy
@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_bytes_as_weights_are_refused_or_answered(data):
    """Of any length and type: the kernels never see an array of another size."""
    state = state_of("attention")
    theta = state["theta_"]
    flips = st.lists(st.tuples(st.integers(0, theta.nbytes - 1), st.integers(1, 255)))
    raw = bytearray(theta.tobytes())
    for place, bits in data.draw(flips):
        raw[place] ^= bits
    n = data.draw(
        st.one_of(st.just(len(raw)), st.integers(0, len(raw) // 8).map(lambda k: 8 * k))
    )
    dtype = data.draw(
        st.sampled_from(["f8", "f8", "f8", "f4", "i8", ">f8", "u1", "c16"])
    )
    if n % np.dtype(dtype).itemsize:
        dtype = "f8"
    state["theta_"] = np.frombuffer(bytes(raw[:n]), dtype)
    est = RNNClassifier.__new__(RNNClassifier)
    try:
        est.__setstate__(state)
    except ValueError as error:
        assert str(error).startswith("theta_ must be")
    else:
        with np.errstate(all="ignore"):
            assert est.predict(X).shape == (12,)


# What users assign to


@pytest.mark.parametrize(
    "theta",
    [THETA[i] for i in range(len(THETA) - 2)],
)
def test_weights_that_do_not_fit_are_refused_when_used(theta):
    est = fitted("gru")
    est.theta_ = theta(est.theta_)
    for use in (est.predict, est.predict_proba, est.hidden_states):
        with pytest.raises(ValueError, match="theta_ must be"):
            use(X)
    with pytest.raises(ValueError, match="theta_ must be"):
        est.step(X[0][0])
    with pytest.raises(ValueError, match="theta_ must be"):
        est.partial_fit(X, LABELS)
    with pytest.raises(ValueError, match="theta_ must be"):
        est.set_params(warm_start=True).fit(X, LABELS)


@pytest.mark.parametrize("n_features", [1, 3, None])
def test_the_network_reads_as_many_features_as_it_was_made_for(n_features):
    """Whatever n_step_features_in_ was changed to."""
    est = fitted("gru")
    wide = [np.ones((3, n_features or 7))]
    if n_features is None:
        del est.n_step_features_in_
    else:
        est.n_step_features_in_ = n_features
    with pytest.raises(
        ValueError, match="X must have 2 feature.* as the network reads"
    ):
        est.predict(wide)


# What callbacks get


class Checkpoint:
    """A callback that pickles what was learnt so far."""

    def __init__(self):
        self.pickles = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.pickles.append(pickle.dumps(fitted_estimator))

    def teardown(self, estimator, context):
        pass


def test_a_checkpoint_of_an_epoch_can_be_trained_on():
    """With the bits of a fit that was not interrupted."""
    pytest.importorskip("sklearn.callback")
    parameters = {"learning_rate": "constant", "random_state": 0, "max_iter": 3}
    callback = Checkpoint()
    est = RNNRegressor((3,), **parameters).set_callbacks(callback).fit(X, SUMS)
    first = pickle.loads(callback.pickles[0])
    assert (first.n_iter_, first.t_, len(first.loss_curve_)) == (1, 12, 1)
    first.partial_fit(X, SUMS).partial_fit(X, SUMS)
    assert_same([first.theta_], [est.theta_])
    assert first.loss_curve_ == est.loss_curve_
