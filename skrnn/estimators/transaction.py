"""A fit that fails leaves the estimator as it was."""

import functools

from skrnn.training import NonFiniteLoss


def all_or_nothing(fit):
    """Put the fitted attributes back when a method that fits raises.

    Fitted attributes, private ones too, are those whose names end with an underscore.
    A `NonFiniteLoss` comes with sound weights, which are kept; the caller sees it as a
    ValueError.
    """

    @functools.wraps(fit)
    def careful_fit(estimator, *args, **kwargs):
        before = _fitted(estimator)
        try:
            return fit(estimator, *args, **kwargs)
        except NonFiniteLoss as error:
            raise ValueError(str(error)) from None
        except BaseException:
            for name in _fitted(estimator):
                delattr(estimator, name)
            vars(estimator).update(before)
            raise

    return careful_fit


def _fitted(estimator):
    return {k: v for k, v in vars(estimator).items() if k.endswith("_")}
