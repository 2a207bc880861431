"""A linear-chain conditional random field on the scores of every step.

::

    score(y) = start[y_1] + end[y_T] + sum_t raw[t, y_t]
               + sum_(t>1) transition[y_(t-1), y_t]
    P(y)     = exp(score(y)) / Z,      Z the sum over all label sequences of length T

The loss of a sequence is ``log Z - log Z_known``, where the second sum runs over the
label sequences that agree with what is known: where each step has its label, minus the
log-probability of the labels. Both sums, and their gradients, the probabilities of
labels and of pairs of them, come from the forward-backward recursion; the most probable
labels from Viterbi's.

The recursions add up exponentials in float64, at each step over the largest. What that
rounds to zero is too little to be seen, whatever the scores of steps are, as long as
those of transitions lie within 350 of each other.

Sizes: N steps of B sequences, K labels. Steps lie one sequence after the other.
`chain`, (K + 2, K), holds `transition`, the score of a label (column) after a label
(row), then `start` and `end`.

References
----------
J. Lafferty, A. McCallum and F. Pereira, "Conditional random fields: probabilistic
models for segmenting and labeling sequence data", ICML 2001.
L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech
recognition", Proc. IEEE 77(2), 1989: alpha, beta, their scaling, Viterbi.
"""

import numpy as np

from skrnn.jit import specialise
from skrnn.losses.classification import CategoricalCrossEntropy

UNKNOWN = -1
LEAST_TRANSITION = -600.0  # below the best one: no sum is ever zero


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
    scores, transitions, _, _ = _scores(raw, chain, lengths)
    labels, backpointers = np.empty(len(raw), np.int64), np.zeros(raw.shape, np.int64)
    arrival = np.empty(len(transitions))
    specialise(_decode, np.float64)(
        scores, transitions, lengths, arrival, backpointers, labels
    )
    return labels


def _scores(raw, chain, lengths):
    """Scores of steps, with `start` and `end`; of transitions; first and last rows."""
    scores, chain = raw.astype(np.float64), chain.astype(np.float64)
    n_labels, last = raw.shape[1], np.cumsum(lengths) - 1
    first = last + 1 - lengths
    scores[first] += chain[n_labels]
    scores[last] += chain[n_labels + 1]
    return scores, chain[:n_labels], first, last


def _log_sums(raw, chain, labels, w, lengths):
    """``sum_b w_b log Z_b`` over what agrees with `labels`, and its gradient."""
    scores, transitions, first, last = _scores(raw, chain, lengths)
    d_scores, d_transitions = np.empty_like(scores), np.zeros_like(transitions)
    with np.errstate(under="ignore", divide="ignore"):
        highest = transitions.max()
        transitions = np.exp(np.maximum(transitions - highest, LEAST_TRANSITION))
        value = specialise(_add_log_sums, np.float64)(
            (scores, labels, w.astype(np.float64), lengths),
            (highest, transitions, np.ascontiguousarray(transitions.T)),
            (np.empty_like(scores), np.empty((2, len(transitions)))),
            d_scores,
            d_transitions,
        )
        d_transitions *= transitions
    d_ends = [d_scores[rows].sum(axis=0) for rows in (first, last)]
    return float(value), d_scores, np.concatenate([d_transitions, d_ends])


def _add_log_sums(data, chain, workspace, d_scores, d_transitions):
    """Weighted sum of the logarithms of all sequences.

    Write to `d_scores` w times the probabilities of labels, and add to `d_transitions`
    w times those of pairs of labels, divided by the exponentials of their transitions.
    """
    (scores, labels, w, lengths), (highest, transitions, transposed) = data, chain
    potentials, buffers = workspace
    begin, value = 0, 0.0
    for b in range(lengths.size):
        end = begin + lengths[b]
        log_sum = (lengths[b] - 1) * highest
        for i in range(begin, end):
            log_sum += _exponentials(scores[i], labels[i], potentials[i])
        log_sum += _forward(potentials, transitions, begin, end, buffers[0], d_scores)
        _backward(
            potentials, transposed, w[b], begin, end, buffers, d_scores, d_transitions
        )
        value += w[b] * log_sum
        begin = end
    return value


def _exponentials(scores, label, out):
    """Store exp(score - top) and return top, of the known label or the largest."""
    if label >= 0:
        out[:] = 0.0
        out[label] = 1.0
        return scores[label]
    top = scores[0]
    for k in range(scores.size):
        top = max(top, scores[k])
    for k in range(scores.size):
        out[k] = np.exp(scores[k] - top)
    return top


def _forward(potentials, transitions, begin, end, message, alpha):
    """Store the sums up to each step, over the largest; return the logarithm of all."""
    log_sum = 0.0
    message[:] = 1.0
    for i in range(begin, end):
        log_sum += np.log(_scale(potentials[i], message, alpha[i]))
        _multiply(alpha[i], transitions, message)
    return log_sum + np.log(alpha[end - 1].sum())


def _backward(potentials, transposed, w, begin, end, buffers, d_scores, d_transitions):
    """Make probabilities of the alpha in `d_scores`, by sums from the end, beta."""
    beta, weighted_beta = buffers[0], buffers[1]
    beta[:] = 1.0
    for i in range(end - 1, begin - 1, -1):
        alpha = d_scores[i]
        factor = w / _dot(alpha, beta)
        if i < end - 1:
            _add_outer(factor, alpha, weighted_beta, d_transitions)
        for k in range(alpha.size):
            alpha[k] *= factor * beta[k]
        _scale(potentials[i], beta, weighted_beta)
        _multiply(weighted_beta, transposed, beta)


def _scale(x, y, out):
    """Store the products of x and y, over the largest; return that."""
    top = 0.0
    for k in range(out.size):
        out[k] = x[k] * y[k]
        top = max(top, out[k])
    for k in range(out.size):
        out[k] /= top
    return top


def _multiply(x, matrix, out):
    out[:] = 0.0
    for j in range(x.size):
        if x[j] > 0.0:
            for k in range(out.size):
                out[k] += x[j] * matrix[j, k]


def _add_outer(factor, x, y, out):
    for j in range(x.size):
        if x[j] > 0.0:
            for k in range(y.size):
                out[j, k] += factor * x[j] * y[k]


def _dot(x, y):
    total = 0.0
    for k in range(x.size):
        total += x[k] * y[k]
    return total


def _decode(best, transitions, lengths, arrival, backpointers, labels):
    """Viterbi: `best` holds the scores of the steps, and then those of the paths."""
    K, begin = best.shape[1], 0
    for b in range(lengths.size):
        end = begin + lengths[b]
        for i in range(begin + 1, end):
            _step_best(best[i - 1], transitions, arrival, backpointers[i])
            for k in range(K):
                best[i, k] += arrival[k]
        label = best[end - 1].argmax()
        for i in range(end - 1, begin, -1):
            labels[i] = label
            label = backpointers[i, label]
        labels[begin] = label
        begin = end


def _step_best(best, transitions, arrival, backpointers):
    """Score of the best path to each label, and the label from which it comes."""
    arrival[:] = -np.inf
    for j in range(best.size):
        for k in range(best.size):
            score = best[j] + transitions[j, k]
            if score > arrival[k]:
                arrival[k] = score
                backpointers[k] = j


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
