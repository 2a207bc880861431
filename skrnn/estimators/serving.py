"""What a fitted estimator needs to answer, made once and not with each call."""

import contextlib
import functools
import weakref

from sklearn.utils.validation import check_is_fitted

from skrnn.estimators.state import sound_loss, sound_network
from skrnn.lazy import cached_property
from skrnn.training import Streams, map_batches, threads_for

# Kept here and not in the estimators, which thereby are saved, copied and compared as
# if there were nothing.
_SERVERS = weakref.WeakKeyDictionary()

KEPT_BYTES = 2**20  # of a workspace that is worth keeping for the next call


def server_of(estimator):
    """The server of a fitted estimator; a new one if it was fitted again.

    Parameters
    ----------
    estimator : BaseRecurrent

    Returns
    -------
    Server
    """
    server = _SERVERS.get(estimator)
    if server is None or not server.serves(estimator):
        check_is_fitted(estimator)
        server = _SERVERS[estimator] = Server(estimator)
    return server


class Server:
    """The network of an estimator as it was fitted, ready to be applied.

    It holds no reference to the estimator. Any number of threads may use it.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
        The weights; a copy if they are read-only, as in a memory map, since kernels
        would be compiled once more for those.
    loss : Loss
    """

    def __init__(self, estimator):
        self.network = sound_network(estimator)
        self.loss = sound_loss(estimator)
        self._fitted_theta = estimator.theta_
        self._is_copy = not estimator.theta_.flags.writeable
        self.theta = estimator.theta_.copy() if self._is_copy else estimator.theta_
        self._architecture = estimator._architecture_
        self._spaces = []

    def serves(self, estimator):
        """Whether it was made for the estimator as it is now."""
        fitted = vars(estimator)
        return (
            fitted.get("theta_") is self._fitted_theta
            and fitted.get("_architecture_") is self._architecture
            and self._fitted_theta.flags.writeable is not self._is_copy
        )

    def map(self, function, sequences, n_jobs, pooling=None):
        """Results of ``function(network, theta, packed, space)``, batch by batch.

        With `pooling` the network has that one in the place of its own.
        """
        network = self.network
        if pooling is not None:
            network = network.read_out_by(pooling)
        _check_width(sequences, network.n_inputs)
        function = functools.partial(function, network, self.theta)
        spaces = self._take_spaces()
        sizes = len(sequences), sequences.n_steps
        with threads_for(network, *sizes, n_jobs) as threads:
            results = map_batches(function, network, sequences, threads, spaces)
        self._spaces += [space for space in spaces if space.nbytes <= KEPT_BYTES]
        return results

    def _take_spaces(self):
        """All free workspaces; no other thread has them until they are given back."""
        spaces = []
        with contextlib.suppress(IndexError):
            while True:
                spaces.append(self._spaces.pop())
        return spaces

    @cached_property
    def streams(self):
        """The network as it reads streams."""
        if self._architecture["bidirectional"]:
            raise ValueError(
                "step cannot stream a network with bidirectional=True: its backward "
                "layers start at the end of a sequence. Fit it with "
                "bidirectional=False."
            )
        if self._architecture["n_own_rows"]:
            raise ValueError(
                "step cannot answer with crf=True: the labels of a sequence depend on "
                "all of its steps. Fit it with crf=False."
            )
        return Streams(self.network, self.theta)


def _check_width(sequences, n_inputs):
    """Check what `n_step_features_in_` promises, which anyone may assign to."""
    if sequences.n_features != n_inputs:
        raise ValueError(
            f"X must have {n_inputs} feature(s) per step, as the network reads, got "
            f"{sequences.n_features}; n_step_features_in_ was changed since the fit."
        )
