"""The element-wise functions that a cell's algebra is made of.

They take and return scalars. Outside a kernel they also work on NumPy arrays, so that
the equations of a cell can be tried by hand. In a kernel `tanh` is a ratio of two
polynomials, which the compiler turns into vector instructions.
"""

import numpy as np

from skrnn.jit import typed_twins


def tanh(x):
    """Hyperbolic tangent."""
    return np.tanh(x)


def sigmoid(x):
    """Logistic sigmoid, 1 / (1 + exp(-x))."""
    return 0.5 + 0.5 * tanh(0.5 * x)


def relu(x):
    """Rectifier, max(x, 0)."""
    return np.maximum(x, 0.0)


def _saturate(value, a, end):
    """The value, or exactly 1 or -1 where |a| > end: a slope there is exactly 0."""
    return 1.0 if a > end else -1.0 if a < -end else value


def _tanh_float32(a):
    """x p(x^2) / q(x^2), within 6 units in the last place; 1 beyond |x| = 9."""
    x = max(min(a, 8.0), -8.0)
    u = x * x
    p = 6.3664844229816e-11 - 1.156667670714276e-13 * u
    p = -2.2316696046686957e-08 + u * p
    p = 1.164295736089116e-05 + u * p
    p = 0.0031494146678596735 + u * p
    p = 0.13124394416809082 + u * p
    p = 1.0 + u * p
    q = 0.024675199761986732 + 0.00026130463811568916 * u
    q = 0.46457725763320923 + u * q
    q = 1.0 + u * q
    return _saturate(x * p / q, a, 9.0)


def _tanh_float64(a):
    """x p(x^2) / q(x^2), absolute error below 1e-15; 1 beyond |x| = 19."""
    x = max(min(a, 18.7), -18.7)
    u = x * x
    p = 7.666424397764094e-19 + 2.6220397441180988e-23 * u
    p = 3.1345428087143994e-15 + u * p
    p = 4.233534388148278e-12 + u * p
    p = 2.4629556260379853e-09 + u * p
    p = 6.866203494624125e-07 + u * p
    p = 9.385132041504288e-05 + u * p
    p = 0.005981295056686978 + u * p
    p = 0.15184936096873738 + u * p
    p = 1.0 + u * p
    q = 5.790607500400317e-17 + 6.476792518177745e-21 * u
    q = 1.2942213526240595e-13 + u * q
    q = 1.1243012331929196e-10 + u * q
    q = 4.494528680046397e-08 + u * q
    q = 8.786823183350256e-06 + u * q
    q = 0.0008295882119623751 + u * q
    q = 0.03437552649071163 + u * q
    q = 0.4851826943020701 + u * q
    q = 1.0 + u * q
    return _saturate(x * p / q, a, 19.0)


typed_twins(tanh, float32=_tanh_float32, float64=_tanh_float64)
