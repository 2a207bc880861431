"""The same numbers as PyTorch: networks, gradients and training, in float64.

The reference was computed once by ``data/make_torch_reference.py``. Its parameters are
copied by name into ours, which holds us to PyTorch's shapes and gate order too.
"""

from pathlib import Path

import numpy as np
import pytest
from cases import make_cell
from numpy.testing import assert_allclose
from sklearn.base import clone

from skrnn import RNNClassifier, RNNSequenceRegressor, RNNTagger
from skrnn.estimators import fitting
from skrnn.losses import CategoricalCrossEntropy
from skrnn.network.dropout import Masks
from skrnn.network.network import Network
from skrnn.network.workspace import Workspace
from skrnn.optimizers import SGD, Adam, RMSprop
from skrnn.sequences import check_sequences, pack
from skrnn.training import Objective, Threads, TrainingData

with np.load(Path(__file__).parent / "data" / "torch_reference.npz") as file:
    REFERENCE = dict(file)

ENDS = np.cumsum(REFERENCE["lengths"])[:-1]
X = np.split(REFERENCE["X"], ENDS)
Y = REFERENCE["y"]
N_CLASSES = 3
CELLS = {
    "rnn_tanh": ("rnn", "tanh"),
    "rnn_relu": ("rnn", "relu"),
    "lstm": ("lstm", "tanh"),
    "gru": ("gru", "tanh"),
}
SHAPES = {
    "one": {"hidden_layer_sizes": (4,), "bidirectional": False},
    "two": {"hidden_layer_sizes": (4, 4), "bidirectional": True},
}
each_case = pytest.mark.parametrize(
    "kind, shape", [(kind, shape) for kind in CELLS for shape in SHAPES]
)

# The largest relative errors allowed; those measured are 3e-15 and 2e-15.
VALUE_ERROR = 1e-13
TRAINING_ERROR = 1e-12
# PyTorch adds 1e-6 to the norm that it divides by. Measured: 6e-7.
CLIPPED_ERROR = 2e-6


def part(kind, shape, name):
    """Arrays of one part of a reference case, by name."""
    prefix = f"{kind}_{shape}/{name}/"
    return {
        key.removeprefix(prefix): array
        for key, array in REFERENCE.items()
        if key.startswith(prefix)
    }


def copy_parameters(views, kind, shape):
    parameters = part(kind, shape, "theta")
    assert views.keys() == parameters.keys()
    for name, view in views.items():
        assert view.shape == parameters[name].shape
        view[:] = parameters[name]


def make_network(kind, shape):
    """A network, and theta with the reference's parameters."""
    network = Network(
        make_cell(*CELLS[kind]),
        n_inputs=X[0].shape[1],
        pooling="last",
        n_raw=N_CLASSES,
        dtype=np.float64,
        **SHAPES[shape],
    )
    theta = np.empty(network.layout.size)
    copy_parameters(network.layout.views(theta), kind, shape)
    return network, theta


def make_data():
    return TrainingData(check_sequences(X), Y, np.ones(len(Y)))


def packed_batch():
    return pack(check_sequences(X), np.arange(len(X)), np.float64)


def assert_equal_to_rounding(actual, expected):
    assert_allclose(actual, expected, rtol=0, atol=VALUE_ERROR * np.abs(expected).max())


def test_the_reference_was_made_by_pytorch():
    assert REFERENCE["torch"].item().startswith("2.13.")
    assert {array.dtype for array in part("lstm", "two", "theta").values()} == {
        np.dtype(np.float64)
    }


@each_case
def test_outputs_scores_and_final_states(kind, shape):
    """Outputs of every step of ragged sequences; h and c of every layer at its end."""
    network, theta = make_network(kind, shape)
    packed, space, stack = packed_batch(), Workspace(np.float64), network.stack
    expected = part(kind, shape, "value")
    raw = packed.restore(network.predict_raw(theta, packed, space))
    assert_equal_to_rounding(raw, expected["raw"])
    run = stack.forward(
        network.layout.views(theta),
        packed,
        stack.zero_state(len(X)),
        Masks.none(stack),
        space,
    )
    for i, rows in enumerate(packed.unpack(run["out"])):
        assert_equal_to_rounding(rows, expected["outputs"][: len(rows), i])
    state = np.stack(run["state"], axis=1)[:, :, packed.plan.ranks]
    names = ["h", "c"] if "c" in expected else ["h"]
    for values, name in zip(state, names, strict=True):
        assert_equal_to_rounding(values, expected[name])


@each_case
def test_loss_and_gradients(kind, shape):
    network, theta = make_network(kind, shape)
    with Threads(1) as threads:
        loss = CategoricalCrossEntropy(N_CLASSES)
        objective = Objective(network, loss, 0.0, 0.0, 0.0, threads)
        data, everything = make_data(), np.arange(len(X))
        shards = objective.pack(data, everything)
        value, gradient = objective(theta, shards, data, everything, None)
    assert_equal_to_rounding(value, part(kind, shape, "value")["loss"])
    views, expected = network.layout.views(gradient), part(kind, shape, "gradient")
    assert views.keys() == expected.keys()
    for name, view in views.items():
        assert_equal_to_rounding(view, expected[name])


STEPS = {
    "tags": (RNNTagger(ignored_label=-100), np.split(REFERENCE["labels"], ENDS)),
    "numbers": (RNNSequenceRegressor(), np.split(REFERENCE["numbers"], ENDS)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", STEPS)
def test_losses_and_gradients_of_each_step(name, shape, monkeypatch):
    """Of ragged sequences with steps that do not count, as the estimators see them.

    The raw scores of all steps; the loss is the mean over the steps that count.
    """
    est, y = STEPS[name]
    est = clone(est).set_params(**SHAPES[shape], cell="gru", alpha=0.0)
    objective, data = start_of_a_fit(est, y, monkeypatch)
    theta = np.empty(objective.network.layout.size)
    copy_parameters(objective.network.layout.views(theta), name, shape)
    raw = objective.network.answer(theta, packed_batch(), Workspace(np.float64))
    expected = part(name, shape, "value")
    assert_equal_to_rounding(raw, expected["raw"])
    everything = np.arange(len(X))
    shards = objective.pack(data, everything)
    value, gradient = objective(theta, shards, data, everything, None)
    assert_equal_to_rounding(value, expected["loss"])
    assert_equal_to_rounding(objective.mean_loss(theta, data), expected["loss"])
    expected = part(name, shape, "gradient")
    for key, view in objective.network.layout.views(gradient).items():
        assert_equal_to_rounding(view, expected[key])


def start_of_a_fit(est, y, monkeypatch):
    """The objective and the data that an estimator would train with."""
    found = []

    def stop(objective, data, *args, **kwargs):
        found.extend([objective, data])
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "fit_stochastic", stop)
    with pytest.warns(UserWarning, match="interrupted"):
        est.fit(X, y)
    return found


def trained_losses(kind, solver, learning_rate_init, max_grad_norm=None, alpha=0.0):
    """Loss curve of an estimator that starts from the reference's parameters.

    Its minibatches come in the order of the data, at a constant learning rate.
    """
    cell, activation = CELLS[kind]
    model = RNNClassifier(
        cell=cell,
        activation=activation,
        **SHAPES["two"],
        solver=solver,
        learning_rate="constant",
        learning_rate_init=learning_rate_init,
        max_grad_norm=max_grad_norm,
        alpha=alpha,
        batch_size=REFERENCE["batch_size"].item(),
        shuffle=False,
        max_iter=1,
        n_iter_no_change=100,
        warm_start=True,
    )
    model.fit(X, Y)
    copy_parameters(model.weights_, kind, "two")
    model.set_params(max_iter=20).fit(X, Y)
    return model.loss_curve_[1:]


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "run, kind, solver, learning_rate_init, alpha",
    [
        ("gru_adam", "gru", Adam(), 1e-2, 0.0),
        ("gru_sgd", "gru", SGD(momentum=0.9, nesterov=True), 0.05, 0.0),
        ("lstm_rmsprop", "lstm", RMSprop(rho=0.9), 1e-2, 0.0),
        ("lstm_adam_penalty", "lstm", Adam(), 1e-2, REFERENCE["penalty"].item()),
    ],
    ids=["adam", "sgd", "rmsprop", "penalty"],
)
def test_twenty_training_losses(run, kind, solver, learning_rate_init, alpha):
    """Sixty updates, on minibatches of which the last is smaller."""
    losses = trained_losses(kind, solver, learning_rate_init, alpha=alpha)
    assert_allclose(losses, REFERENCE[f"losses/{run}"], rtol=TRAINING_ERROR)


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", CELLS)
def test_twenty_training_losses_with_clipped_gradients(kind):
    assert REFERENCE[f"n_clipped/{kind}_adam_clipped"] >= 20
    limit = REFERENCE["max_grad_norm"].item()
    losses = trained_losses(kind, Adam(), 1e-2, max_grad_norm=limit)
    expected = REFERENCE[f"losses/{kind}_adam_clipped"]
    assert_allclose(losses, expected, rtol=CLIPPED_ERROR)
