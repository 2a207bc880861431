"""The PyTorch twin: the same network, trained by a loop written with care."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

LAYERS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class Whole:
    """Sequences of one length."""

    def __init__(self, X):
        self.X = torch.from_numpy(np.asarray(X))

    def last_states(self, layer, rows):
        """The state of one recurrent layer after the last step of some sequences."""
        return final_state(layer(self.X.index_select(0, rows)))


class _Ragged:
    def __init__(self, X):
        self.X = pad_sequence([torch.from_numpy(x) for x in X], batch_first=True)
        self.lengths = torch.tensor([len(x) for x in X])


class Packed(_Ragged):
    """Sequences of any length, sorted and packed for each minibatch."""

    def last_states(self, layer, rows):
        lengths, order = self.lengths.index_select(0, rows).sort(descending=True)
        padded = self.X[:, : lengths[0]].index_select(0, rows[order])
        packed = pack_padded_sequence(padded, lengths, batch_first=True)
        return final_state(layer(packed)).index_select(0, order.argsort())


class Padded(_Ragged):
    """Sequences of any length, run to the end of the longest in each minibatch.

    PyTorch's fused LSTM takes no packed sequences, so padding is the faster way there.
    """

    def last_states(self, layer, rows):
        lengths = self.lengths.index_select(0, rows)
        output, _ = layer(self.X[:, : lengths.max()].index_select(0, rows))
        return output[torch.arange(len(rows)), lengths - 1]


def final_state(result):
    """The output after the last step, from what a recurrent layer returns."""
    _, state = result
    return (state[0] if isinstance(state, tuple) else state)[-1]


class Twin:
    """A recurrent layer and a linear head, trained with Adam on minibatches.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
    units, batch_size : int
    threads : int
        How many threads PyTorch may use in `fit` and `predict`.
    feed : type
        How sequences enter the layer: `Whole`, `Packed` or `Padded`.
    """

    def __init__(self, cell, units, batch_size, threads, feed=Whole):
        self.cell = cell
        self.units = units
        self.batch_size = batch_size
        self.threads = threads
        self.feed = feed

    def prepare(self, X, y):
        """Tensors for `fit`, made before the clock starts."""
        return self.feed(X), torch.from_numpy(y)

    def fit(self, data, epochs):
        """Train a new network for a number of epochs."""
        torch.set_num_threads(self.threads)
        torch.manual_seed(0)
        sequences, y = data
        self._build(sequences.X.shape[-1], int(y.max()) + 1)
        parameters = [*self.layer.parameters(), *self.head.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)
        self.loss_curve = []
        for _ in range(epochs):
            total = torch.zeros(())
            for rows in torch.randperm(len(y)).split(self.batch_size):
                optimizer.zero_grad(set_to_none=True)
                scores = self.head(sequences.last_states(self.layer, rows))
                loss = cross_entropy(scores, y.index_select(0, rows))
                loss.backward()
                nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
                optimizer.step()
                total += loss.detach() * len(rows)
            self.loss_curve.append(total.item() / len(y))
        return self

    @torch.no_grad()
    def load(self, weights):
        """Take over the weights of a fitted skrnn model of one layer."""
        n_classes, _ = weights["head_weight"].shape
        self._build(weights["weight_ih_l0"].shape[1], n_classes)
        for prefix, module in (("", self.layer), ("head_", self.head)):
            for name, parameter in module.named_parameters():
                parameter.copy_(torch.from_numpy(weights[prefix + name]))
        return self

    @torch.inference_mode()
    def scores(self, X):
        """Raw scores of the sequences in a 3-D array."""
        torch.set_num_threads(self.threads)
        return self.head(final_state(self.layer(torch.from_numpy(X)))).numpy()

    def predict(self, X):
        """The class of each sequence in a 3-D array."""
        return self.scores(X).argmax(1)

    def _build(self, n_features, n_classes):
        self.layer = LAYERS[self.cell](n_features, self.units, batch_first=True)
        self.head = nn.Linear(self.units, n_classes)
