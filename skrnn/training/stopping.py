"""When to stop, and which weights to keep."""

import math


class _Plateau:
    """Counts the epochs in a row that brought less than `tol`."""

    def __init__(self, tol, n_iter_no_change, schedule):
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.schedule = schedule
        self.best = math.inf
        self.n_stale = 0

    def _add(self, value):
        """Return True if `value` is the best so far."""
        self.n_stale = 0 if value < self.best - self.tol else self.n_stale + 1
        improved = value < self.best
        self.best = min(self.best, value)
        return improved

    def _is_over(self):
        """Return True to stop; the schedule may object to that."""
        if self.n_stale <= self.n_iter_no_change:
            return False
        self.n_stale = 0
        return not self.schedule.on_stall()


class LossPlateau(_Plateau):
    """Stop when the training loss no longer falls; the schedule may object.

    Parameters
    ----------
    tol : float
        Least fall of the loss that counts.
    n_iter_no_change : int
        Epochs without it that are put up with.
    schedule : Schedule
        Told of a stall; the adaptive one lowers its rate and goes on. A planned one
        goes on to its end unless the loss is near zero, less than 10 `tol`: a task
        with long delays stalls for many epochs before the loss falls.
    """

    def __call__(self, epoch, theta):
        """Return True to stop."""
        self._add(epoch.loss)
        may_stop = not self.schedule.planned or epoch.loss < 10 * self.tol
        return may_stop and self._is_over()


class ValidationPlateau(_Plateau):
    """Stop when the validation loss, or score, no longer improves; keep the best.

    Parameters
    ----------
    tol, n_iter_no_change, schedule
        As of `LossPlateau`.

    Attributes
    ----------
    best_theta : ndarray or None
        The weights of the best epoch so far.
    best_epoch : Epoch or None
    """

    def __init__(self, tol, n_iter_no_change, schedule):
        super().__init__(tol, n_iter_no_change, schedule)
        self.best_theta = self.best_epoch = None

    def __call__(self, epoch, theta):
        """Return True to stop."""
        score = epoch.validation_score
        if self._add(epoch.validation_loss if score is None else -score):
            self.best_theta, self.best_epoch = theta.copy(), epoch
        return self._is_over()
