"""What a cell is: one step of element-wise algebra, and the names of its parts."""

import numpy as np
from sklearn.base import BaseEstimator


class Cell(BaseEstimator):
    """One step of a recurrent network, for one unit of one sequence.

    A cell knows nothing of time, depth, direction or matrix products. The recurrence
    forms the products of a step, ``a_x = W_ih x_t + b_ih`` and
    ``a_h = W_hh h_(t-1) + b_hh``, one block of `n_units` rows for each gate, and
    calls `forward` for each unit with plain numbers. A new cell is a subclass that
    names its parts and writes `forward` and `backward`; see ``docs/add_a_cell.md``.

    Attributes
    ----------
    x_gates : tuple of str
        Gates that read the input, in the row order of ``weight_ih``.
    h_gates : tuple of str
        Gates that read the previous output through ``weight_hh``; may be empty.
    carried : tuple of str
        What one step hands to the next. The first is the output ``h``.
    taped : tuple of str
        What `forward` keeps for `backward`.
    unit_vectors : tuple of str
        Further parameters with one number per unit; may be empty.
    x_bias : dict
        Gates of `x_gates` whose bias starts at another value than 0.
    additive : bool
        True when each gate sees the input and the state only as the sum
        ``a_x + a_h``, in the same order; both then have the same gradient, and the
        recurrence computes it once.
    activations : tuple of str
        The values of the estimators' `activation` that this cell knows; the first is
        what it uses by default.
    """

    x_gates = ()
    h_gates = ()
    carried = ("h",)
    taped = ()
    unit_vectors = ()
    x_bias = {}
    additive = False
    activations = ("tanh",)

    @staticmethod
    def forward(ax, ah, carry, unit):
        """Advance one unit by one step.

        Parameters
        ----------
        ax, ah : tuple of float
            Pre-activations from the input and from the state, one for each gate.
        carry : tuple of float
            The carried values before the step.
        unit : tuple of float
            This unit's entry of each unit vector.

        Returns
        -------
        carry : tuple of float
            The carried values after the step.
        tape : tuple of float
            One value for each name in `taped`.
        """
        raise NotImplementedError("a cell must define `forward`")

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        """Gradient of `forward`.

        Parameters
        ----------
        d_carry : tuple of float
            Gradient of the loss with respect to the carried values after the step.
        tape : tuple of float
            What `forward` kept.
        carry, unit : tuple of float
            As given to `forward`.

        Returns
        -------
        d_ax, d_ah, d_carry, d_unit : tuple of float
            Gradients with respect to the arguments of `forward`. That of ``carry``
            leaves out the path through ``ah``, which belongs to the recurrence.
        """
        raise NotImplementedError("a cell must define `backward`")

    def bindings(self):
        """Values for names that `forward` and `backward` leave open, as a dict.

        The values are numbers or plain functions. This is how a parameter of the cell
        reaches its algebra.
        """
        return {}

    def initial_weight_hh(self, rng, n_units):
        """Recurrent weights of one gate, (n_units, n_units): random orthogonal.

        Orthogonal weights keep the norm of the state and of its gradient over many
        steps (Saxe, McClelland and Ganguli, 2014).
        """
        q, r = np.linalg.qr(rng.standard_normal((n_units, n_units)))
        return q * np.sign(np.diag(r))

    def initial_unit_vector(self, rng, name, n_units):
        """Initial value of the unit vector `name`, (n_units,)."""
        return np.zeros(n_units)
