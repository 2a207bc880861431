"""From the outputs of every step to one vector for each sequence, or for each step.

A pooling sees the outputs of a minibatch in one chunk of steps or in several, first to
last: `begin`, `update` for each chunk, `end`. On the way back `backward` gives for one
chunk the gradient with respect to its outputs. Chunks are packed, so that the rows of
step t belong to the first ``sizes[t]`` sequences. `backward` also returns the
gradient with respect to the last outputs, (n, F).

Sizes: B sequences, F features, N steps of all sequences in the chunk, n of the B
sequences active in it.

A stream has no end: `step` takes one more output of each of n streams and gives their
pooled outputs so far. What it must know of the steps before, it finds in columns of the
streams' state, (n, `n_columns`), and updates there. They are zero before the first
step.
"""

import numpy as np

from skrnn.jit import specialise
from skrnn.network.parameters import glorot


class Pooling:
    """What the poolings share: no parameters, and a state that is a dict of arrays.

    Attributes
    ----------
    reads_steps : bool
        Whether it reads the outputs of all steps, or the last ones only.
    answers_steps : bool
        Whether it makes a vector of each step, or one of each sequence.
    n_planes : int
        Arrays (N, F) that `backward` makes.
    n_kept : int
        Arrays (N, F) that are kept of all chunks together.
    """

    reads_steps = True
    answers_steps = False
    n_planes = 1
    n_kept = 0

    def shapes(self, n_features):
        """Shapes of the parameters by name."""
        return {}

    def initialise(self, views, rng):
        """Fill the parameters."""

    def n_columns(self, n_features):
        """Numbers that a stream carries from step to step."""
        return 1 + n_features

    def of_chunk(self, values, chunk):
        """The entries of pooled values that the steps of a chunk bear on."""
        return values[: chunk.n]

    def spread(self, values, plan):
        """Values of each sequence, (B, F), for each pooled vector."""
        return values

    def restore(self, packed, values):
        """Pooled values in the order in which the minibatch was given."""
        return packed.restore(values)


class EveryStep(Pooling):
    """No pooling: an answer for each step, N vectors in the order of packed rows."""

    answers_steps = True
    n_kept = 1

    def begin(self, plan, n_features, dtype):
        return {"outputs": np.empty((plan.n_rows, n_features), dtype), "n_rows": 0}

    def update(self, views, pool, out, plan, last_output):
        first = pool["n_rows"]
        pool["n_rows"] += len(out)
        pool["outputs"][first : pool["n_rows"]] = out

    def end(self, pool, lengths):
        return pool["outputs"]

    def backward(self, views, gradient, pool, d_pooled, out, chunk):
        return d_pooled, np.zeros((chunk.n, out.shape[1]), out.dtype)

    def of_chunk(self, values, chunk):
        return values[chunk.rows]

    def spread(self, values, plan):
        return values[plan.sequence_of_row]

    def restore(self, packed, values):
        return values.take(packed.plan.unpacked_rows, axis=0)

    def n_columns(self, n_features):
        return 0

    def step(self, views, columns, out, plan):
        return out


class LastPooling(Pooling):
    """The output after the last real step; of a backward layer, after the first."""

    reads_steps = False
    n_planes = 0

    def begin(self, plan, n_features, dtype):
        return {"pooled": np.empty((plan.n_sequences, n_features), dtype)}

    def update(self, views, pool, out, plan, last_output):
        pool["pooled"][: last_output.shape[0]] = last_output

    def end(self, pool, lengths):
        return pool["pooled"]

    def backward(self, views, gradient, pool, d_pooled, out, chunk):
        d_last = d_pooled.copy()
        d_last[: chunk.n_going_on] = 0.0
        return out[:0], d_last

    def n_columns(self, n_features):
        return 0

    def step(self, views, columns, out, plan):
        return out


class MeanPooling(Pooling):
    """The mean output over the real steps, added up in float64."""

    def begin(self, plan, n_features, dtype):
        return {"sum": np.zeros((plan.n_sequences, n_features)), "dtype": dtype}

    def update(self, views, pool, out, plan, last_output):
        _kernel(_add_steps, out)(out, plan.starts, plan.sizes, pool["sum"])

    def end(self, pool, lengths):
        share = (1.0 / lengths)[:, None]
        pool["share"] = share.astype(pool["dtype"])
        return (pool["sum"] * share).astype(pool["dtype"], copy=False)

    def backward(self, views, gradient, pool, d_pooled, out, chunk):
        share = d_pooled * pool["share"][: chunk.n]
        return share[chunk.plan.sequence_of_row], np.zeros_like(d_pooled)

    def n_columns(self, n_features):
        return 2 * (1 + n_features)

    def step(self, views, columns, out, plan):
        """Columns: the number of steps and the sums, in two parts."""
        sums = _joined(columns)
        sums[:, 0] += 1.0
        sums[:, 1:] += out
        _part(sums, columns)
        return (sums[:, 1:] / sums[:, :1]).astype(out.dtype, copy=False)


class MaxPooling(Pooling):
    """The largest output over the real steps, feature by feature."""

    def begin(self, plan, n_features, dtype):
        shape = (plan.n_sequences, n_features)
        return {
            "max": np.full(shape, -np.inf, dtype),
            "step": np.zeros(shape, np.int64),
            "n_steps": 0,
        }

    def update(self, views, pool, out, plan, last_output):
        _kernel(_max_steps, out)(
            out, plan.starts, plan.sizes, pool["n_steps"], pool["max"], pool["step"]
        )
        pool["n_steps"] += plan.sizes.size

    def end(self, pool, lengths):
        return pool["max"]

    def backward(self, views, gradient, pool, d_pooled, out, chunk):
        plan = chunk.plan
        d_out = np.zeros_like(out)
        pool["n_steps"] -= plan.sizes.size
        _kernel(_put_at_steps, out)(
            d_pooled, pool["step"], pool["n_steps"], plan.starts, plan.sizes, d_out
        )
        return d_out, np.zeros_like(d_pooled)

    def step(self, views, columns, out, plan):
        """Columns: 1 after the first step, and the largest outputs."""
        begun, largest = columns[:, :1], columns[:, 1:]
        np.maximum(largest, out, out=largest, where=begun > 0.0)
        np.copyto(largest, out, where=begun == 0.0)
        begun[:] = 1.0
        return largest


class AttentionPooling(Pooling):
    """A mean over the real steps with learnt weights.

    ::

        s_t = v . tanh(W h_t + b),    a_t = exp(s_t) / sum_k exp(s_k)
        pooled = sum_t a_t h_t

    The sums are kept relative to the largest score so far, in float64.

    References
    ----------
    Z. Yang et al., "Hierarchical attention networks for document classification",
    NAACL 2016, equations 5 to 7.
    """

    n_planes = 4

    def shapes(self, n_features):
        return {
            "attention_weight": (n_features, n_features),
            "attention_bias": (n_features,),
            "attention_score_weight": (n_features,),
        }

    def initialise(self, views, rng):
        n_features = views["attention_bias"].size
        views["attention_weight"][:] = glorot(rng, (n_features, n_features))
        views["attention_bias"][:] = 0.0
        views["attention_score_weight"][:] = glorot(rng, (1, n_features))[0]

    def begin(self, plan, n_features, dtype):
        return {
            "sum": np.zeros((plan.n_sequences, n_features)),
            "top": np.full(plan.n_sequences, -np.inf, dtype),
            "total": np.zeros(plan.n_sequences),
        }

    def scores(self, views, out):
        """Hidden layer and score of each step, (N, F) and (N,)."""
        hidden = out @ views["attention_weight"].T
        hidden += views["attention_bias"]
        np.tanh(hidden, out=hidden)
        return hidden, hidden @ views["attention_score_weight"]

    def update(self, views, pool, out, plan, last_output):
        self.add(pool, out, self.scores(views, out)[1], plan)

    def add(self, pool, out, scores, plan):
        """Add steps with these scores, (N,), to the weighted sums."""
        sums = pool["sum"], pool["top"], pool["total"]
        _kernel(_add_weighted_steps, out)(out, scores, plan.starts, plan.sizes, *sums)

    def end(self, pool, lengths):
        pooled = pool["sum"] / pool["total"][:, None]
        pool["pooled"] = pooled.astype(pool["top"].dtype, copy=False)
        return pool["pooled"]

    def weights(self, pool, scores, plan):
        """Weight of each step, (N,)."""
        b = plan.sequence_of_row
        shares = np.exp(scores - pool["top"][b]) / pool["total"][b]
        return shares.astype(scores.dtype, copy=False)

    def backward(self, views, gradient, pool, d_pooled, out, chunk):
        b = chunk.plan.sequence_of_row
        hidden, scores = self.scores(views, out)
        weights = self.weights(pool, scores, chunk.plan)
        d_out = weights[:, None] * d_pooled[b]
        d_score = np.einsum("nf,nf->n", d_out, out - pool["pooled"][b])
        gradient["attention_score_weight"] += d_score @ hidden
        d_hidden = np.outer(d_score, views["attention_score_weight"])
        d_hidden *= 1 - hidden * hidden
        gradient["attention_weight"] += d_hidden.T @ out
        gradient["attention_bias"] += d_hidden.sum(axis=0)
        d_out += d_hidden @ views["attention_weight"]
        return d_out, np.zeros_like(d_pooled)

    def n_columns(self, n_features):
        return 3 + 2 * n_features

    def step(self, views, columns, out, plan):
        """Columns: total weight and weighted sums in two parts, the largest score."""
        parts, top = columns[:, :-1], columns[:, -1]
        sums = _joined(parts)
        begun = sums[:, 0] > 0.0
        pool = {
            "sum": sums[:, 1:].copy(),
            "top": np.where(begun, top, -np.inf).astype(top.dtype, copy=False),
            "total": sums[:, 0].copy(),
        }
        self.update(views, pool, out, plan, out)
        sums[:, 0], sums[:, 1:] = pool["total"], pool["sum"]
        _part(sums, parts)
        top[:] = pool["top"]
        return self.end(pool, plan.lengths)


class StepWeights(AttentionPooling):
    """The weights of attention pooling, (N,), in the place of what they weigh."""

    def begin(self, plan, n_features, dtype):
        return {**super().begin(plan, n_features, dtype), "scores": []}

    def update(self, views, pool, out, plan, last_output):
        scores = self.scores(views, out)[1]
        self.add(pool, out, scores, plan)
        pool["scores"].append((scores, plan))

    def end(self, pool, lengths):
        return np.concatenate([self.weights(pool, *part) for part in pool["scores"]])


POOLINGS = {
    "last": LastPooling,
    "mean": MeanPooling,
    "max": MaxPooling,
    "attention": AttentionPooling,
}
READOUTS = {**POOLINGS, "steps": EveryStep}


def _joined(parts):
    """Sums in float64 that a stream keeps in two parts of its own type."""
    n = parts.shape[1] // 2
    return parts[:, :n].astype(np.float64) + parts[:, n:]


def _part(sums, parts):
    """Store sums, rounded, and beside them what the rounding took away."""
    n = sums.shape[1]
    parts[:, :n] = sums
    parts[:, n:] = sums - parts[:, :n]


def _kernel(function, out):
    return specialise(function, out.dtype)


def _add_steps(out, starts, sizes, total):
    for t in range(sizes.size):
        for b in range(sizes[t]):
            for f in range(out.shape[1]):
                total[b, f] += out[starts[t] + b, f]


def _max_steps(out, starts, sizes, first_step, largest, step):
    for t in range(sizes.size):
        for b in range(sizes[t]):
            for f in range(out.shape[1]):
                value = out[starts[t] + b, f]
                if value > largest[b, f] or value != value:  # NaN is handed on
                    largest[b, f] = value
                    step[b, f] = first_step + t


def _put_at_steps(values, step, first_step, starts, sizes, out):
    for b in range(sizes[0]):
        for f in range(out.shape[1]):
            t = step[b, f] - first_step
            if 0 <= t and t < sizes.size:
                out[starts[t] + b, f] = values[b, f]


def _add_weighted_steps(out, scores, starts, sizes, total, top, total_weight):
    for t in range(sizes.size):
        for b in range(sizes[t]):
            row = starts[t] + b
            if scores[row] > top[b]:
                shrink = np.exp(top[b] - scores[row])
                top[b] = scores[row]
                total_weight[b] *= shrink
                for f in range(out.shape[1]):
                    total[b, f] *= shrink
            weight = np.exp(scores[row] - top[b])
            total_weight[b] += weight
            for f in range(out.shape[1]):
                total[b, f] += weight * out[row, f]
