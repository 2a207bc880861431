"""Losses that are infinite or NaN."""

import math


class NonFiniteLoss(ArithmeticError):
    """The loss or its gradient is infinite or NaN.

    Parameters
    ----------
    name : str
        Which loss.
    after_epoch : bool, default=False
        Whether it is the loss of the weights that the last epoch has left.
    """

    def __init__(self, name, after_epoch=False):
        super().__init__(name)
        self.after_epoch = after_epoch


def check_finite(value, name="loss", after_epoch=False):
    """Raise NonFiniteLoss, with the name of the loss, unless its value is finite."""
    if not math.isfinite(value):
        raise NonFiniteLoss(name, after_epoch)
