"""A linear-chain conditional random field on the scores of every step.

::

    score(y) = start[y_1] + sum_t raw[t, y_t] + sum_(t>1) move[y_(t-1), y_t] + end[y_T]
    P(y)     = exp(score(y)) / Z,      Z the sum over all label sequences of length T

The loss of a sequence is ``log Z - log Z_known``, where the second sum runs over the
label sequences that agree with what is known: where each step has its label, minus the
log-probability of the labels. Both sums, and their gradients, the probabilities of
labels and of pairs of them, come from the forward-backward recursion; the most probable
labels from Viterbi's. All runs in float64 and on logarithms: scores may have any size,
those of moves may lie 700 apart.

Sizes: N steps of B sequences, K labels. Steps lie one sequence after the other.
`chain`, (K + 2, K), holds `move`, the score of a label (column) after a label (row),
then `start` and `end`.

References
----------
J. Lafferty, A. McCallum and F. Pereira, "Conditional random fields: probabilistic
models for segmenting and labeling sequence data", ICML 2001.
"""

import numpy as np

from skrnn.jit import specialise
from skrnn.losses.classification import CategoricalCrossEntropy

UNKNOWN = -1


def chain_loss(raw, chain, labels, w, lengths):
    """Weighted loss of all sequences, and its gradient.

    Parameters
    ----------
    raw : ndarray of shape (N, K)
    chain : ndarray of shape (K + 2, K)
    labels : ndarray of shape (N,), int64
        From 0 to K - 1, or UNKNOWN.
    w : ndarray of shape (B,)
    lengths : ndarray of shape (B,), int64

    Returns
    -------
    value : float
    d_raw, d_chain : ndarray
        Of the shapes and types of `raw` and `chain`.
    """
    free = np.full_like(labels, UNKNOWN)
    value, d_raw, d_chain = _log_sums(raw, chain, free, w, lengths)
    known, d_raw_known, d_chain_known = _log_sums(raw, chain, labels, w, lengths)
    d_raw -= d_raw_known
    d_chain -= d_chain_known
    return value - known, d_raw.astype(raw.dtype), d_chain.astype(chain.dtype)


def chain_marginals(raw, chain, lengths):
    """Probability of each label at each step, (N, K)."""
    free, w = np.full(len(raw), UNKNOWN), np.ones(lengths.size)
    return _log_sums(raw, chain, free, w, lengths)[1]


def chain_decode(raw, chain, lengths):
    """Most probable labels of each sequence, (N,)."""
    labels = np.empty(len(raw), np.int64)
    best = np.array(raw, np.float64)
    came_from = np.empty(raw.shape, np.int64)
    specialise(_decode, np.float64)(
        best, chain.astype(np.float64), lengths, came_from, labels
    )
    return labels


def _log_sums(raw, chain, labels, w, lengths):
    """``sum_b w_b log Z_b`` over what agrees with `labels`, and its gradient."""
    raw, chain = raw.astype(np.float64), chain.astype(np.float64)
    n_labels = raw.shape[1]
    peak = chain[:n_labels].max()
    d_raw, d_chain = np.zeros_like(raw), np.zeros_like(chain)
    with np.errstate(under="ignore", divide="ignore"):
        moves = np.exp(chain[:n_labels] - peak)
        value = specialise(_add_log_sums, np.float64)(
            (raw, chain, moves, np.ascontiguousarray(moves.T)),
            peak,
            labels,
            w.astype(np.float64),
            lengths,
            (np.empty_like(raw), np.empty_like(raw)),
            np.empty((2, n_labels)),
            d_raw,
            d_chain,
        )
    return float(value), d_raw, d_chain


def _add_log_sums(scores, peak, labels, w, lengths, sums, shares, d_raw, d_chain):
    begin, value = 0, 0.0
    for b in range(lengths.size):
        end = begin + lengths[b]
        log_z = _sum_before(scores, peak, labels, begin, end, sums[0], shares)
        _sum_behind(scores, peak, labels, begin, end, sums[1], shares)
        _add_labels(scores, w[b], log_z, begin, end, sums, d_raw, d_chain)
        _add_moves(scores, w[b], begin, end, sums, shares, d_chain)
        value += w[b] * log_z
        begin = end
    return value


def _sum_before(scores, peak, labels, begin, end, before, shares):
    """Log-sums up to each step, with its own score; return log Z."""
    raw, chain, _, moves_to = scores
    K, top = raw.shape[1], 0.0
    for i in range(begin, end):
        for k in range(K):
            score = chain[K, k]
            if i > begin:
                score = top + peak + np.log(_dot(shares[0], moves_to[k]))
            before[i, k] = _allow(score + raw[i, k], labels[i], k)
        top = _exponentials(before[i], shares[0])
    for k in range(K):
        shares[1, k] = before[end - 1, k] + chain[K + 1, k]
    top = _exponentials(shares[1], shares[0])
    return top + np.log(shares[0].sum())


def _sum_behind(scores, peak, labels, begin, end, behind, shares):
    """Log-sums from each step on, with its own score."""
    raw, chain, moves, _ = scores
    K, top = raw.shape[1], 0.0
    for i in range(end - 1, begin - 1, -1):
        for k in range(K):
            score = chain[K + 1, k]
            if i < end - 1:
                score = top + peak + np.log(_dot(shares[0], moves[k]))
            behind[i, k] = _allow(score + raw[i, k], labels[i], k)
        top = _exponentials(behind[i], shares[0])


def _add_labels(scores, w, log_z, begin, end, sums, d_raw, d_chain):
    """Add w times the probability of each label at each step."""
    raw, (before, behind) = scores[0], sums
    K = raw.shape[1]
    for i in range(begin, end):
        for k in range(K):
            share = w * np.exp(before[i, k] + behind[i, k] - raw[i, k] - log_z)
            d_raw[i, k] += share
            if i == begin:
                d_chain[K, k] += share
            if i == end - 1:
                d_chain[K + 1, k] += share


def _add_moves(scores, w, begin, end, sums, shares, d_chain):
    """Add w times the probability of each pair of labels in consecutive steps."""
    moves, (before, behind) = scores[2], sums
    K = moves.shape[0]
    for i in range(begin + 1, end):
        _exponentials(before[i - 1], shares[0])
        _exponentials(behind[i], shares[1])
        total = 0.0
        for j in range(K):
            total += shares[0, j] * _dot(moves[j], shares[1])
        for j in range(K):
            factor = w * shares[0, j] / total
            for k in range(K):
                d_chain[j, k] += factor * moves[j, k] * shares[1, k]


def _allow(score, label, k):
    """The score, or minus infinity where the label is known to be another."""
    return score if label < 0 or label == k else -np.inf


def _dot(x, y):
    total = 0.0
    for k in range(x.size):
        total += x[k] * y[k]
    return total


def _exponentials(scores, out):
    """Store exp(score - top) and return top, the largest score."""
    top = scores[0]
    for k in range(scores.size):
        top = max(top, scores[k])
    for k in range(scores.size):
        out[k] = np.exp(scores[k] - top)
    return top


def _decode(best, chain, lengths, came_from, labels):
    """Viterbi: `best` holds the scores of the steps, and then those of the paths."""
    K, begin = best.shape[1], 0
    for b in range(lengths.size):
        end = begin + lengths[b]
        for k in range(K):
            best[begin, k] += chain[K, k]
        for i in range(begin + 1, end):
            for k in range(K):
                j = _best_before(best[i - 1], chain, k)
                best[i, k] += best[i - 1, j] + chain[j, k]
                came_from[i, k] = j
        for k in range(K):
            best[end - 1, k] += chain[K + 1, k]
        label = best[end - 1].argmax()
        for i in range(end - 1, begin, -1):
            labels[i] = label
            label = came_from[i, label]
        labels[begin] = label
        begin = end


def _best_before(best, chain, k):
    """The label from which the best path to label k comes."""
    j = 0
    for i in range(1, best.size):
        if best[i] + chain[i, k] > best[j] + chain[j, k]:
            j = i
    return j


class LinearChain(CategoricalCrossEntropy):
    """Minus the log-probability of the labels of whole sequences, per step.

    Here `raw` has the K + 2 rows of `chain` behind those of the steps, and `y` holds
    three arrays: the labels of the steps, the rows of the steps, one sequence after the
    other, and the lengths. A step of weight 0 has an unknown label; the others of a
    sequence weigh the same.
    """

    out_activation = "crf"

    def n_own_rows(self, n_raw):
        return n_raw + 2

    def value_and_gradient(self, raw, y, w):
        """Return the weighted sum of ``(log Z - log Z_known)``, and its gradient."""
        y, rows, lengths = y
        known = np.where(w > 0.0, y, UNKNOWN)[rows]
        w = np.maximum.reduceat(w[rows], np.cumsum(lengths) - lengths)
        n_steps = rows.size
        value, d_steps, d_chain = chain_loss(
            raw[rows], raw[n_steps:], known, w, lengths
        )
        d_raw = np.concatenate([np.empty_like(d_steps), d_chain])
        d_raw[rows] = d_steps
        return value, d_raw
