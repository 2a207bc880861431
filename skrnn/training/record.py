"""What happened in training, epoch by epoch."""

from dataclasses import dataclass, field


@dataclass
class Epoch:
    """One pass over the data, or one iteration of a full-batch solver.

    Attributes
    ----------
    number : int
        Counts from 1, over all calls of a warm start.
    loss : float
        Mean training loss of the minibatches, with the penalty.
    gradient_norm : float
        Mean norm of the minibatches' gradients before clipping.
    input_gradient_norm : float
        The same for the input weights of the first level, without the penalty.
    learning_rate : float
        Of the last update; NaN for a full-batch solver.
    n_sequences : int
        Sequences seen.
    seconds : float
    validation_loss, validation_score : float or None
    """

    number: int
    loss: float
    gradient_norm: float
    input_gradient_norm: float
    learning_rate: float
    n_sequences: int
    seconds: float
    validation_loss: float | None = None
    validation_score: float | None = None


@dataclass
class Record:
    """The curves of a fit, which goes on over warm starts."""

    loss_curve: list = field(default_factory=list)
    validation_loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)

    def add(self, epoch):
        self.loss_curve.append(epoch.loss)
        if epoch.validation_loss is not None:
            self.validation_loss_curve.append(epoch.validation_loss)
        if epoch.validation_score is not None:
            self.validation_scores.append(epoch.validation_score)
