"""What the classifier and the regressor share: choose parts, train, apply."""

import itertools

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
)

from skrnn.estimators.callbacks import CallbackSupportMixin, with_callbacks
from skrnn.estimators.fitting import Fit, Start
from skrnn.estimators.parameters import check_parameters, make_cell
from skrnn.estimators.serving import server_of
from skrnn.estimators.state import StateMixin, sound_network
from skrnn.estimators.streaming import StreamingMixin
from skrnn.estimators.transaction import all_or_nothing
from skrnn.estimators.validation import given, make_scorer, set_aside
from skrnn.estimators.vocabulary import (
    as_vectors,
    check_embedding,
    choose_embedding,
    learn_ids,
    read,
    read_again,
)
from skrnn.network.network import Network
from skrnn.network.pooling import POOLINGS, EveryStep, LastPooling, StepWeights
from skrnn.optimizers import make_optimizer, make_schedule
from skrnn.sequences import Packed, naming, refuse_masked, split_steps
from skrnn.training import (
    NonFiniteLoss,
    Record,
    Threads,
    TrainingData,
    check_fit,
    warn_if_badly_scaled,
)

AUTO_BATCH_SIZE = 32


def _join(results):
    """Results of batches as one array, or one list, with an entry a sequence."""
    if isinstance(results[0], list):
        return list(itertools.chain.from_iterable(results))
    return np.concatenate(results)


def _refuse_infinite(outputs, lengths):
    """Name the first sequence of whose outputs, one or many, any is not finite."""
    if isinstance(outputs, np.ndarray):
        if np.isfinite(outputs).all():
            return
        if len(outputs) != lengths.size:
            outputs = split_steps(outputs, lengths)
    for i, output in enumerate(outputs):
        if not np.isfinite(output).all():
            raise ValueError(
                f"X[{i}] makes the network overflow: its output is infinite or NaN. "
                "Scale X as the data it was fitted to."
            )


def _solver_name(solver):
    return type(make_optimizer(solver)).__name__


def _describe(attributes):
    """What must not change when a fit goes on, by name."""
    model = {"cell": repr(attributes["cell_"]), **attributes["_loss_parameters_"]}
    model |= attributes["_architecture_"]
    del model["bptt_steps"], model["embedding"]
    return model


def _pools_by_attention(estimator):
    if estimator.pooling != "attention":
        raise AttributeError(
            f"attention_weights needs pooling='attention', got {estimator.pooling!r}."
        )
    return True


class BaseRecurrent(StateMixin, StreamingMixin, CallbackSupportMixin, BaseEstimator):
    """Recurrent estimator of one target, or row of targets, for each sequence.

    A subclass names its `_rules` and knows its targets: `_encode_first`, `_encode`
    and `_make_loss`. It names its `_answers`, methods, and `_answer` makes theirs of
    raw scores. Its `_state_rules` say what a fit must have left, and `_readouts` what
    its head may read.
    """

    _readouts = tuple(POOLINGS)

    @with_callbacks
    @all_or_nothing
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Fit the network.

        Parameters
        ----------
        X : list of arrays (n_timesteps_i, n_features), list of 1-D arrays, array \
                (n_sequences, n_timesteps, n_features) or (n_sequences, n_timesteps)
            The sequences; see the user guide. Lengths may differ.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of the sequences.
        X_val, y_val, sample_weight_val : default=None
            Data to judge each epoch by, used instead of a `validation_fraction`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            For data or a parameter that cannot be used, which leaves the estimator as
            it was, and when the loss becomes infinite or NaN; the best weights, or the
            last with a finite loss, are then kept.
        """
        going_on = self.warm_start and hasattr(self, "theta_")
        encode = self._encode_again if going_on else self._encode_first
        train = self._check_data(X, y, sample_weight, encode, going_on)
        seed = self._draw_seed(going_on)
        train, validation = self._validation(
            train, (X, y, sample_weight), (X_val, y_val, sample_weight_val), seed
        )
        learn_ids(self, train, validation and validation.data, going_on)
        done = self.n_iter_ if going_on else 0
        epochs = range(done, done + int(self.max_iter))
        start = self._start(train, seed, going_on)
        full_batch = make_optimizer(self.solver).full_batch
        name = "constant" if full_batch else self.learning_rate
        schedule = make_schedule(name, float(self.learning_rate_init), len(epochs))
        inputs = (X, y, sample_weight)
        fit = self._train(train, validation, start, epochs, schedule, inputs)
        fit.warn_unless_converged()
        return self

    def _partial_fit(self, X, y, sample_weight, encode_first):
        """Run one epoch at the rate `learning_rate_init`, going on from before."""
        going_on = hasattr(self, "theta_")
        encode = self._encode_again if going_on else encode_first
        train = self._check_data(X, y, sample_weight, encode, going_on)
        learn_ids(self, train, None, going_on)
        start = self._start(train, self._draw_seed(going_on), going_on)
        if going_on and self._solver_name_ == _solver_name(self.solver):
            start.go_on_from(self._optimizer_state_)
        done = self.n_iter_ if going_on else 0
        epochs = range(done, done + 1)
        schedule = make_schedule("constant", float(self.learning_rate_init), 1)
        self._train(train, None, start, epochs, schedule, (X, y, sample_weight))
        return self

    def hidden_states(self, X, return_sequences=False):
        """Outputs of the top recurrent level, as features for another estimator.

        Parameters
        ----------
        X : sequences
            As in `fit`.
        return_sequences : bool, default=False
            Whether to return the outputs of every step.

        Returns
        -------
        ndarray of shape (n_sequences, n_units), or list of (n_timesteps_i, n_units)
            The state after the last step, or the outputs of every step. With
            `bidirectional` the forward units come first, and the state of the
            backward units is that after the first step.
        """

        if return_sequences:
            return self._read_out(X, EveryStep(), Packed.unpack)
        return self._read_out(X, LastPooling(), Packed.restore)

    @available_if(_pools_by_attention)
    def attention_weights(self, X):
        """Weight of each step in the attention pooling.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_timesteps_i,)
            Each sums to 1.
        """

        return self._read_out(X, StepWeights(), Packed.unpack)

    @property
    def weights_(self):
        """Parameters by name, as views, in PyTorch's shapes and gate order."""
        check_is_fitted(self)
        return self._network().layout.views(self.theta_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "theta_")

    def _check_data(self, X, y, sample_weight, encode, going_on):
        check_parameters(self, self._rules)
        self._check_combinations()
        if self.scoring is not None:
            make_scorer(self)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        dtype = self.dtype
        if going_on:
            sound_network(self)
            dtype = dtype or self._architecture_["dtype"]
        sequences = read(self, X, reset=not going_on, dtype=dtype)
        data = self._join_targets(sequences, y, sample_weight, encode)
        if not going_on and self.embedding_dim is None:
            warn_if_badly_scaled(sequences)
        return data

    def _join_targets(self, sequences, y, sample_weight, encode, suffix=""):
        """Sequences with their targets and weights; `suffix` ends the names of those.

        Raises
        ------
        ValueError
            That names what does not fit.
        """
        with naming(f"y{suffix}"):
            targets = encode(y)
            self._make_loss(**self._loss_parameters()).check_targets(targets)
        if len(targets) != len(sequences):
            raise ValueError(
                "Found input variables with inconsistent numbers of samples: "
                f"X{suffix} holds {len(sequences)} sequences and y{suffix} "
                f"{len(targets)} targets."
            )
        with naming(f"sample_weight{suffix}"):
            weights = self._total_weights(sample_weight, targets)
        return TrainingData(sequences, targets, weights)

    def _check_combinations(self):
        cell = make_cell(self.cell, self.activation)
        if self.bptt_steps is not None and self.bidirectional:
            raise ValueError(
                "bptt_steps must be None with bidirectional=True, got "
                f"{self.bptt_steps}: the backward layers start at the end of a "
                "sequence, so it cannot be read chunk by chunk."
            )
        if self.recurrent_dropout > 0 and not cell.h_gates:
            raise ValueError(
                f"recurrent_dropout must be 0 with cell={self.cell!r}, got "
                f"{self.recurrent_dropout}: the cell has no recurrent product."
            )
        check_embedding(self)

    def _check_weights(self, sample_weight, n_sequences):
        with naming("sample_weight"):
            refuse_masked(sample_weight, "sample_weight")
            weights = _check_sample_weight(
                sample_weight, np.empty((n_sequences, 1)), dtype=np.float64
            )
        if np.any(weights < 0) or not weights.any():
            raise ValueError(
                "sample_weight must be non-negative with a positive sum, got values "
                f"from {weights.min()} to {weights.max()}."
            )
        return weights

    def _total_weights(self, sample_weight, targets):
        """Weights of the sequences; a classifier's class weights come on top."""
        return self._check_weights(sample_weight, len(targets))

    def _draw_seed(self, going_on):
        if going_on:
            return self._seed_
        return int(check_random_state(self.random_state).randint(2**31))

    def _validation(self, train, inputs, validation_inputs, seed):
        validation = given(self, train, *validation_inputs)
        if validation is None and self.early_stopping:
            stratify = self._stratify(inputs[1])
            return set_aside(self, *inputs, train, stratify, seed)
        return train, validation

    def _start(self, train, seed, going_on):
        """Weights, curves and fitted attributes to start from."""
        loss = self._make_loss(**self._loss_parameters())
        attributes = {
            "cell_": make_cell(self.cell, self.activation),
            "_architecture_": self._choose_architecture(train, loss),
            "_loss_parameters_": self._loss_parameters(),
            "out_activation_": loss.out_activation,
        }
        if going_on:
            self._check_same_model(attributes)
        network = self._choose_network(attributes, train)
        if going_on:
            record = Record(
                list(self.loss_curve_),
                list(self.validation_loss_curve_ or []),
                list(self.validation_scores_ or []),
            )
            rng = np.random.default_rng((seed, self.theta_.size))
            theta = network.widened(self.theta_, rng)
            return Start(network, theta, seed, record, attributes, self.t_)
        rng = np.random.default_rng(seed)
        with Threads(1), np.errstate(over="ignore", invalid="ignore"):
            constant = loss.initial_raw(train.targets, train.weights)
            theta = network.initialise(rng, constant)
            if self.embedding_weights is not None:
                vectors = as_vectors(self.embedding_weights)
                network.layout.views(theta)["embedding"][:] = vectors
        if not np.isfinite(theta).all():
            raise ValueError(
                f"y must be of a size that {theta.dtype} can compute with, got values "
                f"up to {np.abs(train.targets).max():.3g}; scale it."
            )
        return Start(network, theta, seed, Record(), attributes)

    def _choose_network(self, attributes, train):
        """The network to train, unless that takes more memory than there is."""
        network = Network(attributes["cell_"], **attributes["_architecture_"])
        optimizer = make_optimizer(self.solver)
        n = len(train)
        batch_size = n if optimizer.full_batch else self._batch_size(n)
        check_fit(network, train.sequences, batch_size, optimizer)
        return network

    def _choose_architecture(self, train, loss):
        sizes = self.hidden_layer_sizes
        return {
            "n_inputs": train.sequences.n_features,
            "hidden_layer_sizes": tuple(int(n) for n in np.atleast_1d(sizes)),
            "bidirectional": bool(self.bidirectional),
            "pooling": self.pooling,
            "n_raw": loss.n_raw(self._n_targets_),
            "dtype": train.sequences.dtype.name,
            "bptt_steps": self.bptt_steps and int(self.bptt_steps),
            "n_own_rows": loss.n_own_rows(loss.n_raw(self._n_targets_)),
            "embedding": choose_embedding(self),
        }

    def _check_same_model(self, attributes):
        before, now = _describe(vars(self)), _describe(attributes)
        for name, value in now.items():
            if value != before[name]:
                raise ValueError(
                    f"{name} must stay as it is when a fit goes on: it was "
                    f"{before[name]!r}, got {value!r}."
                )

    def _train(self, train, validation, start, epochs, schedule, inputs):
        train = train.heard()
        with Threads(self.n_jobs) as threads:
            loss = self._make_loss(**self._loss_parameters())
            fit = Fit(self, loss, train, validation, start, threads)
            try:
                fit.run(epochs, schedule, inputs)
            except NonFiniteLoss as error:
                start.optimizer_state = None  # it has seen what led there
                self._keep(fit)
                message = self._non_finite_message(fit, error)
                raise NonFiniteLoss(message) from None
        self._keep(fit)
        return fit

    def _non_finite_message(self, fit, error):
        name, n_done = str(error), fit.n_iter
        when = (
            f"after epoch {n_done}" if error.after_epoch else f"in epoch {n_done + 1}"
        )
        kept = "best" if fit.best_epoch() else "last"
        data = "X and y" if name == "loss" else "X and y, X_val and y_val alike"
        return (
            f"The {name} became infinite or NaN {when}; the {kept} "
            f"finite weights are kept. {self._remedy()}, or scale {data}."
        )

    def _remedy(self):
        """What helps against a loss that diverges, besides scaling."""
        if make_optimizer(self.solver).full_batch:
            return f"Raise alpha (now {self.alpha})"
        limit = self.max_grad_norm
        clip = "set max_grad_norm to 1"
        if limit is not None and limit <= 1:
            clip = "lower max_grad_norm"
        return (
            f"Lower learning_rate_init (now {self.learning_rate_init}), {clip} "
            f"(now {limit})"
        )

    def _keep(self, fit):
        """Store what was learnt."""
        vars(self).update(fit.fitted_attributes(fit.theta))

    def _encode_again(self, y):
        """Encode the targets of a fit that goes on."""
        return self._encode(y)

    def _loss_parameters(self):
        """Constructor parameters that the loss depends on."""
        return {}

    def _fitted_loss(self):
        return self._make_loss(**self._loss_parameters_)

    def _batch_size(self, n_sequences):
        size = AUTO_BATCH_SIZE if self.batch_size == "auto" else self.batch_size
        return min(int(size), n_sequences)

    def _network(self):
        return Network(self.cell_, **self._architecture_)

    def _read(self, server, X):
        """X as checked sequences."""
        return read_again(self, X, server.network.dtype)

    def _read_out(self, X, pooling, unpack):
        """What `pooling` makes of the top level's outputs, put in order by `unpack`."""

        def outputs(network, theta, packed, space):
            return unpack(packed, network.pooled(theta, packed, space))

        server = server_of(self)
        return self._map(server, self._read(server, X), outputs, pooling)

    def _map(self, server, sequences, function, pooling=None):
        """Results of ``function(network, theta, packed, space)``, joined."""
        with np.errstate(over="ignore", invalid="ignore"):
            results = _join(server.map(function, sequences, self.n_jobs, pooling))
        _refuse_infinite(results, sequences.lengths)
        return results

    def _respond(self, method, X):
        """What `method` answers for X."""
        return self._respond_flat(method, X)[0]

    def _respond_flat(self, method, X):
        """What `method` answers for all targets, and the lengths of the sequences."""
        raw, lengths = self._raw_scores(X)
        return self._answer(method, raw, server_of(self).loss), lengths

    def _raw_scores(self, X):
        """Raw scores of all targets, and the lengths of the sequences."""
        server = server_of(self)
        sequences = self._read(server, X)
        return self._map(server, sequences, _raw), sequences.lengths


def _raw(network, theta, packed, space):
    """Raw scores of a batch, in the order in which it was given."""
    return network.answer(theta, packed, space)
