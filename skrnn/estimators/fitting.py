"""One fit of one estimator, from checked data to trained weights."""

import copy
import math
import warnings

import numpy as np

from skrnn.estimators.callbacks import FitTasks
from skrnn.optimizers import make_optimizer
from skrnn.training import (
    Diagnosis,
    Epoch,
    LossPlateau,
    Objective,
    Reporter,
    ValidationPlateau,
    fit_full_batch,
    fit_stochastic,
    user_level,
    warn_if_not_converged,
)


class Fit:
    """One call of `fit` or `partial_fit`.

    Parameters
    ----------
    estimator : BaseRecurrent
        Read for its parameters, never written to.
    loss : Loss
    train : TrainingData
    validation : Validation or None
    start : Start
        What to train, and where its weights and curves stand.
    threads : Threads
    """

    def __init__(self, estimator, loss, train, validation, start, threads):
        self.estimator = estimator
        self.train = train
        self.validation = validation
        self.start = start
        self.theta = start.theta
        self.record = start.record
        norm = estimator.max_grad_norm
        self.max_grad_norm = None if norm is None else float(norm)
        self.optimizer = make_optimizer(estimator.solver)
        self.objective = Objective(
            start.network,
            loss,
            float(estimator.alpha),
            float(estimator.dropout),
            float(estimator.recurrent_dropout),
            threads,
        )

    def run(self, epochs, schedule, inputs):
        """Train for `epochs`, a range of epoch numbers from 0.

        Parameters
        ----------
        epochs : range
        schedule : Schedule
        inputs : tuple
            X, y and sample_weight as given, for callbacks.
        """
        est = self.estimator
        self.schedule = schedule
        kind = ValidationPlateau if self._selects_best() else LossPlateau
        self.plateau = kind(float(est.tol), est.n_iter_no_change, self.schedule)
        if self._selects_best() and self.start.n_iter > 0:
            self._judge_start()
        self.watchers = [Reporter(est.verbose, epochs.stop)]
        is_gated = len(self.start.attributes["cell_"].x_gates) > 1
        self.watchers.append(Diagnosis(self.max_grad_norm, is_gated))
        self.tasks = FitTasks(est, *inputs, len(epochs))
        self.stopped = False
        try:
            self._train(epochs)
        except KeyboardInterrupt:
            self.stopped = True
            warnings.warn(
                f"Training was interrupted in epoch {self.n_iter + 1}; the "
                f"{'best' if self._best() else 'latest'} weights are kept.",
                stacklevel=user_level(),
            )
        finally:
            self._restore_best()
        self.tasks.after_fit(self.fitted_attributes, self.theta)

    @property
    def n_iter(self):
        """Epochs done, over all warm starts."""
        return len(self.record.loss_curve)

    def fitted_attributes(self, theta):
        """All that the fit has to leave behind so far, with `theta` as weights."""
        start, record, best = self.start, self.record, self.best_epoch()
        architecture = start.attributes["_architecture_"]
        losses = list(record.loss_curve)
        return {
            **start.attributes,
            "theta_": theta,
            "t_": start.t + len(self.train) * (self.n_iter - start.n_iter),
            "_seed_": start.seed,
            "_optimizer_state_": start.optimizer_state,
            "_solver_name_": type(self.optimizer).__name__,
            "n_iter_": self.n_iter,
            "loss_curve_": losses,
            "validation_loss_curve_": list(record.validation_loss_curve) or None,
            "validation_scores_": list(record.validation_scores) or None,
            "loss_": losses[-1] if losses else math.nan,
            "best_loss_": min(losses, default=math.nan),
            "best_iter_": best.number if best else None,
            "best_validation_score_": best.validation_score if best else None,
            "n_layers_": len(architecture["hidden_layer_sizes"]) + 2,
            "n_outputs_": architecture["n_raw"],
            "n_parameters_": theta.size,
        }

    def best_epoch(self):
        """The epoch whose weights were kept for its validation result, or None."""
        return self.plateau.best_epoch if self._best() else None

    def warn_unless_converged(self):
        """Warn when the epochs ran out while the loss was still falling."""
        if not self.stopped and not self.schedule.planned:
            warn_if_not_converged(self.record, self.estimator.max_iter)

    def _train(self, epochs):
        est = self.estimator
        optimizer = self.optimizer
        if optimizer.full_batch:
            self.stopped = fit_full_batch(
                self.objective,
                self.train,
                self.theta,
                optimizer,
                self._after_epoch,
                epochs=epochs,
                tol=float(est.tol),
                seed=self.start.seed,
            )
            return
        if self.start.optimizer_state is None:
            self.start.optimizer_state = optimizer.init(self.theta)
        fit_stochastic(
            self.objective,
            self.train,
            self.theta,
            optimizer,
            self.start.optimizer_state,
            self.schedule,
            self._after_epoch,
            epochs=epochs,
            batch_size=est._batch_size(len(self.train)),
            shuffle=est.shuffle,
            max_grad_norm=self.max_grad_norm,
            seed=self.start.seed,
        )

    def _after_epoch(self, epoch, theta):
        """Judge, record, report and decide; the loop stops on True."""
        if self.validation is not None:
            attributes = self.fitted_attributes(theta)
            self.validation.judge(epoch, self.objective, theta, attributes)
        self.record.add(epoch)
        for watch in self.watchers:
            watch(epoch, theta)
        stop = self.plateau(epoch, theta)
        self.stopped = self.tasks.after_epoch(self.fitted_attributes, theta, stop)
        return self.stopped

    def _judge_start(self):
        """Let the weights that a warm start begins with be the best so far."""
        unknown = math.nan
        epoch = Epoch(self.start.n_iter, unknown, unknown, unknown, unknown, 0, 0.0)
        attributes = self.fitted_attributes(self.theta)
        self.validation.judge(epoch, self.objective, self.theta, attributes)
        self.plateau(epoch, self.theta)

    def _selects_best(self):
        return self.validation is not None and self.estimator.early_stopping

    def _best(self):
        return isinstance(self.plateau, ValidationPlateau) and self.plateau.best_epoch

    def _restore_best(self):
        if self._best():
            self.theta[:] = self.plateau.best_theta


class Start:
    """Where a fit starts from.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
        A copy that the fit may write to.
    seed : int
    record : Record
    attributes : dict
        Fitted attributes but for the weights.
    t : int
        Sequences seen so far.
    optimizer_state : dict or None
    """

    def __init__(self, network, theta, seed, record, attributes, t=0):
        self.network = network
        self.theta = theta
        self.seed = seed
        self.record = record
        self.attributes = attributes
        self.t = t
        self.n_iter = len(record.loss_curve)
        self.optimizer_state = None

    def go_on_from(self, optimizer_state):
        """Let the optimiser go on; of parameters that are new it has seen nothing."""
        state = copy.deepcopy(optimizer_state)
        for name, value in (state or {}).items():
            if isinstance(value, np.ndarray) and value.ndim == 1:
                state[name] = np.pad(value, (0, self.theta.size - value.size))
        self.optimizer_state = state
