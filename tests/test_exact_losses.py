"""Every loss at raw scores from -1000 to 1000, against mpmath with 50 digits.

mpmath is given the very floats that the loss gets. `eps` is the distance from 1 to the
next float of the dtype; the functions that a loss is made of (exp, log1p, expit) come
within one or two eps of their value at any score, and so must the loss, within as many
eps as each test states. Below the smallest normal number, a loss may be rounded to it.
"""

import itertools
import math

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from skrnn import RNNClassifier
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

DTYPES = [np.float32, np.float64]
EDGES = (1e-30, 30.0, 88.0, 710.0, 1000.0, 0.3)
SCORES = (0.0, *EDGES, *(-edge for edge in EDGES))
LEVELS = (0.01, 0.5, 0.99)
LARGEST_LOG = {np.float32: 88, np.float64: 710}

each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


def exactly(values):
    """The floats of an array, as they are."""
    return [mpf(float(value)) for value in np.ravel(values)]


def assert_exact(found, exact, dtype, n_eps=4.0, size=0):
    """Within `n_eps` eps of each exact number, or of the `size` of what it sums up."""
    info = np.finfo(dtype)
    for value, expected in zip(exactly(found), exact, strict=True):
        allowed = n_eps * float(info.eps) * max(abs(expected), size)
        assert abs(value - expected) <= allowed + float(info.tiny), (value, expected)


def value_and_gradient(loss, raw, y, dtype):
    """Of one row; floating-point errors other than underflow are errors."""
    with np.errstate(all="raise", under="ignore"):
        value, d_raw = loss.value_and_gradient(
            np.array([raw], dtype), np.array([y]), np.ones(1)
        )
    assert d_raw.dtype == dtype and math.isfinite(value) and np.isfinite(d_raw).all()
    return value, d_raw


def softplus(x):
    return mp.log1p(mp.exp(x))


def expit(x):
    return 1 / (1 + mp.exp(-x))


# Log losses


@each_dtype
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("loss", [BinaryCrossEntropy(), MultilabelCrossEntropy()])
def test_two_classes(loss, label, dtype):
    for score in SCORES:
        (raw,) = exactly(dtype(score))
        against = -raw if label else raw
        slope = -expit(against) if label else expit(against)
        value, d_raw = value_and_gradient(loss, [score], [label], dtype)
        assert_exact(value, [softplus(against)], dtype)
        assert_exact(d_raw, [slope], dtype)


def span(raw, dtype):
    """Largest distance from the top score that leaves a probability.

    The difference of two scores has a rounding error of half an eps of itself, and as
    many eps more has its exponential.
    """
    distances = max(raw) - np.array(raw)
    return min(distances.max(), LARGEST_LOG[dtype])


@each_dtype
def test_many_classes(dtype):
    """Each pair of scores next to a third of zero; each class in turn is the true."""
    loss = CategoricalCrossEntropy(3)
    for scores in itertools.product(SCORES[::2], SCORES[1::2], (0.0,)):
        raw = np.array(scores, dtype)
        for label in range(3):
            ratios = [mp.exp(r - exactly(raw)[label]) for r in exactly(raw)]
            others = sum(r for k, r in enumerate(ratios) if k != label)
            slopes = [r / (1 + others) for r in ratios]
            slopes[label] = -others / (1 + others)
            n_eps = 4 + span(raw, dtype)
            value, d_raw = value_and_gradient(loss, scores, label, dtype)
            assert_exact(value, [mp.log1p(others)], dtype, n_eps)
            assert_exact(d_raw, slopes, dtype, n_eps)


# Regression losses. An error is one subtraction of floats, so it is exact to half an
# eps; so is what is made of it.


def squared(error):
    return error**2 / 2, error


def absolute(error):
    return abs(error), mp.sign(error)


def huber(error, delta=0.75):
    clipped = max(min(error, mpf(delta)), -mpf(delta))
    return clipped * (error - clipped / 2), clipped


def pinball(error, level):
    """(1 - q) e above the target, -q e below; in the middle at it."""
    slope = (mp.sign(error) + 1) / 2 - mpf(level)
    return slope * error, slope


REGRESSION = {
    "squared_error": (SquaredError(), squared),
    "absolute_error": (AbsoluteError(), absolute),
    "huber": (Huber(0.75), huber),
    **{f"{q}": (Quantile(q), lambda e, q=q: pinball(e, q)) for q in LEVELS},
}
TARGETS = (0.0, 1e-30, 2.5, -88.25, 1000.0, -1000.0)


def test_every_regression_loss_is_tried():
    tried = {type(loss) for loss, _ in REGRESSION.values()} | {Poisson}
    assert tried == set(REGRESSION_LOSSES.values())


@each_dtype
@pytest.mark.parametrize("name", REGRESSION)
def test_losses_of_an_error(name, dtype):
    """A pinball loss of level q is q times an error, as a difference of two halves: its
    rounding error is an eps of the error, not of the product."""
    loss, exact = REGRESSION[name]
    for score, target in itertools.product(SCORES, TARGETS):
        (raw,), (y,) = exactly(dtype(score)), exactly(dtype(target))
        value, d_raw = value_and_gradient(loss, [score], [dtype(target)], dtype)
        expected, slope = exact(raw - y)
        is_pinball = isinstance(loss, Quantile)
        size = abs(raw - y) if is_pinball else 0
        assert_exact(value, [expected], dtype, size=size)
        assert_exact(d_raw, [slope], dtype, size=1 if is_pinball else 0)
        assert_exact(loss.predict(np.array([[score]], dtype)), [raw], dtype, 0.0)


@each_dtype
def test_several_quantiles(dtype):
    """Levels are sums; the error allowed is that of their largest term."""
    loss, n = Quantile(LEVELS), len(LEVELS)
    for scores in itertools.product((-1000.0, -88.0, 0.0, 30.0, 710.0), repeat=n):
        raw = exactly(np.array(scores, dtype))
        levels = [raw[0]]
        levels += [levels[0] + softplus(raw[1])]
        levels += [levels[1] + softplus(raw[2])]
        predicted = loss.predict(np.array([scores], dtype))
        size = abs(raw[0]) + levels[-1] - levels[0]
        assert_exact(predicted, levels, dtype, size=size)
        assert (np.diff(predicted) >= 0).all()
        for target in (0.3, -2000.25, 5000.5):
            (y,) = exactly(dtype(target))
            pairs = [pinball(t - y, q) for t, q in zip(levels, LEVELS, strict=True)]
            values, slopes = zip(*pairs, strict=True)
            moved = [expit(r) if k else 1 for k, r in enumerate(raw)]
            gradient = [moved[k] * sum(slopes[k:]) / n for k in range(n)]
            value, d_raw = value_and_gradient(loss, scores, [dtype(target)], dtype)
            assert_exact(value, [sum(values) / n], dtype, size=size + abs(y))
            assert_exact(d_raw, gradient, dtype, size=max(moved))


@each_dtype
def test_poisson(dtype):
    """Computed in float64, so the eps are those of float64 until it is rounded.

    Beyond the square root of the largest float, exp goes on along its tangent.
    """
    cap = mpf(0.5 * math.log(np.finfo(dtype).max))
    for score, target in itertools.product(SCORES, (0.0, 1e-30, 1.0, 1000.0, 1e6)):
        (raw,), (y,) = exactly(dtype(score)), exactly(dtype(target))
        mean = mp.exp(min(raw, cap))
        tangent = mean * (1 + max(raw - cap, 0))
        at_zero = y * mp.log(y) - y if y else mpf(0)
        value, d_raw = value_and_gradient(Poisson(), [score], [dtype(target)], dtype)
        size = max(tangent, abs(y * raw), abs(y * mp.log(y)) if y else 0)
        assert_exact(value, [tangent - y * raw + at_zero], np.float64, size=size)
        size = max(mean, y) * mpf(2.0**-52 / float(np.finfo(dtype).eps))
        assert_exact(d_raw, [mean - y], dtype, size=size)
        predicted = Poisson().predict(np.array([[score]], dtype))
        clipped = max(min(raw, cap), -cap)
        n_eps = 4 + float(cap) * (clipped != raw)  # the cap is rounded to the dtype
        assert_exact(predicted, [mp.exp(clipped)], dtype, n_eps)


# Through an estimator


X = [np.ones((1 + i % 3, 2)) for i in range(6)]
LABELS = {
    "binary": np.arange(6) % 2,
    "multiclass": np.arange(6) % 3,
    "multilabel": np.array([[0, 1], [1, 0], [1, 1]] * 2),
}


@pytest.fixture(scope="module")
def classifiers():
    """Classifiers whose raw scores are the head's bias."""
    fitted = {}
    for (name, y), dtype in itertools.product(LABELS.items(), DTYPES):
        est = RNNClassifier(2, max_iter=1, random_state=0, dtype=dtype.__name__)
        fitted[name, dtype] = est.fit(X, y)
        est.weights_["head_weight"][:] = 0.0
    return fitted


def exact_log_proba(name, raw):
    if name == "multiclass":
        others = [
            sum(mp.exp(r - own) for j, r in enumerate(raw) if j != k)
            for k, own in enumerate(raw)
        ]
        return [-mp.log1p(other) for other in others]
    if name == "binary":
        return [-softplus(raw[0]), -softplus(-raw[0])]
    return [-softplus(-r) for r in raw]


@each_dtype
@pytest.mark.parametrize("name", LABELS)
def test_probabilities_and_their_logarithms(name, dtype, classifiers):
    """Finite at any score, and right: no logarithm of a probability rounded to zero."""
    est = classifiers[name, dtype]
    bias = est.weights_["head_bias"]
    for scores in itertools.product(SCORES, repeat=min(bias.size, 2)):
        bias[:] = (*scores, 0.0)[: bias.size]
        log_p, p = est.predict_log_proba(X[:1]), est.predict_proba(X[:1])
        assert log_p.dtype == p.dtype == dtype and np.isfinite(log_p).all()
        exact = exact_log_proba(name, exactly(bias))
        n_eps = 4 + (span(bias, dtype) if name == "multiclass" else 0)
        assert_exact(log_p, exact, dtype, n_eps)
        assert_exact(p, [mp.exp(e) for e in exact], dtype, n_eps)
        if name != "multilabel":
            assert exact[est.predict(X[:1])[0]] == max(exact)
