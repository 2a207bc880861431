"""Displays show what the estimator holds, and say what is wrong with the others."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.metaestimators import available_if

from skrnn import RNNClassifier
from skrnn.datasets import make_switching_sines
from skrnn.inspection import AttentionDisplay, LossCurveDisplay
from skrnn.inspection.attention import MAX_COLUMNS

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

LOSSES = [0.9, 0.5, 0.4, 0.3]
VALIDATION_LOSSES = [0.8, 0.7, 0.5, 0.6]
SCORES = [0.4, 0.6, 0.9, 0.8]


class FakeFitted(BaseEstimator):
    """Looks like a fitted network; attends to a step as much as its values say."""

    def __init__(self, pooling="attention", alpha=0.0):
        self.pooling = pooling
        self.alpha = alpha

    def fit(self, X, y=None):
        self.loss_curve_ = LOSSES
        self.validation_loss_curve_ = VALIDATION_LOSSES
        self.validation_scores_ = SCORES
        self.best_iter_ = 3
        return self

    def score(self, X, y=None):
        return -self.alpha

    @available_if(lambda self: self.pooling == "attention")
    def attention_weights(self, X):
        steps = [np.abs(np.reshape(x, (len(x), -1))).sum(axis=1) for x in X]
        return [s / s.sum() for s in steps]


class FakeFittedPlain(FakeFitted):
    """A network trained without validation data."""

    def fit(self, X, y=None):
        self.loss_curve_ = LOSSES
        self.validation_loss_curve_ = self.validation_scores_ = self.best_iter_ = None
        return self


class AddTen(TransformerMixin, BaseEstimator):
    """Changes X so that it shows whether it was used."""

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, X):
        return [np.asarray(x) + 10 for x in X]


def make_X(lengths=(5, 3, 4, 6), n_features=2):
    rng = np.random.default_rng(0)
    return [rng.uniform(1, 2, size=(n, n_features)) for n in lengths]


def search(estimator, name="alpha", **params):
    X = np.ones((6, 3))
    return GridSearchCV(estimator, {name: [1.0, 0.0]}, cv=2, **params).fit(X)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def draw(display):
    display.figure_.canvas.draw()


# Loss curves


def test_loss_curve_shows_every_curve_over_epochs_from_1():
    display = LossCurveDisplay.from_estimator(FakeFitted().fit(None))
    for line, values in [
        (display.train_line_, LOSSES),
        (display.validation_line_, VALIDATION_LOSSES),
        (display.score_line_, SCORES),
    ]:
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert list(display.best_line_.get_xdata()) == [3, 3]
    draw(display)


def test_scores_have_their_own_axis_and_all_curves_one_legend():
    display = LossCurveDisplay.from_estimator(FakeFitted().fit(None))
    assert display.score_line_.axes is display.score_ax_ is not display.ax_
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "loss"
    assert display.score_ax_.get_ylabel() == "validation score"
    texts = {text.get_text() for text in display.ax_.get_legend().get_texts()}
    curves = {"training loss", "validation loss", "validation score"}
    assert texts == curves | {"best epoch: 3"}


@pytest.mark.parametrize("has_none", [True, False], ids=["None", "missing"])
def test_what_was_not_measured_is_not_drawn(has_none):
    estimator = FakeFittedPlain().fit(None)
    if not has_none:
        del estimator.validation_loss_curve_
        del estimator.validation_scores_
        del estimator.best_iter_
    display = LossCurveDisplay.from_estimator(estimator)
    absent = ("validation_line_", "score_line_", "score_ax_", "best_line_")
    assert [getattr(display, name) for name in absent] == [None] * 4
    assert display.ax_.get_lines() == [display.train_line_]
    assert display.figure_.axes == [display.ax_]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda e: make_pipeline(AddTen(), e),
        lambda e: make_pipeline(e),
        search,
        lambda e: search(make_pipeline(AddTen(), e), "fakefitted__alpha"),
        lambda e: make_pipeline(AddTen(), search(e)),
    ],
    ids=["pipeline", "short pipeline", "search", "search of pipeline", "the reverse"],
)
def test_loss_curve_finds_the_network_in_pipelines_and_searches(wrap):
    estimator = wrap(FakeFitted().fit(None))
    display = LossCurveDisplay.from_estimator(estimator)
    assert display.loss_curve == LOSSES


def test_search_shows_its_best_estimator():
    fitted = search(FakeFitted())
    fitted.best_estimator_.loss_curve_ = [7.0]
    assert LossCurveDisplay.from_estimator(fitted).loss_curve == [7.0]


def test_a_single_epoch_can_be_seen():
    line = LossCurveDisplay(loss_curve=[0.5]).plot().train_line_
    assert line.get_marker() == "o"


def test_log_scale_is_an_option():
    display = LossCurveDisplay(loss_curve=LOSSES)
    assert display.plot().ax_.get_yscale() == "linear"
    assert display.plot(log_scale=True).ax_.get_yscale() == "log"


@pytest.mark.parametrize("name", ["loss_curve", "validation_loss_curve"])
def test_log_scale_refuses_losses_that_it_would_hide(name):
    curves = {"loss_curve": LOSSES, name: [0.5, -0.25]}
    with pytest.raises(ValueError, match=r"log_scale must be False .* loss of -0\.25"):
        LossCurveDisplay(**curves).plot(log_scale=True)


def test_line_kw_override_the_defaults():
    kw = {"color": "k", "linestyle": "-."}
    display = LossCurveDisplay.from_estimator(FakeFitted().fit(None), line_kw=kw)
    for line in (display.train_line_, display.validation_line_, display.score_line_):
        assert (line.get_color(), line.get_linestyle()) == ("k", "-.")


def test_named_displays_share_axes_and_the_score_axis():
    estimator = FakeFitted().fit(None)
    first = LossCurveDisplay.from_estimator(estimator, name="gru")
    draw(first)
    second = LossCurveDisplay.from_estimator(estimator, name="lstm", ax=first.ax_)
    assert second.ax_ is first.ax_
    assert second.score_ax_ is first.score_ax_
    lines = [
        getattr(display, f"{kind}_line_")
        for display in (first, second)
        for kind in ("train", "validation", "score")
    ]
    assert len({line.get_color() for line in lines}) == 6
    texts = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert len(texts) == len(set(texts)) == 8
    assert "lstm, validation score" in texts


def test_scores_leave_the_other_axes_of_a_figure_alone():
    figure, (left, right) = plt.subplots(1, 2, sharex=True)
    foreign = left.twinx()
    estimator = FakeFitted().fit(None)
    first = LossCurveDisplay.from_estimator(estimator, ax=left)
    second = LossCurveDisplay.from_estimator(estimator, ax=right)
    axes = {left, right, foreign, first.score_ax_, second.score_ax_}
    assert len(axes) == 5
    assert foreign.get_lines() == []


# Attention


def test_several_sequences_are_rows_with_blank_ends():
    X = make_X()
    estimator = FakeFitted().fit(None)
    display = AttentionDisplay.from_estimator(estimator, X)
    cells = display.im_.get_array()
    assert cells.shape == (4, 6)
    for row, w in zip(cells, estimator.attention_weights(X), strict=True):
        np.testing.assert_array_equal(row[: len(w)], w)
        assert np.ma.getmaskarray(row)[len(w) :].all()
    assert display.im_.get_clim()[0] == 0
    assert display.colorbar_.ax.get_ylabel() == "attention weight"
    assert display.lines_ == []
    assert display.bars_ is display.weight_ax_ is None
    draw(display)


def test_heat_map_names_the_sequences_by_their_place_in_X():
    estimator = FakeFitted().fit(None)
    display = AttentionDisplay.from_estimator(estimator, make_X(), sequence=[3, 1])
    assert display.indices == [3, 1]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["3", "1"]
    np.testing.assert_array_equal(display.ax_.get_yticks(), [0, 1])
    assert [len(w) for w in display.weights] == [6, 3]


@pytest.mark.parametrize(
    "n, expected",
    [(1, [0]), (20, range(20)), (21, range(0, 21, 2)), (200, range(0, 200, 10))],
)
def test_row_labels_are_few_and_round(n, expected):
    display = AttentionDisplay(weights=[np.ones(1)] * n).plot()
    np.testing.assert_array_equal(display.ax_.get_yticks(), expected)
    draw(display)


def test_no_peak_of_a_long_sequence_is_lost():
    T = 5 * MAX_COLUMNS + 1
    weights = [np.zeros(T), np.zeros(T - 8)]
    weights[0][[7, T - 1]] = 0.5
    weights[1][T - 9] = 1.0
    display = AttentionDisplay(weights=weights).plot()
    cells = display.im_.get_array()
    assert cells.shape[1] <= MAX_COLUMNS
    left, right = display.im_.get_extent()[:2]
    width = (right - left) / cells.shape[1]
    assert cells[0, int(7 // width)] == cells[0, int((T - 1) // width)] == 0.5
    assert cells[1, int((T - 9) // width)] == 1.0
    assert right >= T - 0.5


@pytest.mark.parametrize("T", [3, 3 * MAX_COLUMNS])
def test_log_norm_draws_without_warnings(T):
    weights = [np.full(T, 1 / T), np.full(T - 2, 1 / (T - 2))]
    draw(AttentionDisplay(weights=weights).plot(im_kw={"norm": "log"}))


def test_one_feature_is_laid_over_the_rows_on_one_scale():
    X = [np.array([[0.0, 9.0], [2.0, 9.0]]), np.array([[4.0, 9.0], [1.0, 9.0]])]
    display = AttentionDisplay(weights=[np.full(2, 0.5)] * 2, sequences=X)
    lines = display.plot(feature=0).lines_
    np.testing.assert_allclose(lines[0].get_ydata(), [0.4, 0.0])
    np.testing.assert_allclose(lines[1].get_ydata(), [0.6, 1.2])
    assert "feature 0" in display.ax_.get_title()
    draw(display)


def test_a_constant_feature_can_be_laid_over():
    display = AttentionDisplay(
        weights=[np.ones(1)] * 2, sequences=[np.ones((1, 1))] * 2
    )
    lines = display.plot(feature=0, line_kw={"color": "k"}).lines_
    assert [line.get_color() for line in lines] == ["k", "k"]
    assert np.isfinite([line.get_ydata() for line in lines]).all()


def test_a_single_sequence_shows_features_over_weights():
    X = make_X(n_features=3)
    estimator = FakeFitted().fit(None)
    display = AttentionDisplay.from_estimator(estimator, X, sequence=2)
    assert len(display.lines_) == 3
    for i, line in enumerate(display.lines_):
        np.testing.assert_array_equal(line.get_ydata(), X[2][:, i])
    values, edges, _ = display.bars_.get_data()
    np.testing.assert_array_equal(values, estimator.attention_weights(X)[2])
    np.testing.assert_array_equal(edges, np.arange(5) - 0.5)
    assert display.bars_.axes is display.weight_ax_
    assert display.weight_ax_.get_zorder() < display.ax_.get_zorder()
    assert display.ax_.get_xlabel() == "time step of sequence 2"
    assert display.im_ is display.colorbar_ is None
    draw(display)


def test_features_have_the_names_given():
    X = make_X(n_features=3)
    names = ["x", "y", "z"]
    display = AttentionDisplay.from_estimator(
        FakeFitted().fit(None), X, sequence=-1, feature=[0, 2], feature_names=names
    )
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["x", "z"]
    assert display.ax_.get_xlabel() == "time step of sequence 3"
    display.plot(feature=1, line_kw={"color": "k"})
    assert display.ax_.get_ylabel() == "y"
    assert display.ax_.get_legend() is None
    assert display.lines_[0].get_color() == "k"


def test_many_features_get_no_legend():
    display = AttentionDisplay.from_estimator(
        FakeFitted().fit(None), make_X(n_features=11), sequence=0
    )
    assert len(display.lines_) == 11
    assert display.ax_.get_legend() is None


def test_plot_takes_axes_and_leaves_the_colour_bar_out():
    figure, ax = plt.subplots()
    display = AttentionDisplay(weights=[np.ones(1)])
    assert display.plot(ax, colorbar=False, cmap="magma") is display
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.colorbar_ is None
    assert display.im_.get_cmap().name == "magma"
    assert figure.axes == [ax]


def test_pipeline_transforms_X_first():
    X = make_X()
    pipeline = make_pipeline(AddTen(), make_pipeline(AddTen(), FakeFitted())).fit(X)
    display = AttentionDisplay.from_estimator(pipeline, X, sequence=0)
    np.testing.assert_allclose(display.sequences[0], X[0] + 20)
    expected = FakeFitted().attention_weights([X[0] + 20])[0]
    np.testing.assert_allclose(display.weights[0], expected)


def test_attention_finds_the_network_in_a_search():
    estimator = search(make_pipeline(AddTen(), FakeFitted()), "fakefitted__alpha")
    X = make_X()
    display = AttentionDisplay.from_estimator(estimator, X, sequence=1)
    np.testing.assert_allclose(display.sequences[0], X[1] + 10)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_univariate_2d_X_is_drawn(container):
    X = np.arange(1.0, 13.0).reshape(3, 4)
    estimator = FakeFitted().fit(None)
    estimator.attention_weights = lambda X: [np.full(4, 0.25)] * 3
    display = AttentionDisplay.from_estimator(estimator, container(X), sequence=1)
    np.testing.assert_array_equal(display.sequences[0], X[1][:, np.newaxis])


def test_padding_is_not_drawn():
    X = np.ones((2, 5, 1))
    X[0, 3:] = np.nan
    estimator = FakeFitted().fit(None)
    estimator.attention_weights = lambda X: [np.full(3, 1 / 3), np.full(5, 0.2)]
    display = AttentionDisplay.from_estimator(estimator, X)
    assert [len(x) for x in display.sequences] == [3, 5]


# Both


def test_displays_work_on_a_real_network():
    X, y = make_switching_sines(20, n_timesteps=(8, 12), random_state=0)
    rnn = RNNClassifier((4,), pooling="attention", tol=1e9, n_iter_no_change=1)
    rnn.fit(X, y)
    assert LossCurveDisplay.from_estimator(rnn).loss_curve == rnn.loss_curve_
    display = AttentionDisplay.from_estimator(rnn, X, sequence=[4, 2])
    assert [len(w) for w in display.weights] == [len(X[4]), len(X[2])]
    rnn = RNNClassifier((4,), tol=1e9, n_iter_no_change=1).fit(X, y)
    with pytest.raises(ValueError, match="got RNNClassifier with pooling='last'"):
        AttentionDisplay.from_estimator(rnn, X)


def from_estimator(display, estimator):
    args = [make_X()] if display is AttentionDisplay else []
    return display.from_estimator(estimator, *args)


on_displays = pytest.mark.parametrize("display", [LossCurveDisplay, AttentionDisplay])


@on_displays
@pytest.mark.parametrize(
    "estimator",
    [
        FakeFitted(),
        make_pipeline(AddTen(), FakeFitted()),
        GridSearchCV(FakeFitted(), {"alpha": [0.0]}),
    ],
    ids=["network", "pipeline", "search"],
)
def test_an_unfitted_estimator_is_refused(display, estimator):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        from_estimator(display, estimator)


@on_displays
@pytest.mark.parametrize(
    "value, got", [([1], "list"), (make_pipeline("passthrough"), "str")]
)
def test_what_is_no_estimator_is_refused(display, value, got):
    with pytest.raises(TypeError, match=rf"estimator must be a network .* got {got}\."):
        from_estimator(display, value)


@pytest.mark.parametrize(
    "estimator, got",
    [
        (LinearRegression().fit([[1], [2]], [1, 2]), "LinearRegression"),
        (search(FakeFitted(), refit=False), "GridSearchCV"),
    ],
    ids=["other estimator", "search without refit"],
)
def test_an_estimator_of_another_kind_is_refused(estimator, got):
    start = r"estimator must be a network with .* \(with refit=True\)"
    with pytest.raises(TypeError, match=rf"{start} .* got {got}\."):
        LossCurveDisplay.from_estimator(estimator)
    with pytest.raises(ValueError, match=rf"{start} .* got {got}\."):
        AttentionDisplay.from_estimator(estimator, make_X())


def test_other_poolings_are_named():
    pipeline = make_pipeline(AddTen(), FakeFitted(pooling="mean")).fit(make_X())
    message = r"pooling=\"attention\", .* got FakeFitted with pooling='mean'\."
    with pytest.raises(ValueError, match=message):
        AttentionDisplay.from_estimator(pipeline, make_X())


@pytest.mark.parametrize("sequence", [4, [0, -5], [], "a", 0.5], ids=repr)
def test_sequences_that_X_does_not_have_are_refused(sequence):
    message = "sequence must index the 4 sequences of X, got "
    with pytest.raises(ValueError, match=message):
        AttentionDisplay.from_estimator(
            FakeFitted().fit(None), make_X(), sequence=sequence
        )


@pytest.mark.parametrize("sequence", [0, [0, 1]], ids=repr)
def test_features_that_X_does_not_have_are_refused(sequence):
    message = "feature must index the 2 features of a step, got 2"
    with pytest.raises(ValueError, match=message):
        AttentionDisplay.from_estimator(
            FakeFitted().fit(None), make_X(), sequence=sequence, feature=2
        )


def test_only_one_feature_is_laid_over_several_sequences():
    message = r"feature must be an int for several sequences, got \[0, 1\]"
    with pytest.raises(ValueError, match=message):
        AttentionDisplay.from_estimator(
            FakeFitted().fit(None), make_X(), feature=[0, 1]
        )


def test_features_without_sequences_are_refused():
    message = "feature must be None where there are no sequences, got 0"
    with pytest.raises(ValueError, match=message):
        AttentionDisplay(weights=[np.ones(1)]).plot(feature=0)


@on_displays
def test_missing_matplotlib_is_named_with_the_remedy(display, monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    message = r"requires matplotlib\. .* `pip install skrnn\[plot\]`"
    with pytest.raises(ImportError, match=rf"from_estimator {message}"):
        from_estimator(display, FakeFitted().fit(None))
    empty = {"weights": []} if display is AttentionDisplay else {"loss_curve": []}
    with pytest.raises(ImportError, match=rf"Display\.plot {message}"):
        display(**empty).plot()


@pytest.mark.heavy
def test_importing_the_displays_does_not_import_matplotlib():
    code = "import sys, skrnn.inspection; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
