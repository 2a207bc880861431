"""A PyTorch network of the shape of skrnn's, trained by a loop written with care."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.nn.utils.rnn import (
    pack_padded_sequence,
    pad_packed_sequence,
    pad_sequence,
)

from peers.torch import LAYERS

POOL = 8  # minibatches whose sequences are sorted by length together


@dataclass(frozen=True)
class Shape:
    """What a network looks like; `embedding_dim` makes its input token ids."""

    units: int
    cell: str = "gru"
    bidirectional: bool = False
    pooling: str = "last"
    embedding_dim: int | None = None


class Sequences:
    """Sequences of any length, made into tensors before the clock starts."""

    def __init__(self, X):
        self.x = pad_sequence([torch.as_tensor(x) for x in X], batch_first=True)
        self.lengths = torch.tensor([len(x) for x in X])
        self.ragged = bool((self.lengths != self.lengths[0]).any())

    def take(self, rows):
        """Some sequences, cut off after the longest, and their lengths."""
        lengths = self.lengths.index_select(0, rows)
        return self.x[:, : lengths.max()].index_select(0, rows), lengths

    def batches(self, size):
        """The rows of each minibatch of an epoch, longest first, of similar length."""
        order = torch.randperm(len(self.lengths))
        if not self.ragged:
            return list(order.split(size))
        pools = [
            pool[self.lengths[pool].argsort(descending=True)]
            for pool in order.split(POOL * size)
        ]
        batches = [rows for pool in pools for rows in pool.split(size)]
        return [batches[i] for i in torch.randperm(len(batches))]


class Network(nn.Module):
    """An embedding if need be, a recurrent layer, a pooling or none, a linear head."""

    def __init__(self, shape, n_inputs, n_outputs, packed):
        super().__init__()
        self.pooling, self.packed, self.embedding = shape.pooling, packed, None
        if shape.embedding_dim is not None:
            self.embedding = nn.Embedding(n_inputs, shape.embedding_dim, padding_idx=0)
            n_inputs = shape.embedding_dim
        self.layer = LAYERS[shape.cell](
            n_inputs, shape.units, batch_first=True, bidirectional=shape.bidirectional
        )
        n_features = shape.units * (1 + shape.bidirectional)
        self.head = nn.Linear(n_features, n_outputs)

    @torch.no_grad()
    def start_from(self, y):
        """Let the head begin with the log-odds of the labels, which most leave out.

        Without it the rare labels of a piano roll keep the biases busy: Adam moves each
        by at most the learning rate in an update.
        """
        share = y.x[real_steps(y.lengths, y.x.shape[1])].mean(0)
        self.head.bias.copy_(share.clamp(1e-3, 1 - 1e-3).logit())

    def forward(self, x, lengths):
        """Raw scores of each sequence, or of each real step, one below the other."""
        if self.embedding is not None:
            x = self.embedding(x)
        out, last = (self._run_packed if self.packed else self._run_padded)(x, lengths)
        if self.pooling == "last":
            return self.head(last)
        real = real_steps(lengths, out.shape[1])
        if self.pooling == "max":
            hidden = out.masked_fill(~real[..., None], -torch.inf)
            return self.head(hidden.max(1).values)
        return self.head(out[real])

    def _run_packed(self, x, lengths):
        packed, state = self.layer(pack_padded_sequence(x, lengths, batch_first=True))
        state = state[0] if isinstance(state, tuple) else state
        out, _ = pad_packed_sequence(packed, batch_first=True)
        return out, torch.cat(tuple(state), 1)

    def _run_padded(self, x, lengths):
        out, state = self.layer(x)
        if not self.layer.bidirectional:
            return out, out[torch.arange(len(out)), lengths - 1]
        state = state[0] if isinstance(state, tuple) else state
        return out, torch.cat(tuple(state), 1)


def real_steps(lengths, n_steps):
    """Where a padded minibatch holds steps, (B, T)."""
    return torch.arange(n_steps) < lengths[:, None]


class TorchModel:
    """Trained with Adam, one cycle of the learning rate and clipped gradients.

    Parameters
    ----------
    shape : Shape
    task : {"classes", "labels"}
        One class, or several labels at once.
    n_inputs, n_outputs : int
        Features, or ids with an embedding; classes or labels.
    threads : int
    packed : bool
        Whether minibatches are packed or padded. Both are right, and either may be the
        faster; in two directions only packing is right for ragged sequences.
    """

    rate, batch_size = 1e-2, 32

    def __init__(self, shape, task, n_inputs, n_outputs, threads, packed):
        self.shape, self.task, self.packed = shape, task, packed
        self.n_inputs, self.n_outputs, self.threads = n_inputs, n_outputs, threads

    def prepare(self, X, y):
        """Tensors for `fit`."""
        if self.shape.pooling == "steps":
            return Sequences(X), Sequences(y)
        return Sequences(X), torch.as_tensor(y)

    def fit(self, data, epochs, seed=0):
        """Train a new network."""
        torch.set_num_threads(self.threads)
        torch.manual_seed(seed)
        self.network = Network(self.shape, self.n_inputs, self.n_outputs, self.packed)
        sequences, y = data
        if self.task == "labels":
            self.network.start_from(y)
        parameters = list(self.network.parameters())
        optimizer = torch.optim.Adam(parameters, lr=self.rate, fused=True)
        n_batches = len(sequences.batches(self.batch_size))
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.rate, total_steps=epochs * n_batches, cycle_momentum=False
        )
        for _ in range(epochs):
            for rows in sequences.batches(self.batch_size):
                optimizer.zero_grad(set_to_none=True)
                x, lengths = sequences.take(rows)
                self._loss(self.network(x, lengths), y, rows).backward()
                nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
                optimizer.step()
                schedule.step()
        return self

    def _loss(self, raw, y, rows):
        if isinstance(y, Sequences):
            y, lengths = y.take(rows)
            y = y[real_steps(lengths, y.shape[1])]
        else:
            y = y.index_select(0, rows)
        if self.task == "classes":
            return cross_entropy(raw, y)
        return binary_cross_entropy_with_logits(raw, y, reduction="none").sum(1).mean()

    @torch.inference_mode()
    def probabilities(self, X):
        """Of each class or label, for each sequence or step, one below the other."""
        torch.set_num_threads(self.threads)
        rows = sorted(range(len(X)), key=lambda i: -len(X[i]))
        raw = [None] * len(X)
        x, lengths = Sequences([X[i] for i in rows]).take(torch.arange(len(X)))
        scores = self.network(x, lengths)
        sizes = lengths.tolist() if self.shape.pooling == "steps" else [1] * len(X)
        for row, part in zip(rows, scores.split(sizes), strict=True):
            raw[row] = part
        raw = torch.cat(raw)
        made = raw.softmax(1) if self.task == "classes" else raw.sigmoid()
        return made.numpy()
