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
    """Scores, chain, labels of which some are unknown, and weights."""
    rng = np.random.default_rng(seed)
    raw = scale * rng.standard_normal((N, K))
    chain = min(scale, 30.0) * rng.standard_normal((K + 2, K))
    return raw, chain, rng.integers(UNKNOWN, K, N), np.array([1.0, 0.5, 2.0])


def parts(*arrays):
    """The arrays of each sequence."""
    ends = np.cumsum(LENGTHS)
    for length, end in zip(LENGTHS, ends, strict=True):
        yield tuple(array[end - length : end] for array in arrays)


def scores_of_all(raw, chain):
    """Every label sequence of one sequence, with its score."""
    move, start, end = chain[:K], chain[K], chain[K + 1]
    found = {}
    for y in itertools.product(range(K), repeat=len(raw)):
        score = start[y[0]] + end[y[-1]] + sum(raw[t, k] for t, k in enumerate(y))
        found[y] = score + sum(move[j, k] for j, k in itertools.pairwise(y))
    return found


def naive_loss(raw, chain, labels, w):
    total = 0.0
    for weight, (scores, known) in zip(w, parts(raw, labels), strict=True):
        found = scores_of_all(scores, chain)
        agreeing = [
            score
            for y, score in found.items()
            if all(label in (UNKNOWN, k) for k, label in zip(y, known, strict=True))
        ]
        log_z = np.logaddexp.reduce(list(found.values()))
        total += weight * (log_z - np.logaddexp.reduce(agreeing))
    return total


@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 1000.0])
def test_the_loss_is_that_of_all_label_sequences(scale):
    raw, chain, labels, w = draw(scale)
    value = chain_loss(raw, chain, labels, w, LENGTHS)[0]
    assert_allclose(value, naive_loss(raw, chain, labels, w), rtol=1e-14, atol=1e-13)


def test_the_gradient_is_that_of_the_naive_loss():
    raw, chain, labels, w = draw()
    d_raw, d_chain = chain_loss(raw, chain, labels, w, LENGTHS)[1:]
    h = 1e-5
    for array, gradient in ((raw, d_raw), (chain, d_chain)):
        for place in np.ndindex(array.shape):
            kept, values = array[place], []
            for sign in (1, -1):
                array[place] = kept + sign * h
                values.append(naive_loss(raw, chain, labels, w))
            array[place] = kept
            assert_allclose(
                gradient[place], (values[0] - values[1]) / (2 * h), atol=1e-8
            )


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
    expected = []
    for (scores,) in parts(raw):
        found = scores_of_all(scores, chain)
        log_z = np.logaddexp.reduce(list(found.values()))
        rows = np.zeros((len(scores), K))
        for y, score in found.items():
            rows[np.arange(len(y)), y] += np.exp(score - log_z)
        expected.append(rows)
    marginals = chain_marginals(raw, chain, LENGTHS)
    assert_allclose(marginals, np.concatenate(expected), atol=1e-14)


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
