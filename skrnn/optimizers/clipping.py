"""Gradient clipping by global norm."""

import numpy as np

from skrnn.jit import specialise


def clip_norm(gradient, max_norm):
    """Shrink `gradient` in place so that its Euclidean norm is at most `max_norm`.

    A gradient whose norm is not finite is left as it is, for the caller to see.

    Parameters
    ----------
    gradient : ndarray, shape (n_parameters,)
        C-contiguous, float32 or float64.
    max_norm : float
        Positive; ``inf`` only measures.

    Returns
    -------
    float
        The norm before clipping, summed in float64.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent
    neural networks", ICML 2013.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm!r}.")
    return float(specialise(clip, gradient.dtype)(gradient, float(max_norm)))


def clip(gradient, max_norm):
    total = np.float64(0)
    for i in range(gradient.size):
        g = np.float64(gradient[i])
        total += g * g
    norm = np.sqrt(total)
    if max_norm < norm < np.inf:
        scale = gradient.dtype.type(max_norm / norm)
        for i in range(gradient.size):
            gradient[i] *= scale
    return norm
