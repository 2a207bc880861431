"""The linear-chain conditional random field, against sums over all label sequences."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn.losses.chain import (
    UNKNOWN,
    LinearChain,
    chain_decode,
    chain_loss,
    chain_marginals,
)

K = 3
LENGTHS = np.array([4, 1, 3])
N = LENGTHS.sum()


def draw(scale=1.0, seed=0):
    """Scores, chain, labels of which some are unknown, and weights.

    Scores of transitions lie up to 350 apart, others as far as they like.
    """
    rng = np.random.default_rng(seed)
    raw = scale * rng.standard_normal((N, K))
    chain = scale * rng.standard_normal((K + 2, K))
    chain[:K] = np.clip(chain[:K], -175.0, 175.0)
    return raw, chain, rng.integers(UNKNOWN, K, N), np.array([1.0, 0.5, 2.0])


def parts(*arrays):
    """The arrays of each sequence."""
    ends = np.cumsum(LENGTHS)
    for length, end in zip(LENGTHS, ends, strict=True):
        yield tuple(array[end - length : end] for array in arrays)


def scores_of_all(raw, chain, known=None):
    """Every label sequence that agrees with what is known, with its score."""
    known = np.full(len(raw), UNKNOWN) if known is None else known
    transition, start, end = chain[:K], chain[K], chain[K + 1]
    allowed = [range(K) if label == UNKNOWN else [label] for label in known]
    found = {}
    for y in itertools.product(*allowed):
        score = start[y[0]] + end[y[-1]] + sum(raw[t, k] for t, k in enumerate(y))
        found[y] = score + sum(transition[j, k] for j, k in itertools.pairwise(y))
    return found


def naive_log_sums(raw, chain, labels, w):
    """``sum_b w_b log Z_b``, and the probabilities of labels and pairs, times w."""
    total, d_raw, d_chain = 0.0, [], np.zeros_like(chain)
    for weight, (scores, known) in zip(w, parts(raw, labels), strict=True):
        found = scores_of_all(scores, chain, known)
        log_z = np.logaddexp.reduce(list(found.values()))
        total += weight * log_z
        rows = np.zeros_like(scores)
        for y, score in found.items():
            share = weight * np.exp(score - log_z)
            rows[np.arange(len(y)), y] += share
            d_chain[K, y[0]] += share
            d_chain[K + 1, y[-1]] += share
            for pair in itertools.pairwise(y):
                d_chain[pair] += share
        d_raw.append(rows)
    return total, np.concatenate(d_raw), d_chain


@pytest.mark.filterwarnings("ignore:underflow")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 1000.0, 1e6])
def test_loss_and_gradient_are_those_of_all_label_sequences(scale, seed):
    """By their enumeration, of scores of any size."""
    raw, chain, labels, w = draw(scale, seed)
    free = naive_log_sums(raw, chain, np.full(N, UNKNOWN), w)
    known = naive_log_sums(raw, chain, labels, w)
    found = chain_loss(raw, chain, labels, w, LENGTHS)
    rounding = 1e-12 + 1e-15 * scale
    assert_allclose(found[0], free[0] - known[0], rtol=1e-13, atol=rounding)
    for k in (1, 2):
        assert_allclose(found[k], free[k] - known[k], atol=rounding)


def test_a_long_sequence_neither_overflows_nor_vanishes():
    """Where all scores are equal, each label is as probable as any other."""
    n = 5000
    raw, chain = np.full((n, K), 3.0), np.full((K + 2, K), 7.0)
    labels, w = np.zeros(n, np.int64), np.ones(1)
    value, d_raw, _ = chain_loss(raw, chain, labels, w, np.array([n]))
    assert_allclose(value, n * np.log(K), rtol=1e-12)
    assert_allclose(d_raw, [[1 / K - 1] + [1 / K] * (K - 1)] * n, rtol=1e-10)


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e30])
def test_no_scores_of_moves_give_nan(scale):
    raw, chain, labels, w = draw(scale)
    chain[:K] = scale * np.random.default_rng(1).standard_normal((K, K))
    value, d_raw, d_chain = chain_loss(raw, chain, labels, w, LENGTHS)
    assert np.isfinite([value, *d_raw.flat, *d_chain.flat]).all()
    marginals = chain_marginals(raw, chain, LENGTHS)
    assert_allclose(marginals.sum(axis=1), 1.0)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_the_decoded_labels_have_the_highest_score(scale):
    raw, chain, _, _ = draw(scale)
    expected = []
    for (scores,) in parts(raw):
        found = scores_of_all(scores, chain)
        expected += max(found, key=found.get)
    assert_array_equal(chain_decode(raw, chain, LENGTHS), expected)


def test_marginals_are_sums_over_label_sequences():
    raw, chain, _, _ = draw()
    expected = naive_log_sums(raw, chain, np.full(N, UNKNOWN), np.ones(3))[1]
    assert_allclose(chain_marginals(raw, chain, LENGTHS), expected, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_object_takes_steps_in_any_order(dtype):
    """Rows tell where the steps are; steps of weight zero have unknown labels."""
    raw, chain, labels, w = draw()
    order = np.random.default_rng(1).permutation(N)
    rows = np.argsort(order)
    known = np.where(labels == UNKNOWN, 0, labels)
    weights = np.where(labels == UNKNOWN, 0.0, np.repeat(w, LENGTHS))
    weights[[4]] = 0.5  # a sequence whose only label may be unknown keeps its weight
    labels[4] = known[4]
    loss = LinearChain(K)
    below = np.concatenate([raw[order], chain]).astype(dtype)
    y = known[order], rows, LENGTHS
    value, d_raw = loss.value_and_gradient(below, y, weights[order])
    expected = chain_loss(raw.astype(dtype), chain.astype(dtype), labels, w, LENGTHS)
    assert d_raw.dtype == dtype
    assert_allclose(value, expected[0], rtol=1e-12)
    assert_array_equal(d_raw[:N][rows], expected[1])
    assert_array_equal(d_raw[N:], expected[2])
