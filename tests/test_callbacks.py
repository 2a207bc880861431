"""scikit-learn's callbacks around a fit and each of its epochs."""

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import make_switching_sines
from skrnn.optimizers import Adam

callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has callbacks from 1.9 on"
)

TINY = {
    "hidden_layer_sizes": (3,),
    "cell": "rnn",
    "learning_rate_init": 0.05,
    "max_iter": 5,
    "random_state": 0,
}
X, Y = make_switching_sines(
    20, n_classes=2, n_features=2, n_timesteps=(8, 12), random_state=0
)
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2.0, 20)


def tiny(kind=RNNClassifier, **params):
    return kind(**{**TINY, **params})


class Watcher:
    """Writes down what it is told, and asks to stop after one of the epochs.

    Parameters
    ----------
    stop_after : int or None
        Number of the epoch, from 1.
    """

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.events = []
        self.snapshots = []
        self.told = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X, y, metadata):
        self.told.append((X, y, metadata))
        self.events.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.events.append(("end", context.task_name, context.task_id))
        if fitted_estimator is not None:
            self.snapshots.append((fitted_estimator, fitted_estimator.theta_.copy()))
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after


def events_of(n_epochs):
    """What a watcher sees in a fit of so many epochs."""
    epochs = [(when, "epoch", i) for i in range(n_epochs) for when in ("begin", "end")]
    return ["setup", ("begin", "fit", 0), *epochs, ("end", "fit", 0), "teardown"]


def assert_balanced(events):
    """Each task that begins ends, once, and the innermost first."""
    assert events[0] == "setup" and events[-1] == "teardown"
    open_tasks = []
    for when, *task in events[1:-1]:
        if when == "begin":
            open_tasks.append(task)
        else:
            assert open_tasks.pop() == task
    assert open_tasks == []


# The hooks


@pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor])
def test_each_epoch_is_a_task_of_the_fit(kind):
    watcher = Watcher()
    est = tiny(kind).set_callbacks(watcher).fit(X, Y)
    assert watcher.events == events_of(5) and est.n_iter_ == 5


def test_hooks_get_the_data_as_it_was_given():
    watcher = Watcher()
    tiny().set_callbacks(watcher).fit(X, Y, sample_weight=WEIGHTS)
    assert len(watcher.told) == 6
    for sequences, y, metadata in watcher.told:
        assert sequences is X and y is Y
        assert metadata["sample_weight"] is WEIGHTS
    tiny().set_callbacks(watcher).fit(X, Y)
    assert watcher.told[-1][2] is None


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_callback_stops_the_fit(solver):
    """With the weights of that epoch, and without a word about convergence."""
    params = {"solver": solver, "learning_rate": "constant"}
    watcher = Watcher(stop_after=2)
    est = tiny(**params).set_callbacks(watcher).fit(X, Y)
    assert est.n_iter_ == len(est.loss_curve_) == 2
    assert watcher.events == events_of(2)
    with pytest.warns(ConvergenceWarning):
        shorter = tiny(**params, max_iter=2).fit(X, Y)
    assert_array_equal(est.theta_, shorter.theta_)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_partial_fit_is_a_fit_of_one_epoch(solver):
    watcher = Watcher(stop_after=1)
    est = tiny(solver=solver).set_callbacks(watcher)
    est.partial_fit(X, Y).partial_fit(X, Y)
    assert watcher.events == events_of(1) * 2 and est.n_iter_ == 2


def test_a_warm_start_begins_a_new_fit():
    watcher = Watcher()
    est = tiny(warm_start=True).set_callbacks(watcher)
    est.fit(X, Y).fit(X, Y)
    assert watcher.events == events_of(5) * 2 and est.n_iter_ == 10


def test_early_stopping_ends_all_tasks():
    watcher = Watcher()
    est = tiny(max_iter=50, early_stopping=True, n_iter_no_change=1, tol=1.0)
    est.set_callbacks(watcher).fit(X, Y)
    assert est.n_iter_ < 50 and watcher.events == events_of(est.n_iter_)


CONVERGING = {
    "solver": "lbfgs",
    "alpha": 1.0,
    "max_iter": 500,
    "tol": 0.01,
    "n_iter_no_change": 500,
}


@pytest.mark.heavy
def test_a_full_batch_solver_that_converges_ends_all_tasks():
    """It is known only afterwards that there is no further iteration."""
    watcher = Watcher()
    est = tiny(**CONVERGING).set_callbacks(watcher).fit(X, Y)
    assert 1 < est.n_iter_ < 500
    assert_balanced(watcher.events)
    assert len(watcher.snapshots) == est.n_iter_ + 1


class Interrupted(Adam):
    """Adam, and Ctrl-C within the second epoch."""

    def update(self, theta, gradient, state, learning_rate):
        if state["t"] == 3:
            raise KeyboardInterrupt
        super().update(theta, gradient, state, learning_rate)


def test_an_interrupt_ends_all_tasks():
    """The epoch that was broken off has no snapshot."""
    watcher = Watcher()
    est = tiny(solver=Interrupted(), batch_size=10).set_callbacks(watcher)
    with pytest.warns(UserWarning, match="interrupted in epoch 2"):
        est.fit(X, Y)
    assert est.n_iter_ == 1
    assert_balanced(watcher.events)
    assert len(watcher.snapshots) == 2


class InterruptedWatcher(Watcher):
    """A watcher, and Ctrl-C when the second epoch has ended."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
        if context.task_name == "epoch" and context.task_id == 1:
            raise KeyboardInterrupt


def test_an_interrupt_within_a_callback_ends_all_tasks_once():
    watcher = InterruptedWatcher()
    est = tiny().set_callbacks(watcher)
    with pytest.warns(UserWarning, match="interrupted"):
        est.fit(X, Y)
    assert est.n_iter_ == 2 and watcher.events == events_of(2)


class Failing(Adam):
    """Adam that is broken."""

    def update(self, theta, gradient, state, learning_rate):
        raise RuntimeError("broken")


def test_callbacks_are_torn_down_after_an_error():
    watcher = Watcher()
    est = tiny(solver=Failing()).set_callbacks(watcher)
    with pytest.raises(RuntimeError, match="broken"):
        est.fit(X, Y)
    assert watcher.events[-1] == "teardown"
    assert not [name for name in vars(est) if name.startswith("_callback")]


# The fitted estimator that hooks get


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor])
def test_snapshots_stay_as_they_were(kind, solver):
    """Training goes on in other memory, and so does the final estimator."""
    watcher = Watcher()
    est = tiny(kind, solver=solver).set_callbacks(watcher).fit(X, Y)
    thetas = [theta for _, theta in watcher.snapshots]
    assert len(thetas) == est.n_iter_ + 1
    for snapshot, theta in watcher.snapshots:
        assert_array_equal(snapshot.theta_, theta)
        assert not np.shares_memory(snapshot.theta_, est.theta_)
    assert len({theta.tobytes() for theta in thetas}) == est.n_iter_
    assert_array_equal(thetas[-1], est.theta_)


def test_a_snapshot_is_what_a_shorter_fit_would_be():
    watcher = Watcher()
    params = {"learning_rate": "constant", "pooling": "attention"}
    with pytest.warns(ConvergenceWarning):
        tiny(**params).set_callbacks(watcher).fit(X, Y)
        shorter = tiny(**params, max_iter=3).fit(X, Y)
    snapshot = watcher.snapshots[2][0]
    assert_array_equal(snapshot.predict_proba(X), shorter.predict_proba(X))
    assert_array_equal(snapshot.predict(X), shorter.predict(X))
    assert_array_equal(snapshot.hidden_states(X), shorter.hidden_states(X))
    assert_array_equal(
        snapshot.attention_weights(X)[0], shorter.attention_weights(X)[0]
    )
    assert snapshot.score(X, Y) == shorter.score(X, Y)


def test_the_last_snapshot_has_the_best_weights():
    watcher = Watcher()
    est = tiny(max_iter=20, early_stopping=True, learning_rate_init=0.5)
    est.set_callbacks(watcher).fit(X, Y)
    of_epochs, of_fit = watcher.snapshots[:-1], watcher.snapshots[-1]
    assert est.best_iter_ < est.n_iter_
    assert_array_equal(of_fit[1], of_epochs[est.best_iter_ - 1][1])
    assert_array_equal(of_fit[1], est.theta_)


def test_callbacks_change_nothing():
    plain = tiny().fit(X, Y)
    watched = tiny().set_callbacks(Watcher()).fit(X, Y)
    assert_array_equal(watched.theta_, plain.theta_)
    assert vars(watched).keys() - vars(plain).keys() == {"_skl_callbacks"}


# Those of scikit-learn


def epoch_rows(monitor):
    return [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]


@pytest.mark.parametrize("weight", [None, WEIGHTS])
def test_scoring_monitor_has_a_row_for_each_epoch(weight):
    monitor = callback.ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    watcher = Watcher()
    est = tiny().set_callbacks(monitor, watcher).fit(X, Y, sample_weight=weight)
    rows = epoch_rows(monitor)
    assert [row["task_id"] for row in rows] == [0, 1, 2, 3, 4]
    for row, (snapshot, _) in zip(rows, watcher.snapshots, strict=False):
        assert row["accuracy"] == snapshot.score(X, Y, sample_weight=weight)
    assert len({row["neg_log_loss"] for row in rows}) == 5
    assert len(monitor.get_logs().data) == 6 and est.n_iter_ == 5


@pytest.mark.heavy
def test_scoring_monitor_counts_the_iterations_of_a_full_batch_solver():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    est = tiny(**CONVERGING).set_callbacks(monitor).fit(X, Y)
    assert len(epoch_rows(monitor)) == est.n_iter_ < 500


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_scoring_monitor_hears_of_epochs_in_workers(backend):
    """Within a pipeline, in a search, in other processes."""
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    est = tiny(max_iter=3).set_callbacks(monitor)
    pipe = make_pipeline(FunctionTransformer(), est)
    grid = {"rnnclassifier__alpha": [0.0, 1.0]}
    search = GridSearchCV(pipe, grid, cv=2, n_jobs=2)
    with joblib.parallel_config(backend):
        search.fit(X, Y)
    rows = epoch_rows(monitor)
    fits = {row["parent_task_id_path"] for row in rows}
    assert len(fits) == 2 * 2 + 1 and len(rows) == 3 * len(fits)
    refit = max(fits)
    losses = [r["neg_log_loss"] for r in rows if r["parent_task_id_path"] == refit]
    assert losses == scores_by_epoch(clone(est).set_params(**best_of(search)))


def best_of(search):
    return {"alpha": search.best_params_["rnnclassifier__alpha"]}


def scores_by_epoch(estimator):
    """Of a fit on all data, heard directly."""
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    estimator.set_callbacks(monitor).fit(X, Y)
    return [row["neg_log_loss"] for row in epoch_rows(monitor)]


def test_a_callback_stops_fits_in_a_search():
    est = tiny().set_callbacks(Watcher(stop_after=2))
    search = GridSearchCV(est, {"alpha": [0.0, 1.0]}, cv=2, n_jobs=2).fit(X, Y)
    assert search.best_estimator_.n_iter_ == 2


@pytest.mark.parametrize(("n_levels", "n_fits"), [(0, 1), (1, 1), (2, 5)])
def test_progress_bars_fill(n_levels, n_fits, capsys, monkeypatch):
    """Alone, in a pipeline, and in the pipelines of a search in other processes."""
    pytest.importorskip("rich", reason="scikit-learn's ProgressBar needs rich")
    monkeypatch.setenv("COLUMNS", "200")
    est = make_pipeline(tiny()) if n_levels > 0 else tiny()
    if n_levels > 1:
        est = GridSearchCV(est, {"rnnclassifier__alpha": [0.0, 1.0]}, cv=2, n_jobs=2)
    est.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    bars = [line for line in lines if "RNNClassifier - fit" in line]
    assert len(bars) == n_fits and all("100%" in bar for bar in bars)
