"""Token ids as sequences: the vectors, what is learnt of them, and unknown ids."""

import functools
import pickle

import naive
import numpy as np
import pandas as pd
import pytest
from cases import exactness, make_case
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import RNNClassifier, RNNRegressor, RNNSequenceRegressor, RNNTagger
from skrnn.optimizers import SGD, Adam, RMSprop
from skrnn.preprocessing import TokenEncoder
from skrnn.training.touched import TouchedRows, make_touched

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_IDS, DIM = 7, 3
EMBEDDING = {"n_ids": N_IDS, "dim": DIM, "trainable": True}
IDS = [np.array(ids)[:, np.newaxis] for ids in ([2, 5, 2], [6, 3, 3, 4, 1], [5])]
TINY = {
    "hidden_layer_sizes": 3,
    "embedding_dim": 2,
    "max_iter": 2,
    "batch_size": 4,
    "learning_rate": "cosine",
    "dtype": "float64",
    "random_state": 0,
}
RNG = np.random.default_rng(0)
X = [RNG.integers(2, 12, 1 + i % 5) for i in range(30)]
Y = np.array([np.sum(x < 5) > 0 for x in X]).astype(int)


def tiny(kind=RNNClassifier, **params):
    return kind(**TINY | params)


def table_of(est):
    return est.weights_["embedding"]


# The network


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("bptt_steps", [None, 2])
@pytest.mark.parametrize("pooling", ["last", "attention", "steps"])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_gradient_is_the_oracles(name, pooling, bptt_steps, dropout):
    """That of the table included; an id that comes twice gets the sum."""
    for bidirectional in (False, True) if bptt_steps is None else (False,):
        case = make_case(
            (name, "tanh"),
            sequences=IDS,
            hidden_layer_sizes=(3, 2),
            pooling=pooling,
            bptt_steps=bptt_steps,
            bidirectional=bidirectional,
            dropout=dropout,
            embedding=EMBEDDING,
        )
        assert "embedding" in case.views
        assert exactness(case) < 1e-12


def test_vectors_that_are_not_read_have_no_gradient():
    case = make_case(("gru", "tanh"), sequences=IDS[:1], embedding=EMBEDDING)
    gradient = case.gradient(lambda raw: (0.0, np.ones_like(raw)))[1]
    moved = case.network.layout.views(gradient)["embedding"].any(axis=1)
    assert_array_equal(np.flatnonzero(moved), [2, 5])


def test_vectors_that_are_not_trainable_have_no_gradient():
    frozen = EMBEDDING | {"trainable": False}
    for embedding, moves in ((EMBEDDING, True), (frozen, False)):
        case = make_case(("gru", "tanh"), sequences=IDS, embedding=embedding)
        gradient = case.gradient(lambda raw: (0.0, np.ones_like(raw)))[1]
        assert case.network.layout.views(gradient)["embedding"].any() == moves


def test_dropout_masks_the_vectors_that_are_read():
    case = make_case(("gru", "tanh"), sequences=IDS, embedding=EMBEDDING, dropout=0.4)
    mask = case.masks.between[0]
    assert mask.shape == (len(IDS), DIM) and not mask.all() and mask.any()


def test_padding_and_the_unknown_token_start_at_zero_the_others_do_not():
    table = table_of(tiny(solver=SGD(), learning_rate_init=1e-300).fit(X, Y))
    assert not table[:2].any() and table[2:].any(axis=1).all()
    assert 0.7 < np.abs(table).max() <= 1.0


@quiet
def test_the_penalty_leaves_the_vectors_alone():
    strong = tiny(alpha=1e3, solver=SGD(momentum=0), max_grad_norm=None, max_iter=1)
    free = clone(strong).set_params(alpha=0.0, batch_size=30).fit(X, Y)
    strong.set_params(batch_size=30, learning_rate_init=1e-6).fit(X, Y)
    start = table_of(clone(free).set_params(learning_rate_init=1e-300).fit(X, Y))
    moved = (table_of(strong) - start) / 1e-6
    assert_allclose(moved, (table_of(free) - start) / 0.01, atol=1e-6)


# The parameters that an update touches


def network_of(est):
    return est._network()


@pytest.mark.parametrize("solver", [SGD(), Adam(), RMSprop()], ids=repr)
def test_an_update_is_the_whole_one_if_all_ids_are_used(solver):
    """Here with all ids in one minibatch, for several updates."""
    est = tiny(solver=solver, batch_size=30, max_iter=1).fit(X, Y)
    network = network_of(est)
    rng, rows = np.random.default_rng(0), np.arange(network.embedding.n_ids)
    packed = make_case(
        ("gru", "tanh"), sequences=[rows[:, np.newaxis]], embedding=EMBEDDING
    ).packed
    theta, whole = est.theta_.copy(), est.theta_.copy()
    state, whole_state = solver.init(theta), solver.init(whole)
    touched = make_touched(network, theta, state)
    for _ in range(3):
        gradient = rng.standard_normal(theta.size)
        assert_array_equal(touched.take([packed])[0].rows, packed.rows)
        touched.update(solver, gradient, 0.1)
        solver.update(whole, gradient, whole_state, 0.1)
    assert_array_equal(theta, whole)
    assert state.keys() == whole_state.keys() and state["t"] == 3
    for name in solver.buffers:
        assert_array_equal(state[name], whole_state[name])


def test_rows_that_are_not_used_rest_with_their_momentum():
    est = tiny(solver="adam").fit(X, Y)
    network, theta = network_of(est), est.theta_.copy()
    layout, solver, rows = network.layout, Adam(), [2, 5]
    state = {"t": 4, "m": np.ones_like(theta), "v": np.ones_like(theta)}
    touched = make_touched(network, theta, state)
    case = make_case(("gru", "tanh"), sequences=IDS[:1], embedding=EMBEDDING)
    packed = touched.take([case.packed])[0]
    assert_array_equal(packed.rows[:, 0], [0, 1, 0])
    assert touched.theta.size == layout.n_dense + 2 * len(rows)
    touched.update(solver, np.full_like(touched.theta, 2.0), 0.1)
    for array, before in ((theta, est.theta_), (state["v"], np.ones_like(theta))):
        views = layout.views(array - before)
        dense = [part for name, part in views.items() if name != "embedding"]
        assert all(part.all() for part in dense)
        assert_array_equal(np.flatnonzero(views["embedding"].any(axis=1)), rows)
    touched.undo()
    assert_array_equal(theta, est.theta_)
    assert state["t"] == 4 and (state["m"] == 1).all() and (state["v"] == 1).all()


class Broken(SGD):
    """Leaves NaN in the last parameter, or is broken off."""

    def __init__(self, error=None):
        super().__init__()
        self.error = error

    def update(self, theta, gradient, state, learning_rate):
        super().update(theta, gradient, state, learning_rate)
        if self.error:
            raise self.error
        theta[-1] = np.nan


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()], ids=repr)
def test_rows_that_went_wrong_are_not_kept(error):
    """Not even until their ids come again."""
    est = tiny().fit(X, Y)
    network, theta, solver = network_of(est), est.theta_.copy(), Broken(error)
    state = solver.init(theta)
    touched = make_touched(network, theta, state)
    case = make_case(("gru", "tanh"), sequences=IDS[:1], embedding=EMBEDDING)
    touched.take([case.packed])
    with pytest.raises(type(error) if error else ArithmeticError):
        touched.update(solver, np.ones_like(touched.theta), 0.1)
    assert_array_equal(theta, est.theta_)
    assert not touched.is_torn and not state[solver.buffers[0]].any()


def test_an_update_that_is_broken_off_while_it_is_written_is_undone(monkeypatch):
    est = tiny().fit(X, Y)
    theta, solver = est.theta_.copy(), Adam()
    state = solver.init(theta)
    touched = make_touched(network_of(est), theta, state)
    case = make_case(("gru", "tanh"), sequences=IDS[:1], embedding=EMBEDDING)
    touched.take([case.packed])
    copy_in, calls = TouchedRows._copy_in, []

    def interrupted(self, *args):
        copy_in(self, *args)
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TouchedRows, "_copy_in", interrupted)
        with pytest.raises(KeyboardInterrupt):
            touched.update(solver, np.ones_like(touched.theta), 0.1)
    assert touched.is_torn and state["m"].any()
    touched.undo()
    assert_array_equal(theta, est.theta_)
    assert state["t"] == 0 and not state["m"].any() and not state["v"].any()


class Folded(SGD):
    """Keeps an array that is not shaped like theta."""

    def init(self, theta):
        return {"t": 0, "pairs": np.zeros((2, theta.size))}


def test_a_solver_whose_state_has_no_rows_to_take_is_refused():
    with pytest.raises(ValueError, match=r"solver must keep arrays of .*'pairs' of"):
        tiny(solver=Folded()).fit(X, Y)


def test_nothing_is_undone_before_the_first_update():
    est = tiny().fit(X, Y)
    theta = est.theta_.copy()
    make_touched(network_of(est), theta, {"t": 0}).undo()
    assert_array_equal(theta, est.theta_)


@quiet
def test_the_time_of_an_update_follows_the_ids_used(monkeypatch):
    """What the solver sees is as large for a vocabulary of 10 as for one of 1000."""
    sizes = []
    update = Adam.update

    def spy(self, theta, gradient, state, rate):
        assert theta.shape == gradient.shape == state["m"].shape
        sizes.append(theta.size)
        update(self, theta, gradient, state, rate)

    monkeypatch.setattr(Adam, "update", spy)
    tiny(shuffle=False).fit(X, Y)
    small = sizes.copy()
    sizes.clear()
    tiny(shuffle=False).fit([*X[:-1], np.full(len(X[-1]), 999)], Y)
    assert sizes[:-1] and max(np.abs(np.subtract(small, sizes))) <= 2 * len(X[-1])


@pytest.mark.heavy
@quiet
def test_a_fit_that_diverges_keeps_the_last_finite_vectors():
    est = tiny(RNNRegressor, solver=SGD(), max_grad_norm=None, learning_rate_init=1e200)
    with pytest.raises(ValueError, match="infinite or NaN"):
        est.fit(X, Y.astype(float))
    assert np.isfinite(est.theta_).all() and table_of(est).any()


# Estimators


def test_predictions_are_the_oracles():
    est = tiny(RNNRegressor, cell="lstm", hidden_layer_sizes=(3, 2)).fit(X, Y)
    oracle = naive.NaiveNetwork(naive.lstm, 2, (3, 2), False, "last", None)
    raw = oracle.raw_scores(est.weights_, [x[:, np.newaxis] for x in X])
    assert_allclose(est.predict(X), raw[:, 0], rtol=1e-12)


@pytest.mark.heavy
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_vectors_are_learnt(solver):
    """A class that depends on which ids there are, whatever their order."""
    est = RNNClassifier(8, embedding_dim=4, solver=solver, max_iter=80, random_state=0)
    assert est.fit(X, Y).score(X, Y) == 1.0
    assert est.theta_.dtype == np.float32
    assert est.loss_ == pytest.approx(log_loss(Y, est.predict_proba(X)), abs=0.05)


FORMS = {
    "lists": lambda ids: [x.tolist() for x in ids],
    "columns": lambda ids: [x[:, np.newaxis] for x in ids],
    "floats": lambda ids: [x.astype(np.float32) for x in ids],
    "bytes": lambda ids: [x.astype(np.uint8) for x in ids],
    "padded lists": lambda ids: [np.append(x, [0, 0]) for x in ids],
    "padded": lambda ids: padded(ids),
    "3-D": lambda ids: padded(ids)[:, :, np.newaxis],
    "frame": lambda ids: pd.DataFrame(padded(ids)),
    "objects": lambda ids: np.array([*ids, None], object)[:-1],
}


def padded(ids):
    out = np.zeros((len(ids), max(map(len, ids))), int)
    for row, x in zip(out, ids, strict=True):
        row[: len(x)] = x
    return out


@pytest.mark.parametrize("form", FORMS)
def test_ids_mean_the_same_in_every_form(form):
    expected = tiny().fit(X, Y)
    est = tiny().fit(FORMS[form](X), Y)
    assert_array_equal(est.theta_, expected.theta_)
    found = est.predict_proba(FORMS[form](X[:7]))
    assert_allclose(found, expected.predict_proba(X[:7]), rtol=1e-12)


@given(st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=6), min_size=1))
def test_any_ids_are_answered_as_known_ones(ids):
    """Those that the fit has not seen, in a gap or beyond, as the unknown token."""
    est = fitted_with_gaps()
    known = {2, 3, 5, 9}
    replaced = [[i if i in known else 1 for i in x] for x in ids]
    assert_array_equal(est.predict_proba(ids), est.predict_proba(replaced))


@functools.cache
def fitted_with_gaps():
    return tiny().fit([[2, 3, 5], [9, 3], [5, 2, 2, 9], [3]], [0, 1, 0, 1])


@pytest.mark.parametrize("kind", [np.array, list, pd.DataFrame])
def test_tables_of_ids_are_padded_to_any_length(kind):
    """They have no features that would have to be as many as in fit."""
    est = tiny().fit(kind([[2, 3, 5], [9, 3, 0]] * 4), [0, 1] * 4)
    expected = est.predict_proba([np.array([2, 3]), np.array([9])])
    assert_array_equal(est.predict_proba(kind([[2, 3], [9, 0]])), expected)
    assert_array_equal(est.predict_proba(kind([[2, 3, 0, 0], [9, 0, 0, 0]])), expected)
    assert not hasattr(est, "n_features_in_")


def test_ids_learnt_later_are_known_from_then_on():
    """Those in a gap and those beyond the largest, for which the table grows."""
    est = tiny(solver="adam").partial_fit([[2, 3], [9]], [0, 1])
    old, dense = table_of(est).copy(), est.n_parameters_ - table_of(est).size
    before = est.predict_proba([[4], [1], [20]])
    assert_array_equal(before, before[[1, 1, 1]])
    est.partial_fit([[4, 3], [20]], [0, 1])
    assert table_of(est).shape == (21, 2) and est.n_parameters_ == dense + 42
    assert_array_equal(table_of(est)[2], old[2])
    after = est.predict_proba([[4], [1], [20], [15]])
    assert len(np.unique(after[:, 0])) == 3 and (after[1] == after[3]).all()
    assert est._optimizer_state_["m"].shape == est.theta_.shape
    assert pickle.loads(pickle.dumps(est)).predict_proba([[20]]) == pytest.approx(
        after[[2]]
    )


def test_given_vectors_are_not_added_to():
    vectors = np.random.default_rng(1).standard_normal((12, 2))
    est = tiny(embedding_weights=vectors).partial_fit(X, Y)
    est.partial_fit([[2, 50], [3]], [0, 1])
    assert table_of(est).shape == (12, 2)


@quiet
@pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor])
def test_a_sequence_of_weight_zero_teaches_no_id(kind):
    """It changes nothing but for rounding, whatever its ids."""
    plain = tiny(kind, shuffle=False).fit(X, Y)
    more, weights = [*X, [500, 501, 3]], [*np.ones(len(X)), 0.0]
    est = tiny(kind, shuffle=False).fit(more, [*Y, 1], weights)
    assert_allclose(est.theta_, plain.theta_, rtol=1e-11, atol=1e-13)
    assert_array_equal(est.predict([[500]]), est.predict([[1]]))


@quiet
def test_ids_that_are_only_set_aside_are_unknown():
    own = [np.array([2 + i, 2 + i]) for i in range(40)]
    est = tiny(early_stopping=True, validation_fraction=0.5).fit(own, np.arange(40) % 2)
    assert est._known_ids_.sum() == 20


@quiet
def test_vectors_that_are_frozen_later_rest_whatever_momentum_they_have():
    est = tiny(solver="adam").partial_fit(X, Y).partial_fit(X, Y)
    table = table_of(est).copy()
    est.set_params(embedding_weights=table, embedding_trainable=False)
    est.partial_fit(X, Y)
    assert_array_equal(table_of(est), table)


def test_a_fit_without_an_embedding_forgets_the_ids():
    est = tiny().fit(X, Y).set_params(embedding_dim=None).fit(X, Y)
    assert "embedding" not in est.weights_ and est.predict(X).shape == (30,)
    assert pickle.loads(pickle.dumps(est)).predict([[10**6]]).shape == (1,)


@quiet
def test_given_vectors_are_where_training_starts_and_stay_if_frozen():
    vectors = np.random.default_rng(1).standard_normal((20, 2))
    frozen = tiny(embedding_weights=vectors, embedding_trainable=False).fit(X, Y)
    assert_array_equal(table_of(frozen), vectors)
    assert frozen.loss_curve_[1] < frozen.loss_curve_[0]
    learnt = tiny(embedding_weights=vectors).fit(X, Y)
    moved = (table_of(learnt) != vectors).any(axis=1)
    assert_array_equal(np.flatnonzero(moved), np.unique(np.concatenate(X)))
    assert not np.allclose(frozen.predict_proba([[15]]), frozen.predict_proba([[1]]))


@quiet
@pytest.mark.parametrize("form", [np.ndarray.tolist, pd.DataFrame, np.float32])
def test_given_vectors_may_be_a_table_of_any_kind(form):
    vectors = np.random.default_rng(1).standard_normal((20, 2)).astype(np.float32)
    est = tiny(embedding_weights=form(vectors), embedding_trainable=False).fit(X, Y)
    assert_array_equal(table_of(est), vectors)
    assert_array_equal(est.fit(X, Y).predict(X), clone(est).fit(X, Y).predict(X))


@quiet
def test_frozen_vectors_may_be_learnt_by_a_fit_that_goes_on():
    vectors = np.random.default_rng(1).standard_normal((12, 2))
    est = tiny(
        embedding_weights=vectors, embedding_trainable=False, warm_start=True
    ).fit(X, Y)
    est.set_params(embedding_trainable=True).fit(X, Y)
    assert (table_of(est)[2:] != vectors[2:]).any(axis=1).all()


@quiet
def test_a_fit_that_goes_on_cannot_change_the_vectors_length():
    plain = tiny(warm_start=True, embedding_dim=None).fit(X, Y)
    with pytest.raises(ValueError, match=r"embedding_dim must stay .*was None, got 2"):
        plain.set_params(embedding_dim=2).fit(X, Y)
    est = tiny(warm_start=True).fit(X, Y)
    for dim in (3, None):
        with pytest.raises(ValueError, match=r"embedding_dim must stay .*was 2, got"):
            est.set_params(embedding_dim=dim).fit(X, Y)
    assert est.set_params(embedding_dim=2).fit(X, Y).n_iter_ == 4


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_streams_of_ids(method):
    """Unknown ones included."""
    est, ids = tiny().fit(X, Y), np.array([[5, 3, 99], [2, 77, 4]])
    state = None
    for t in range(3):
        answer, state = est.step(ids[:, [t]], state, method=method)
    assert_allclose(answer, getattr(est, method)(ids), rtol=1e-12)


def test_the_largest_id_is_an_unknown_one_of_a_stream():
    """Though float32, which is computed in, has no such number."""
    est = tiny().fit(X, Y)
    largest, unknown = (est.step([[i]], method="predict_proba") for i in (2**31 - 1, 1))
    for pair in zip(largest, unknown, strict=True):
        assert_array_equal(*pair)


@pytest.mark.parametrize("bad", [0, -1, 2.5, 1 + 1e-9, 1e-40, 2.0**40])
def test_a_step_that_is_no_id_is_refused(bad):
    with pytest.raises(ValueError, match=r"x_t must be ids of tokens, integers"):
        tiny().fit(X, Y).step([[bad]])


def test_all_kinds_of_targets():
    tags = [x % 2 for x in X]
    tagger = tiny(RNNTagger, max_iter=30).fit(X, tags)
    assert [len(t) for t in tagger.predict(X)] == [len(x) for x in X]
    assert tagger.score(X, tags) > 0.8
    each = tiny(RNNSequenceRegressor, max_iter=30).fit(X, [t * 1.0 for t in tags])
    assert each.score(X, [t * 1.0 for t in tags]) > 0.3


def test_copies_and_files_know_the_same_ids(tmp_path):
    est = tiny().fit(X, Y)
    skrnn.save(est, tmp_path / "model.skrnn")
    expected = est.predict_proba([[2, 50], [3]])
    for copy in (
        pickle.loads(pickle.dumps(est)),
        skrnn.load(tmp_path / "model.skrnn"),
    ):
        assert_array_equal(copy.predict_proba([[2, 50], [3]]), expected)


@pytest.mark.parametrize("known", [None, np.ones(5, bool), np.ones((3, 4), bool)])
def test_damaged_ids_are_refused(known):
    est = tiny().fit(X, Y)
    est._known_ids_ = known
    if known is None:
        del est._known_ids_
    with pytest.raises(ValueError, match="_known_ids_ must be"):
        pickle.dumps(est)


@pytest.mark.heavy
@quiet
def test_texts_go_through_a_pipeline_and_a_grid_search():
    good = ["a good film", "good fun", "what a good time", "so good", "good, good"] * 4
    texts = good + [text.replace("good", "bad") for text in good]
    labels = ["+"] * len(good) + ["-"] * len(good)
    pipe = make_pipeline(TokenEncoder(), tiny(max_iter=25, embedding_dim=None))
    grid = {
        "rnnclassifier__embedding_dim": [2, 8],
        "tokenencoder__min_df": [1, 2],
    }
    search = GridSearchCV(pipe, grid, cv=3, n_jobs=1).fit(texts, labels)
    assert search.best_score_ == 1.0
    assert_array_equal(search.predict(["good morning", "bad luck"]), ["+", "-"])


# Errors


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[2, 3], [4, 0, 3]], r"X\[1\] has the id 0 at step 1, before other ids; 0 is"),
        ([[2, 3], [0, 0]], r"X\[1\] must have at least one token, got only padding"),
        ([[2, 3], [4, 2.5]], r"X\[1\] has 2.5 at step 1; with embedding_dim each step"),
        ([[2, 3], [-4, 2]], r"X\[1\] has -4 at step 0; with embedding_dim each step"),
        ([[2, 3], [2**31, 2]], r"X\[1\] has 2.14748e\+09 at step 0; .* 2147483647\."),
        ([np.ones((2, 3))] * 2, "X must have one feature per step, the id of a token"),
        ([[2**24, 2], [3]], r"X has the id 16777216, and each id up to the largest"),
    ],
)
def test_what_is_no_id_is_refused_in_fit(bad, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(bad, [0, 1])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"embedding_weights": np.ones((3, 4))}, r"embedding_dim must be 4 .*, got 2"),
        ({"embedding_trainable": False}, "must be True unless embedding_weights are"),
        ({"embedding_weights": np.ones((5, 2))}, "X has the id 11, but .* id 4"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        tiny(**params).fit(X, Y)


def test_validation_data_are_ids_as_well():
    est = tiny(early_stopping=True, max_iter=5)
    est.fit(X, Y, X_val=[[2, 99], [3]], y_val=[0, 1])
    assert len(est.validation_loss_curve_) == est.n_iter_
    with pytest.raises(ValueError, match=r"X_val was refused: X\[0\] has 0.5 at"):
        est.fit(X, Y, X_val=[[0.5], [3]], y_val=[0, 1])


@pytest.mark.heavy
def test_shards_add_up():
    """A minibatch of many sequences is cut; the vectors' gradients are added."""
    rng = np.random.default_rng(0)
    many = [rng.integers(2, 50, 12) for _ in range(96)]
    y = rng.integers(0, 2, 96)
    params = {"hidden_layer_sizes": 96, "max_iter": 1, "batch_size": 96}
    one, two = (tiny(**params, n_jobs=n, solver=SGD()).fit(many, y) for n in (1, 2))
    assert_array_equal(one.theta_, two.theta_)
