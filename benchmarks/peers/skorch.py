"""skorch with its usual settings, around the PyTorch network."""

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import GradientNormClipping
from torch import nn

from peers.torch import LAYERS, final_state


class Module(nn.Module):
    """One recurrent layer and a linear head on its last state."""

    def __init__(self, cell, n_features, units, n_classes):
        super().__init__()
        self.layer = LAYERS[cell](n_features, units, batch_first=True)
        self.head = nn.Linear(units, n_classes)

    def forward(self, X):
        """Raw scores of a minibatch."""
        return self.head(final_state(self.layer(X)))


class SkorchTwin:
    """A `NeuralNetClassifier` with Adam, clipping, and no validation split."""

    def __init__(self, cell, units, batch_size, threads):
        self.cell = cell
        self.units = units
        self.batch_size = batch_size
        self.threads = threads

    def prepare(self, X, y):
        """Nothing: skorch takes arrays, and making tensors is part of its fit."""
        return X, y

    def fit(self, data, epochs):
        """Train a new network for a number of epochs."""
        torch.set_num_threads(self.threads)
        torch.manual_seed(0)
        X, y = data
        net = NeuralNetClassifier(
            Module(self.cell, X.shape[-1], self.units, int(y.max()) + 1),
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=1e-3,
            max_epochs=epochs,
            batch_size=self.batch_size,
            iterator_train__shuffle=True,
            train_split=None,
            callbacks=[("clip", GradientNormClipping(1.0))],
            verbose=0,
        )
        net.fit(X, y)
        self.loss_curve = net.history[:, "train_loss"]
        return self
