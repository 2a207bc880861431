"""Losses: exact values and gradients of raw scores, at every scale and in both dtypes.

Most tests run on every loss there is. The slow twins are central differences, 60-digit
decimals and scikit-learn's metrics.
"""

import pickle
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from sklearn import metrics

from skrnn import losses
from skrnn.losses import (
    REGRESSION_LOSSES,
    AbsoluteError,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Huber,
    MultilabelCrossEntropy,
    Poisson,
    Quantile,
    SquaredError,
)
from skrnn.losses.links import softplus, softplus_inverse
from skrnn.losses.locations import huber_location, weighted_quantile

DTYPES = [np.float32, np.float64]
N_ROWS = 7
QUANTILES = (0.1, 0.5, 0.9)


def labels_of(n_classes):
    return lambda raw: np.arange(len(raw)) % n_classes


def indicators(raw):
    return np.random.default_rng(3).integers(0, 2, size=raw.shape)


def near_raw(raw):
    """Targets whose errors are -1.7, -0.3, 0.3, 1.7 in turn: no kink is close."""
    offsets = np.resize([-1.7, -0.3, 0.3, 1.7], raw.size)
    return raw - offsets.reshape(raw.shape)


def counts(raw):
    return np.random.default_rng(3).poisson(1.5, size=raw.shape).astype(raw.dtype)


def between_levels(raw):
    """Targets between two levels, above all and below all in turn."""
    low = raw[:, [0, 3]]
    levels = np.stack([low, low + softplus(raw[:, [1, 4]])], axis=0)
    shifts = np.resize([-1.0, 0.0, 1.0], low.shape)
    return levels.mean(axis=0) + 40 * shifts


# One line per loss: an instance, its number of raw columns, targets made from raw.
CASES = {
    "categorical": (CategoricalCrossEntropy(4), 4, labels_of(4)),
    "binary": (BinaryCrossEntropy(), 1, labels_of(2)),
    "multilabel": (MultilabelCrossEntropy(), 3, indicators),
    "squared_error": (SquaredError(), 2, near_raw),
    "absolute_error": (AbsoluteError(), 2, near_raw),
    "huber": (Huber(delta=1.0), 2, near_raw),
    "poisson": (Poisson(), 2, counts),
    "quantile": (Quantile(0.3), 2, near_raw),
    "quantiles": (Quantile(QUANTILES), 6, between_levels),
}
CLASSIFIERS = ["categorical", "binary", "multilabel"]
COLUMNWISE = ["multilabel", "squared_error", "absolute_error", "huber", "poisson"]


def draw(name, dtype=np.float64, n_rows=N_ROWS):
    """Return the loss of this name, raw scores, targets and uneven weights."""
    loss, n_columns, make_targets = CASES[name]
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(n_rows, n_columns))
    y = make_targets(raw)
    y = y if y.dtype == np.int64 else y.astype(dtype)
    return loss, raw.astype(dtype), y, rng.uniform(0.2, 1.0, size=n_rows)


def each_loss(names=CASES):
    return pytest.mark.parametrize("name", list(names))


each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def central_differences(f, x, h=1e-3):
    """Fourth-order differences of f, one entry of x at a time."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):

        def at(step, index=index):
            moved = x.copy()
            moved[index] += step * h
            return f(moved)

        gradient[index] = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)
    return gradient


def exact_log1p_exp(x):
    """Return log(1 + exp(x)) as a Decimal; x is a float, taken exactly."""
    with localcontext(Context(prec=60, Emin=-9999, Emax=9999)):
        x = Decimal(float(x))
        if x < -60:  # 1 + exp(x) would need more digits; the next term is exp(3x) / 3
            return x.exp() - (2 * x).exp() / 2
        return (1 + x.exp()).ln()


def exact_log_softmax(scores):
    """Return the log-softmax of one row as floats, by way of Decimals."""
    with localcontext(Context(prec=950, Emin=-9999, Emax=9999)):
        row = [Decimal(float(s)) for s in scores]
        total = sum(s.exp() for s in row).ln()
        return [float(s - total) for s in row]


class TestEveryLoss:
    def test_cases_cover_every_registered_and_exported_loss(self):
        """A new loss cannot escape the tests below."""
        covered = {type(loss) for loss, _, _ in CASES.values()}
        assert set(REGRESSION_LOSSES.values()) <= covered
        public = set(losses.__all__) - {"Loss", "REGRESSION_LOSSES"}
        assert {getattr(losses, name) for name in public} == covered

    @each_loss()
    def test_gradient_is_the_derivative_of_the_value(self, name):
        """The exactness promise of every gradient in the library starts here."""
        loss, raw, y, w = draw(name)
        _, d_raw = loss.value_and_gradient(raw, y, w)
        slow = central_differences(lambda r: loss.value_and_gradient(r, y, w)[0], raw)
        assert_allclose(d_raw, slow, rtol=1e-7, atol=1e-9 * np.abs(slow).max())

    @each_dtype
    @each_loss()
    def test_value_is_a_float_and_gradient_is_like_raw(self, name, dtype):
        """The kernels behind have one signature per dtype, and want C order."""
        loss, raw, y, w = draw(name, dtype)
        for weights in (w, w.astype(np.float32)):
            for targets in (y, y.astype(np.float64)):
                value, d_raw = loss.value_and_gradient(raw, targets, weights)
                assert type(value) is float
                assert d_raw.dtype == dtype and d_raw.shape == raw.shape
                assert d_raw.flags.c_contiguous
        assert loss.predict(raw).dtype == dtype
        assert loss.initial_raw(y, w).dtype == np.float64

    @each_loss()
    def test_float32_agrees_with_float64(self, name):
        """float32 differs by rounding only, a wrong cast would show."""
        loss, raw, y, w = draw(name)
        value, d_raw = loss.value_and_gradient(raw, y, w)
        value_32, d_raw_32 = loss.value_and_gradient(raw.astype(np.float32), y, w)
        assert_allclose(value_32, value, rtol=2e-6)
        assert_allclose(d_raw_32, d_raw, rtol=2e-5, atol=1e-7)

    @each_loss()
    def test_read_only_input_is_taken_and_left_alone(self, name):
        """Memory-mapped targets work, and raw scores survive for the caller."""
        loss, raw, y, w = draw(name)
        before = raw.copy(), y.copy(), w.copy()
        for array in (raw, y, w):
            array.flags.writeable = False
        loss.value_and_gradient(raw, y, w)
        loss.predict(raw)
        loss.initial_raw(y, w)
        loss.check_targets(y)
        for array, old in zip((raw, y, w), before, strict=True):
            assert_array_equal(array, old)

    @each_loss()
    def test_weights_enter_linearly(self, name):
        """A row of weight zero is absent, and weights add up."""
        loss, raw, y, w = draw(name)
        v = w[::-1].copy()
        value_w, d_w = loss.value_and_gradient(raw, y, w)
        value_v, d_v = loss.value_and_gradient(raw, y, v)
        value, d_raw = loss.value_and_gradient(raw, y, 2 * w + v)
        assert_allclose(value, 2 * value_w + value_v, rtol=1e-13)
        assert_allclose(d_raw, 2 * d_w + d_v, rtol=1e-12, atol=1e-15)

        w[2] = 0
        value, d_raw = loss.value_and_gradient(raw, y, w)
        rest = np.arange(len(w)) != 2
        without, d_rest = loss.value_and_gradient(raw[rest], y[rest], w[rest])
        assert_allclose(value, without, rtol=1e-13)
        assert_array_equal(d_raw[rest], d_rest)
        assert not d_raw[2].any()

    @each_dtype
    @each_loss()
    def test_value_is_added_up_in_float64(self, name, dtype):
        """A small term next to a large one is not lost in float32."""
        loss, raw, y, _ = draw(name, dtype, n_rows=2)
        w = np.array([1.0, 1e-9], dtype=dtype)
        first, _ = loss.value_and_gradient(raw[:1], y[:1], w[:1])
        second, _ = loss.value_and_gradient(raw[1:], y[1:], np.ones(1, dtype))
        both, _ = loss.value_and_gradient(raw, y, w)
        assert_allclose(both - first, 1e-9 * second, rtol=1e-4)

    def test_a_row_is_added_up_in_float64(self):
        """Neither is a small column next to a large one."""
        raw = np.ones((1, 1001), dtype=np.float32)
        raw[0, 0] = 1e9
        value, _ = AbsoluteError().value_and_gradient(raw, 0 * raw, np.ones(1))
        assert_allclose(value, (1e9 + 1000) / 1001, rtol=1e-14)

    @each_loss()
    def test_scores_that_are_no_numbers_give_no_number(self, name):
        """A diverged network is seen in the value, without a warning or an error."""
        loss, raw, y, w = draw(name)
        raw[1] = np.nan
        value, d_raw = loss.value_and_gradient(raw, y, w)
        assert np.isnan(value) and np.isnan(d_raw[1]).all()
        assert np.isfinite(np.delete(d_raw, 1, axis=0)).all()

    @each_dtype
    @each_loss()
    def test_extreme_scores_raise_no_floating_point_error(self, name, dtype):
        """Scores of +-1000 are finite in everything, underflow is no accident."""
        loss, raw, y, w = draw(name, dtype)
        raw = np.resize([1000.0, -1000.0, 0.0, 90.0, -90.0], raw.shape).astype(dtype)
        with np.errstate(all="raise"):
            value, d_raw = loss.value_and_gradient(raw, y, w / 33)
            predicted = loss.predict(raw)
            assert np.isfinite(loss.initial_raw(y, w)).all()
        assert np.isfinite(value)
        assert np.isfinite(d_raw).all() and np.isfinite(predicted).all()

    @each_loss()
    def test_empty_batch_costs_nothing(self, name):
        """An empty shard adds zero instead of failing."""
        loss, raw, y, w = draw(name)
        value, d_raw = loss.value_and_gradient(raw[:0], y[:0], w[:0])
        assert value == 0.0 and d_raw.shape == (0, raw.shape[1])
        assert len(loss.predict(raw[:0])) == 0

    @each_loss()
    def test_initial_raw_minimises_the_loss(self, name):
        """The best constant is exact, so training starts at the base rate."""
        loss, raw, y, w = draw(name, n_rows=40)
        start = loss.initial_raw(y, w)
        assert start.shape == (raw.shape[1],)

        def value(column, score):
            constant = np.tile(start, (len(y), 1))
            constant[:, column] = score
            return loss.value_and_gradient(constant, y, w)[0]

        for column, score in enumerate(start):
            bounds = score - 3.1, score + 2.9
            best = minimize_scalar(
                lambda s, k=column: value(k, s), bounds=bounds, method="bounded"
            )
            assert value(column, score) <= best.fun * (1 + 1e-12)

    @each_loss()
    def test_initial_raw_knows_only_the_weighted_distribution(self, name):
        """Weight two is two copies, weight zero is no sample, order is nothing."""
        loss, _, y, _ = draw(name, n_rows=12)
        times = np.resize([1, 2, 0, 3], 12)
        weighted = loss.initial_raw(y, times / times.sum())
        copies = np.repeat(y, times, axis=0)[::-1]
        equal = np.full(len(copies), 1 / len(copies))
        assert_allclose(loss.initial_raw(copies, equal), weighted, rtol=1e-9)

    @each_loss()
    def test_pickle_gives_the_same_loss(self, name):
        """Losses travel to worker processes."""
        loss, raw, y, w = draw(name)
        again = pickle.loads(pickle.dumps(loss))
        value, _ = loss.value_and_gradient(raw, y, w)
        assert again.value_and_gradient(raw, y, w)[0] == value
        assert_array_equal(again.predict(raw), loss.predict(raw))

    @each_loss(COLUMNWISE)
    def test_value_does_not_grow_with_the_number_of_columns(self, name):
        """The loss is a mean over outputs: one learning rate fits any number."""
        loss, raw, y, w = draw(name)
        value, _ = loss.value_and_gradient(raw, y, w)
        twice, _ = loss.value_and_gradient(np.hstack([raw] * 2), np.hstack([y] * 2), w)
        assert_allclose(twice, value, rtol=1e-14)

    @each_loss(sorted(REGRESSION_LOSSES))
    def test_one_dimensional_targets_are_one_column(self, name):
        """(B,) against (B, 1) must never broadcast to (B, B)."""
        loss, raw, y, w = draw(name)
        raw, y = raw[:, :1], y[:, :1]
        value, d_raw = loss.value_and_gradient(raw, y, w)
        flat, d_flat = loss.value_and_gradient(raw, y.ravel(), w)
        assert flat == value
        assert_array_equal(d_flat, d_raw)
        assert_array_equal(loss.initial_raw(y, w), loss.initial_raw(y.ravel(), w))
        with pytest.raises(ValueError, match="cannot reshape array"):
            loss.value_and_gradient(raw, y[:-1], w)

    @pytest.mark.parametrize(
        "name, n_targets, n_raw, out_activation",
        [
            ("categorical", 1, 4, "softmax"),
            ("binary", 1, 1, "logistic"),
            ("multilabel", 3, 3, "logistic"),
            ("squared_error", 2, 2, "identity"),
            ("absolute_error", 2, 2, "identity"),
            ("huber", 2, 2, "identity"),
            ("poisson", 2, 2, "exp"),
            ("quantile", 2, 2, "identity"),
            ("quantiles", 2, 6, "ordered"),
        ],
    )
    def test_sizes_and_activation(self, name, n_targets, n_raw, out_activation):
        """The readout is as wide as the loss needs; names match scikit-learn's."""
        loss, n_columns, _ = CASES[name]
        assert loss.n_raw(n_targets) == n_raw == n_columns
        assert loss.out_activation == out_activation


class TestValues:
    """Numbers computed by hand, and scikit-learn's metrics."""

    @pytest.mark.parametrize(
        "loss, raw, y, value, d_raw",
        [
            (CategoricalCrossEntropy(2), [0, 0], 1, np.log(2), [0.5, -0.5]),
            (
                CategoricalCrossEntropy(3),
                np.log([1, 2, 5]),
                1,
                np.log(4),
                [1 / 8, -3 / 4, 5 / 8],
            ),
            (CategoricalCrossEntropy(1), [7], 0, 0.0, [0]),
            (BinaryCrossEntropy(), [np.log(3)], 1, np.log(4 / 3), [-0.25]),
            (BinaryCrossEntropy(), [np.log(3)], 0, np.log(4), [0.75]),
            (
                MultilabelCrossEntropy(),
                [np.log(3), 0],
                [0, 1],
                np.log(8) / 2,
                [0.375, -0.25],
            ),
            (SquaredError(), [3, 0], [1, 1], 1.25, [1, -0.5]),
            (AbsoluteError(), [3, 1], [1, 1], 1.0, [0.5, 0]),
            (Huber(0.5), [3], [1], 0.875, [0.5]),
            (Huber(0.5), [-3], [-1], 0.875, [-0.5]),
            (Huber(3), [3], [1], 2.0, [2]),
            (Poisson(), [np.log(2)], [2], 0.0, [0]),
            (Poisson(), [0.0], [0], 1.0, [1]),
            (Poisson(), [0.0], [3], 1 + 3 * np.log(3) - 3, [-2]),
            (Quantile(0.1), [3], [1], 1.8, [0.9]),
            (Quantile(0.1), [1], [3], 0.2, [-0.1]),
            # levels 0 and log(2): one below the target 0.5, one above it
            (
                Quantile((0.2, 0.6)),
                [0, 0],
                [0.5],
                (0.2 * 0.5 + 0.4 * (np.log(2) - 0.5)) / 2,
                [(-0.2 + 0.4) / 2, 0.4 / 2 / 2],
            ),
        ],
    )
    def test_by_hand(self, loss, raw, y, value, d_raw):
        """The equation of each docstring, as numbers."""
        raw, y = np.array([raw], dtype=np.float64), np.array([y])
        result, gradient = loss.value_and_gradient(raw, y, np.ones(1))
        assert_allclose(result, value, rtol=1e-14, atol=1e-15)
        assert_allclose(gradient, [d_raw], rtol=1e-14, atol=1e-15)

    @pytest.mark.parametrize(
        "name, metric",
        [
            ("categorical", lambda y, p, w: metrics.log_loss(y, p, sample_weight=w)),
            ("binary", lambda y, p, w: metrics.log_loss(y, p, sample_weight=w)),
            (
                "squared_error",
                lambda y, p, w: metrics.mean_squared_error(y, p, sample_weight=w) / 2,
            ),
            (
                "absolute_error",
                lambda y, p, w: metrics.mean_absolute_error(y, p, sample_weight=w),
            ),
            (
                "quantile",
                lambda y, p, w: metrics.mean_pinball_loss(
                    y, p, sample_weight=w, alpha=0.3
                ),
            ),
            (
                "poisson",
                lambda y, p, w: (
                    metrics.mean_poisson_deviance(
                        y.ravel(), p.ravel(), sample_weight=np.repeat(w, 2)
                    )
                    / 2
                ),
            ),
        ],
    )
    def test_against_scikit_learn_metrics(self, name, metric):
        """A loss curve can be compared with the metric of the same name."""
        loss, raw, y, w = draw(name)
        w /= w.sum()
        value, _ = loss.value_and_gradient(raw, y, w)
        assert_allclose(value, metric(y, loss.predict(raw), w), rtol=1e-12)

    def test_several_quantiles_average_the_single_ones(self):
        """A joint fit of quantiles has the loss of separate ones."""
        loss, raw, y, w = draw("quantiles")
        levels = loss.predict(raw)
        single = [
            Quantile(q).value_and_gradient(levels[:, :, k].copy(), y, w)[0]
            for k, q in enumerate(QUANTILES)
        ]
        value, _ = loss.value_and_gradient(raw, y, w)
        assert_allclose(value, np.mean(single), rtol=1e-13)

    def test_binary_is_categorical_on_zero_and_raw(self):
        """One column or two: the same model."""
        loss, raw, y, w = draw("binary")
        pair = np.hstack([np.zeros_like(raw), raw])
        two = CategoricalCrossEntropy(2)
        value, d_raw = loss.value_and_gradient(raw, y, w)
        value_2, d_pair = two.value_and_gradient(pair, y, w)
        assert_allclose(value, value_2, rtol=1e-13)
        assert_allclose(d_raw, d_pair[:, 1:], rtol=1e-12)
        assert_allclose(loss.predict(raw), two.predict(pair), rtol=1e-13)
        assert_allclose(loss.log_proba(raw), two.log_proba(pair), rtol=1e-13)


class TestExactLogLosses:
    """Full relative precision from -1000 to 1000, checked with 60-digit decimals."""

    SCORES = (-1000, -700, -87, -80, -40, -16, -1e-3, 0, 1e-8, 0.7, 17, 37, 90, 1000)

    @each_dtype
    def test_softplus(self, dtype):
        """log(1 + exp(x)) is the root of all log losses here."""
        x = np.array(self.SCORES, dtype=dtype)
        exact = np.array([float(exact_log1p_exp(v)) for v in x])
        tiny = np.finfo(dtype).tiny
        with np.errstate(all="raise"):
            result = softplus(x)
        assert_allclose(result, exact, rtol=4 * np.finfo(dtype).eps, atol=tiny)

    def test_softplus_inverse(self):
        """Initial increments of quantiles are found for any size."""
        value = np.array([1e-300, 1e-20, 1e-4, 0.7, 30.0, 1000.0])
        assert_allclose(softplus(softplus_inverse(value)), value, rtol=1e-12)

    @each_dtype
    @pytest.mark.parametrize("label", [0, 1])
    @each_loss(["binary", "multilabel"])
    def test_binary_losses(self, name, label, dtype):
        """No log(sigmoid) and no p - y: value and gradient keep their digits."""
        loss = CASES[name][0]
        tolerance = {"rtol": 6 * np.finfo(dtype).eps, "atol": np.finfo(dtype).tiny}
        for score in self.SCORES:
            raw, y = np.array([[score]], dtype=dtype), np.array([label])
            value, d_raw = loss.value_and_gradient(raw, y, np.ones(1))
            wrong = -raw[0, 0] if label else raw[0, 0]
            p_wrong = float((-exact_log1p_exp(-wrong)).exp())
            assert_allclose(value, float(exact_log1p_exp(wrong)), **tolerance)
            assert_allclose(d_raw, [[-p_wrong if label else p_wrong]], **tolerance)

    @each_dtype
    @pytest.mark.parametrize(
        "scores",
        [
            (1000, -1000, 0),
            (-1000, -1000, -1000),
            (1000, 999, 998),
            (0, -40, -41),
            (20, 0, 20),
            (1e-3, 2e-3, -300),
        ],
    )
    def test_categorical(self, scores, dtype):
        """The loss of a confident row is small, not zero."""
        loss = CategoricalCrossEntropy(3)
        raw = np.array([scores], dtype=dtype)
        exact = np.array(exact_log_softmax(raw[0]))
        tolerance = {"rtol": 4 * np.finfo(dtype).eps, "atol": np.finfo(dtype).tiny}
        assert_allclose(loss.log_proba(raw), [exact], **tolerance)
        assert_allclose(loss.predict(raw), np.exp([exact]), rtol=1e-6, atol=1e-37)
        for y in range(3):
            value, d_raw = loss.value_and_gradient(raw, np.array([y]), np.ones(1))
            assert_allclose(value, -exact[y], **tolerance)
            slope = np.exp(exact)
            slope[y] = -np.delete(slope, y).sum()
            assert_allclose(d_raw, [slope], rtol=1e-6, atol=1e-37)

    @each_dtype
    @each_loss(CLASSIFIERS)
    def test_probabilities_stay_probabilities(self, name, dtype):
        """predict_proba is in [0, 1] with rows that add up to one, at any score."""
        loss, raw, _, _ = draw(name, dtype, n_rows=30)
        raw = np.vstack([raw, 30 * raw, 1000 * raw])
        p, log_p = loss.predict(raw), loss.log_proba(raw)
        assert p.dtype == log_p.dtype == dtype and p.shape == log_p.shape
        assert (p >= 0).all() and (p <= 1).all() and (log_p <= 0).all()
        assert np.isfinite(log_p).all()
        assert_allclose(np.exp(log_p), p, rtol=1e-4, atol=1e-30)
        if name != "multilabel":
            assert_allclose(p.sum(axis=1), 1, rtol=4 * np.finfo(dtype).eps)

    def test_poisson_of_large_counts_in_float32(self):
        """exp(raw) - y raw cancels: float32 would leave no digit of this value."""
        y, raw = np.array([[1e6]]), np.float32(np.log(1e6) + 1e-3).reshape(1, 1)
        value, _ = Poisson().value_and_gradient(raw, y, np.ones(1))
        shift = float(raw[0, 0]) - np.log(1e6)
        assert_allclose(value, 1e6 * (np.expm1(shift) - shift), rtol=1e-6)

    @each_dtype
    def test_poisson_goes_on_along_the_tangent(self, dtype):
        """Beyond the range of exp the gradient is still that of the value."""
        w, y = np.ones(1), np.array([[3.0]])
        low, high = np.array([[400.0]], dtype), np.array([[410.0]], dtype)
        value_low, slope_low = Poisson().value_and_gradient(low, y, w)
        value_high, slope_high = Poisson().value_and_gradient(high, y, w)
        assert_array_equal(slope_low, slope_high)
        assert_allclose(value_high - value_low, 10 * slope_low.item(), rtol=1e-6)
        assert np.isfinite(slope_low**2).all()

    @each_dtype
    def test_poisson_predictions_are_positive(self, dtype):
        """scikit-learn's Poisson deviance refuses a prediction of zero."""
        raw = np.array([[-1000.0], [1000.0], [1.0]], dtype=dtype)
        predicted = Poisson().predict(raw)
        assert (predicted > 0).all() and np.isfinite(predicted).all()
        assert_allclose(predicted[2], np.e, rtol=1e-6)


class TestInitialRaw:
    def test_known_answers(self):
        """Base rates in closed form."""
        w = np.array([0.25, 0.5, 0.25])
        y = np.array([[1.0], [2.0], [9.0]])
        assert_allclose(SquaredError().initial_raw(y, w), [3.5])
        assert_allclose(AbsoluteError().initial_raw(y, w), [2.0])
        assert_allclose(Poisson().initial_raw(y, w), [np.log(3.5)])
        labels = np.array([0, 2, 2])
        thirds = CategoricalCrossEntropy(3).initial_raw(labels, w)
        assert_allclose(thirds, np.log([0.25, 1e-6, 0.75]))
        assert_allclose(BinaryCrossEntropy().initial_raw(labels > 0, w), np.log([3]))

    @pytest.mark.parametrize(
        "loss, y, expected",
        [
            (CategoricalCrossEntropy(1), np.zeros(3, int), [0.0]),
            (CategoricalCrossEntropy(2), np.zeros(3, int), [0.0, np.log(1e-6)]),
            (BinaryCrossEntropy(), np.ones(3, int), [-np.log(1e-6)]),
            (MultilabelCrossEntropy(), np.zeros((3, 1), int), [np.log(1e-6)]),
            (Poisson(), np.zeros((3, 1)), [np.log(1e-12)]),
            (Huber(), np.full((3, 1), 5.0), [5.0]),
            (Quantile((0.1, 0.9)), np.full((3, 1), 5.0), [5.0, np.log(1e-4)]),
        ],
    )
    def test_degenerate_targets_give_finite_scores(self, loss, y, expected):
        """One class, no events, a constant: training still starts somewhere."""
        start = loss.initial_raw(y, np.full(3, 1 / 3))
        assert_allclose(start, expected, rtol=1e-4, atol=1e-5)

    def test_quantiles_of_the_data_come_back(self):
        """The start of a quantile model predicts the quantiles of y."""
        rng = np.random.default_rng(0)
        y, w = rng.normal(size=(200, 2)), np.full(200, 1 / 200)
        loss = Quantile(QUANTILES)
        levels = loss.predict(loss.initial_raw(y, w)[np.newaxis])[0]
        expected = np.quantile(y, QUANTILES, axis=0, method="averaged_inverted_cdf")
        assert_allclose(levels, expected.T, rtol=1e-10)

    def test_ties_give_the_middle_whatever_the_rounding(self):
        """Copies and weights must agree although 6 * (1 / 6) is rounded."""
        for n in range(2, 60, 2):
            y = np.arange(n, dtype=float)
            middle = weighted_quantile(y, np.full(n, 1 / n), [0.5])
            assert_allclose(middle, [np.median(y)])

    def test_highest_level_ignores_values_without_weight(self):
        """A value of weight zero is not in the data, not even as its maximum."""
        y, w = np.array([9.0, 1.0]), np.array([0.0, 1.0])
        assert_array_equal(weighted_quantile(y, w, [1 - 1e-12]), [1.0])

    def test_huber_location_between_median_and_mean(self):
        """A small delta gives the median, a large one the mean, in any units."""
        rng = np.random.default_rng(0)
        y, w = rng.exponential(size=51), np.full(51, 1 / 51)
        assert_allclose(huber_location(y, w, 1e-9), np.median(y), rtol=1e-8)
        assert_allclose(huber_location(y, w, 1e9), y.mean(), rtol=1e-12)
        middle = huber_location(y, w, 0.5)
        assert np.median(y) < middle < y.mean()
        assert_allclose(huber_location(1e6 * y, w, 0.5e6), 1e6 * middle, rtol=1e-12)

    def test_huber_location_of_a_flat_minimum_is_its_middle(self):
        """Two far groups of equal weight: any point between would do."""
        y, w = np.array([0.0, 10.0, 500.0]), np.array([0.5, 0.5, 0.0])
        assert_allclose(huber_location(y, w, 1.0), 5.0)


class TestQuantile:
    @settings(deadline=None, max_examples=200)
    @given(data=st.data(), dtype=st.sampled_from(DTYPES), n_levels=st.integers(2, 6))
    def test_levels_never_cross(self, data, dtype, n_levels):
        """Whatever the network says, a higher quantile is not below a lower one."""
        width = 8 * np.dtype(dtype).itemsize
        scores = st.floats(-1e6, 1e6, width=width)
        raw = data.draw(arrays(dtype, (3, 2 * n_levels), elements=scores))
        loss = Quantile(np.linspace(0.05, 0.95, n_levels))
        levels = loss.predict(raw)
        assert levels.shape == (3, 2, n_levels) and levels.dtype == dtype
        assert (np.diff(levels, axis=2) >= 0).all()

    def test_columns_of_a_target_are_adjacent(self):
        """The layout of the raw columns is part of the conventions."""
        raw = np.array([[1.0, 0.0, 5.0, -1000.0]])
        levels = Quantile((0.2, 0.8)).predict(raw)
        assert_allclose(levels, [[[1.0, 1 + np.log(2)], [5.0, 5.0]]])

    def test_one_level_keeps_the_shape_of_the_targets(self):
        """A single quantile predicts like any other regressor."""
        raw = np.array([[1.0, 2.0]])
        assert_array_equal(Quantile(0.5).predict(raw), raw)
        assert_array_equal(Quantile((0.5,)).predict(raw), raw)


class TestErrors:
    @pytest.mark.parametrize(
        "loss, y, message",
        [
            (
                CategoricalCrossEntropy(3),
                [0, 2, 3, 4],
                r"^y\[2\] must be an integer from 0 to 2, got 3\.$",
            ),
            (CategoricalCrossEntropy(3), [0, -1], r"y\[1\] must be .* got -1\.$"),
            (CategoricalCrossEntropy(3), [0.5, 1.0], r"y\[0\] must be .* got 0.5"),
            (CategoricalCrossEntropy(3), [0.0, np.nan], r"y\[1\] must be .* got nan"),
            (BinaryCrossEntropy(), [0, 1, 2], r"y\[2\] must be 0 or 1, got 2"),
            (
                MultilabelCrossEntropy(),
                [[0, 1], [1, -1]],
                r"y\[1\] must be 0 or 1, got -1 in column 1",
            ),
            (
                Poisson(),
                [[1.0, 0.0], [2.0, -3.0], [-4.0, 0.0]],
                r"y\[1\] must be finite and non-negative, got -3.0 in column 1",
            ),
            (
                Poisson(),
                [1.0, np.inf],
                r"y\[1\] must be finite and non-negative, got inf",
            ),
            (SquaredError(), [[1.0], [np.nan]], r"y\[1\] must be finite, got nan\.$"),
            (AbsoluteError(), [np.inf], r"y\[0\] must be finite, got inf"),
            (Huber(), [np.nan], r"y\[0\] must be finite, got nan"),
            (Quantile(), [np.nan], r"y\[0\] must be finite, got nan"),
        ],
    )
    def test_refused_targets_are_named(self, loss, y, message):
        """The user reads what is wrong and where."""
        with pytest.raises(ValueError, match=message):
            loss.check_targets(np.array(y))

    @each_loss()
    def test_good_targets_pass(self, name):
        """Every loss takes what it is made for."""
        loss, _, y, _ = draw(name)
        loss.check_targets(y)
        loss.check_targets(y.astype(np.float32))

    @pytest.mark.parametrize("delta", [0, -1.0, np.inf, np.nan])
    def test_huber_delta(self, delta):
        """A delta that is no length is refused."""
        with pytest.raises(ValueError, match="delta must be a finite number > 0, got"):
            Huber(delta)

    @pytest.mark.parametrize(
        "quantiles",
        [0, 1, -0.1, (), (0.5, 0.5), (0.9, 0.1), (0.1, 1.2), np.nan, [[0.1], [0.2]]],
    )
    def test_quantile_levels(self, quantiles):
        """Levels out of order would change places with one another."""
        with pytest.raises(ValueError, match="quantiles must be strictly increasing"):
            Quantile(quantiles)

    def test_number_of_classes(self):
        """A softmax of nothing is refused."""
        with pytest.raises(ValueError, match="n_classes must be at least 1, got 0"):
            CategoricalCrossEntropy(0)
