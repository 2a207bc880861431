"""Those who watch the training: the progress lines and the warnings that help."""

import logging
import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skrnn.sequences import pack

logger = logging.getLogger("skrnn")

N_SUSPECT_EPOCHS = 3
EXPLODING_NORM = 100.0
VANISHING_NORM = 1e-6
SCALE_STEPS = 10_000
SCALE_VALUES = 2**20
LARGEST_SCALE = 100.0
OWN = ("skrnn", "sklearn", "scipy")


class Reporter:
    """One line an epoch: on the logger "skrnn", and printed if `verbose`.

    Parameters
    ----------
    verbose : bool or int
    n_epochs : int
        Number of the last epoch.
    """

    def __init__(self, verbose, n_epochs):
        self.verbose = verbose
        self.n_epochs = n_epochs
        self.seconds = self.n_seen = 0

    def __call__(self, epoch, theta):
        self.seconds += epoch.seconds
        self.n_seen += 1
        if self.verbose:
            print(self.line(epoch))
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(self.line(epoch))
        return False

    def line(self, epoch):
        parts = [f"epoch {epoch.number:4d}", f"loss {epoch.loss:.6g}"]
        if epoch.validation_loss is not None:
            parts.append(f"validation loss {epoch.validation_loss:.6g}")
        if epoch.validation_score is not None:
            parts.append(f"validation score {epoch.validation_score:.4f}")
        left = (self.n_epochs - epoch.number) * self.seconds / self.n_seen
        parts += [
            f"gradient norm {epoch.gradient_norm:.3g}",
            f"{epoch.n_sequences / max(epoch.seconds, 1e-9):,.0f} sequences/s",
            f"{left:.1f} s left",
        ]
        return "  ".join(parts)


class Diagnosis:
    """Warns when gradients explode or vanish for several epochs in a row, once each.

    Parameters
    ----------
    max_grad_norm : float or None
    is_gated : bool, default=False
        Whether the cell is one that is advised against explosions.
    """

    def __init__(self, max_grad_norm, is_gated=False):
        self.limit = EXPLODING_NORM * (max_grad_norm or 1.0)
        self.n_exploding = self.n_vanishing = 0
        self.other_cell = "" if is_gated else ", or use cell='lstm' or 'gru'"
        self.told = set()
        self.first_loss = None

    def __call__(self, epoch, theta):
        if self.first_loss is None:
            self.first_loss = epoch.loss
        norm, input_norm = epoch.gradient_norm, epoch.input_gradient_norm
        stuck = epoch.loss > 0.9 * self.first_loss > 0.0
        self.n_exploding = self.n_exploding + 1 if norm > self.limit else 0
        vanished = input_norm < VANISHING_NORM and stuck
        self.n_vanishing = self.n_vanishing + 1 if vanished else 0
        if self.n_exploding == N_SUSPECT_EPOCHS:
            self._tell(
                "exploding",
                f"The gradient explodes: its norm was above {self.limit:.3g} for "
                f"{N_SUSPECT_EPOCHS} epochs, {norm:.3g} in the last. Scale X and y, "
                f"lower learning_rate_init or max_grad_norm{self.other_cell}.",
            )
        if self.n_vanishing == N_SUSPECT_EPOCHS:
            self._tell(
                "vanishing",
                f"The gradient vanishes: its norm was below {VANISHING_NORM:.3g} for "
                f"{N_SUSPECT_EPOCHS} epochs and the loss hardly fell. Use cell='gru' "
                "or 'lstm', pooling='mean' or 'attention', shorter sequences, or scale "
                "X so that its values are about 1.",
            )
        return False

    def _tell(self, what, message):
        if what not in self.told:
            _warn_convergence(message)
        self.told.add(what)


def warn_if_not_converged(record, max_iter):
    """Warn that the loss was still falling when the epochs ran out."""
    last = ", ".join(f"{loss:.4g}" for loss in record.loss_curve[-3:])
    _warn_convergence(
        f"The loss has not converged in max_iter={max_iter} epochs; its last values "
        f"were {last}. Raise max_iter; with a stochastic solver, raise "
        "learning_rate_init or use learning_rate='cosine' or 'onecycle', which end "
        "with the epochs."
    )


def warn_if_badly_scaled(sequences):
    """Warn when a feature of the first steps is far from the scale of 1."""
    n_steps = max(1, min(SCALE_STEPS, SCALE_VALUES // sequences.n_features))
    n = int(np.searchsorted(sequences.lengths.cumsum(), n_steps)) + 1
    indices = np.arange(min(n, len(sequences)))
    first = sequences.select(indices).truncate(n_steps)
    rows = pack(first, indices, np.float64).rows  # never a copy of padding
    with np.errstate(over="ignore"):  # an infinite mean is no less badly scaled
        size = np.abs(rows, out=rows).mean(axis=0)
    worst = int(size.argmax())
    if size[worst] > LARGEST_SCALE:
        may_be_ids = sequences.n_features == 1 and first.view(0).dtype.kind in "iu"
        hint = "If these are ids of tokens, set embedding_dim; if not, scale"
        warnings.warn(
            f"X is badly scaled: the values of feature {worst} are about "
            f"{size[worst]:.3g} on average, and a recurrent network saturates. "
            f"{hint if may_be_ids else 'Scale'} each feature to mean 0 and variance 1 "
            "over all steps, for example with StandardScaler.",
            UserWarning,
            stacklevel=user_level(),
        )


def _warn_convergence(message):
    warnings.warn(message, ConvergenceWarning, stacklevel=user_level())


def user_level():
    """The `stacklevel` of a warning that points at the user's own line."""
    frame, level = sys._getframe(1), 1
    while frame and frame.f_globals.get("__name__", "").split(".")[0] in OWN:
        frame, level = frame.f_back, level + 1
    return level
