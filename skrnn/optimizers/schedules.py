"""Learning-rate schedules.

A schedule belongs to one fit. It maps the progress of the fit, in epochs, to a rate.
The progress may be a fraction (``epoch + batch / n_batches``), which is how a rate
changes at every update, and it may go beyond `n_epochs`, as a warm start does.
"""

from math import cos, pi, sqrt


class Schedule:
    """A learning rate over one fit.

    Parameters
    ----------
    initial : float
        The user's `learning_rate_init`: the rate to start from, or the highest one.
    n_epochs : int
        The planned number of epochs.

    Attributes
    ----------
    planned : bool
        Whether the rate comes down at the end of the planned epochs only, so that a
        loss that stalls before is no reason to stop.
    """

    planned = False

    def __init__(self, initial, n_epochs):
        self.initial = float(initial)
        self.n_epochs = n_epochs

    def __call__(self, epoch):
        """The learning rate after `epoch` epochs, a float that counts from 0."""
        raise NotImplementedError("a schedule must define `__call__`")

    def on_stall(self):
        """React to a loss that no longer improves; True to go on, False to stop."""
        return False

    def _progress(self, epoch):
        return min(epoch / self.n_epochs, 1.0)


class Constant(Schedule):
    """The same rate throughout: ``initial``."""

    def __call__(self, epoch):
        return self.initial


class InvScaling(Schedule):
    """Inverse square root: ``initial / sqrt(1 + epoch)``.

    scikit-learn's MLP counts samples instead of epochs, so that its rate falls to 3 %
    within one epoch of 1,000 samples. The default power, 1/2, is the same.
    """

    def __call__(self, epoch):
        return self.initial / sqrt(1.0 + epoch)


class Adaptive(Schedule):
    """``initial``, divided by 5 at each stall until it falls below 1e-6.

    The only schedule that goes on after a stall; as in scikit-learn's MLP.
    """

    factor = 5
    smallest = 1e-6
    n_stalls = 0

    def __call__(self, epoch):
        return self.initial / self.factor**self.n_stalls

    def on_stall(self):
        self.n_stalls += 1
        return self(0) >= self.smallest


class Cosine(Schedule):
    """Half a cosine from ``initial`` to 0, without restarts.

    ::

        rate = initial (1 + cos(pi epoch / n_epochs)) / 2

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm
    restarts", ICLR 2017.
    """

    planned = True

    def __call__(self, epoch):
        return cosine_between(self.initial, 0.0, self._progress(epoch))


class OneCycle(Schedule):
    """One cycle: up from ``initial / 25`` to ``initial``, down to ``initial / 10000``.

    Both ways are half a cosine; the way up takes the first 30 % of the epochs. The
    momentum stays as it is: the paper's opposite cycle of it is left out.

    References
    ----------
    L. N. Smith and N. Topin, "Super-convergence: very fast training of neural networks
    using large learning rates", 2019 (arXiv:1708.07120).
    """

    planned = True
    rise = 0.3
    start_factor = 1 / 25
    end_factor = 1e-4

    def __call__(self, epoch):
        top, progress = self.initial, self._progress(epoch)
        if progress < self.rise:
            return cosine_between(top * self.start_factor, top, progress / self.rise)
        fall = (progress - self.rise) / (1.0 - self.rise)
        return cosine_between(top, top * self.end_factor, fall)


def cosine_between(start, end, fraction):
    """Go from `start` to `end` along half a cosine, flat at both ends."""
    return end + (start - end) * (1.0 + cos(pi * fraction)) / 2.0


SCHEDULES = {
    "constant": Constant,
    "invscaling": InvScaling,
    "adaptive": Adaptive,
    "cosine": Cosine,
    "onecycle": OneCycle,
}


def make_schedule(learning_rate, initial, n_epochs):
    """The schedule called `learning_rate`, for one fit.

    Parameters
    ----------
    learning_rate : str
        A name in `SCHEDULES`.
    initial : float
        The user's `learning_rate_init`.
    n_epochs : int
        The planned number of epochs.

    Returns
    -------
    Schedule
    """
    if not (isinstance(learning_rate, str) and learning_rate in SCHEDULES):
        choices = ", ".join(map(repr, SCHEDULES))
        raise ValueError(
            f"learning_rate must be one of {choices}, got {learning_rate!r}."
        )
    if not 0 < initial < float("inf"):
        raise ValueError(f"learning_rate_init must be positive, got {initial!r}.")
    return SCHEDULES[learning_rate](initial, n_epochs)
