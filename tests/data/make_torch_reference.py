"""Write torch_reference.npz: small networks run and trained by PyTorch, in float64.

Run it once, with PyTorch 2.13 installed; the tests only read what it writes:

    python tests/data/make_torch_reference.py

Names in the file are ``case/part/name``. The parameters have PyTorch's own names, those
of the last layer ``head_weight`` and ``head_bias``.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

N_INPUTS, N_UNITS, N_CLASSES = 3, 4, 3
LENGTHS = (7, 3, 5, 1, 4, 6, 3, 2, 5, 4)
BATCH_SIZE, N_EPOCHS = 4, 20
MAX_GRAD_NORM, PENALTY = 0.3, 0.5
IGNORED = -100  # PyTorch's own number for a label that does not count

KINDS = {
    "rnn_tanh": lambda **sizes: nn.RNN(nonlinearity="tanh", **sizes),
    "rnn_relu": lambda **sizes: nn.RNN(nonlinearity="relu", **sizes),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}
SHAPES = {
    "one": {"num_layers": 1, "bidirectional": False},
    "two": {"num_layers": 2, "bidirectional": True},
}
OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=1e-2),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-2, alpha=0.9, eps=1e-8),
}
# Kind of layer, optimiser, largest gradient norm, L2 penalty.
RUNS = {
    "rnn_tanh_adam_clipped": ("rnn_tanh", "adam", MAX_GRAD_NORM, 0.0),
    "rnn_relu_adam_clipped": ("rnn_relu", "adam", MAX_GRAD_NORM, 0.0),
    "lstm_adam_clipped": ("lstm", "adam", MAX_GRAD_NORM, 0.0),
    "gru_adam_clipped": ("gru", "adam", MAX_GRAD_NORM, 0.0),
    "gru_adam": ("gru", "adam", None, 0.0),
    "lstm_adam_penalty": ("lstm", "adam", None, PENALTY),
    "gru_sgd": ("gru", "sgd", None, 0.0),
    "lstm_rmsprop": ("lstm", "rmsprop", None, 0.0),
}


class Classifier(nn.Module):
    """Recurrent layers and a linear head on the last outputs of both directions."""

    def __init__(self, kind, num_layers, bidirectional):
        super().__init__()
        self.rnn = KINDS[kind](
            input_size=N_INPUTS,
            hidden_size=N_UNITS,
            num_layers=num_layers,
            bidirectional=bidirectional,
        )
        self.n_directions = 2 if bidirectional else 1
        self.head = nn.Linear(self.n_directions * N_UNITS, N_CLASSES)

    def forward(self, sequences):
        lengths = [len(x) for x in sequences]
        padded = pad_sequence(sequences)
        packed = pack_padded_sequence(padded, lengths, enforce_sorted=False)
        packed_outputs, state = self.rnn(packed)
        state = state if isinstance(state, tuple) else (state,)
        last = torch.cat(tuple(state[0][-self.n_directions :]), dim=1)
        return self.head(last), pad_packed_sequence(packed_outputs)[0], state

    def named_arrays(self, of):
        """Name and array of each parameter; `of` maps a parameter to a tensor."""
        return {
            name.removeprefix("rnn.").replace(".", "_"): of(p).detach().numpy().copy()
            for name, p in self.named_parameters()
        }


def make_data():
    sequences = [torch.randn(n, N_INPUTS) for n in LENGTHS]
    return sequences, torch.arange(len(LENGTHS)) % N_CLASSES


def make_step_targets():
    """Labels and numbers of all steps, of which every fourth does not count."""
    n_steps = sum(LENGTHS)
    labels = torch.randint(N_CLASSES, (n_steps,))
    numbers = torch.randn(n_steps, N_CLASSES)
    labels[::4] = IGNORED
    numbers[::4] = torch.nan
    return labels, numbers


def make_model(kind, shape):
    torch.manual_seed(0)
    model = Classifier(kind, **SHAPES[shape])
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(std=0.5)
    return model


def under(prefix, arrays):
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def reference_values(kind, shape, sequences, y):
    """Parameters, outputs, final states, scores, loss and gradients of one batch."""
    model = make_model(kind, shape)
    raw, outputs, state = model(sequences)
    loss = nn.functional.cross_entropy(raw, y)
    loss.backward()
    values = {"outputs": outputs, "h": state[0], "raw": raw, "loss": loss}
    if len(state) > 1:
        values["c"] = state[1]
    values = {name: value.detach().numpy() for name, value in values.items()}
    return under(
        f"{kind}_{shape}",
        {
            **under("theta", model.named_arrays(lambda p: p)),
            **under("gradient", model.named_arrays(lambda p: p.grad)),
            **under("value", values),
        },
    )


def step_values(loss, shape, sequences, y):
    """Parameters, scores, loss and gradients of one batch with a target for each step.

    The targets of all steps are in `y`; the loss is the mean over those that count.
    """
    model = make_model("gru", shape)
    raw = torch.cat([model.head(out[:n]) for out, n in outputs_of(model, sequences)])
    value = loss(raw, y)
    value.backward()
    values = {"raw": raw, "loss": value}
    values = {name: value.detach().numpy() for name, value in values.items()}
    return {
        **under("theta", model.named_arrays(lambda p: p)),
        **under("gradient", model.named_arrays(lambda p: p.grad)),
        **under("value", values),
    }


def outputs_of(model, sequences):
    """Padded outputs and the length of each sequence."""
    outputs = model(sequences)[1].transpose(0, 1)
    return zip(outputs, LENGTHS, strict=True)


def mean_square(raw, y):
    """Half the squared error of the steps without NaN, as the mean over outputs."""
    counts = ~y.isnan().all(dim=1)
    return 0.5 * (raw[counts] - y[counts]).square().mean()


def training_losses(kind, optimizer, max_grad_norm, penalty, sequences, y):
    """Mean loss of the minibatches of each epoch, and the number of clipped updates.

    The minibatches come in the order of the data.
    """
    model = make_model(kind, "two")
    optimizer = OPTIMIZERS[optimizer](model.parameters())
    weights = [p for name, p in model.named_parameters() if "weight" in name]
    losses, n_clipped = np.zeros(N_EPOCHS), 0
    for epoch in range(N_EPOCHS):
        for batch in torch.arange(len(y)).split(BATCH_SIZE):
            raw = model([sequences[i] for i in batch])[0]
            loss = nn.functional.cross_entropy(raw, y[batch])
            squares = sum((w**2).sum() for w in weights)
            loss = loss + penalty / (2 * len(batch)) * squares
            optimizer.zero_grad()
            loss.backward()
            if max_grad_norm is not None:
                norm = nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
                n_clipped += int(norm > max_grad_norm)
            optimizer.step()
            losses[epoch] += loss.item() * len(batch) / len(y)
    return losses, n_clipped


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    sequences, y = make_data()
    arrays = {"X": torch.cat(sequences).numpy(), "lengths": LENGTHS, "y": y.numpy()}
    arrays |= {"batch_size": BATCH_SIZE, "max_grad_norm": MAX_GRAD_NORM}
    arrays |= {"penalty": PENALTY, "torch": torch.__version__}
    for kind in KINDS:
        for shape in SHAPES:
            arrays |= reference_values(kind, shape, sequences, y)
    labels, numbers = make_step_targets()
    arrays |= {"labels": labels.numpy(), "numbers": numbers.numpy()}
    for shape in SHAPES:
        tags = step_values(nn.functional.cross_entropy, shape, sequences, labels)
        values = step_values(mean_square, shape, sequences, numbers)
        arrays |= under(f"tags_{shape}", tags) | under(f"numbers_{shape}", values)
    for name, settings in RUNS.items():
        losses, n_clipped = training_losses(*settings, sequences, y)
        arrays |= {f"losses/{name}": losses, f"n_clipped/{name}": n_clipped}
    np.savez_compressed(Path(__file__).with_name("torch_reference.npz"), **arrays)


if __name__ == "__main__":
    main()
