"""Recurrent regressor."""

from sklearn.base import RegressorMixin
from sklearn.utils import check_consistent_length

from skrnn.estimators.base_regressor import BaseRegressor
from skrnn.estimators.parameters import POOLED, REGRESSOR, SHARED


class RNNRegressor(RegressorMixin, BaseRegressor):
    """Recurrent neural network that predicts numbers from whole sequences.

    It is the network of `RNNClassifier`, whose documentation explains it: equations,
    cells, every parameter at length, and why gradients vanish or explode. Only the end
    differs. With the pooled output p of a sequence, (F,), the head gives::

        s = W p + b                                                 W (K, F), s (K,)
        prediction = s          "squared_error", "absolute_error", "huber"    K = n
        prediction = exp(s)     "poisson"                                     K = n
        q_1 = s_1, q_j = q_(j-1) + log(1 + exp(s_j))    "quantile"          K = n Q

    for n outputs and, of each, Q quantiles, which therefore never cross. The head's
    bias starts at the best constant prediction, so y needs no centring. But for
    "poisson" it should vary by about 1: divide it by its standard deviation, or use
    `sklearn.compose.TransformedTargetRegressor`.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(64,)
        Units of each level, lowest first.
    cell : {"rnn", "lstm", "gru", "mingru", "indrnn", "peephole_lstm"} or Cell, \
            default="gru"
        What a unit does in a step.
    loss : {"squared_error", "absolute_error", "huber", "poisson", "quantile"}, \
            default="squared_error"
        What a prediction costs, as the mean over outputs. With e = prediction - y:

        - "squared_error": e^2 / 2. Predicts the mean; outliers pull hard.
        - "absolute_error": |e|. Predicts the median; robust, but learns more slowly
          near the end, since its gradient does not shrink with the error.
        - "huber": e^2 / 2 up to |e| = `huber_delta`, linear beyond. Smooth and robust.
        - "poisson": half the Poisson deviance, for counts and rates, y >= 0. Errors
          count relative to the size of y.
        - "quantile" [1]_: the pinball loss, max((1 - q) e, -q e) for each quantile q.
          For prediction intervals, or where too low costs more than too high.
    quantiles : float or sequence of float, default=0.5
        Of loss "quantile": the levels q in (0, 1), ascending. Several of them add an
        axis of that length to the predictions.
    huber_delta : float, default=1.0
        Of loss "huber": the error, in units of y, where it turns linear. Large values
        approach "squared_error", small ones "absolute_error".
    embedding_dim : int or None, default=None
        Numbers in the vector of a token; X are then ids, one for each step.
    embedding_weights : array-like (n_ids, embedding_dim), default=None
        Vectors to begin with.
    embedding_trainable : bool, default=True
        Whether the vectors are learnt.
    bidirectional : bool, default=False
        Whether each level also reads from the end.
    activation : {"tanh", "relu"}, default="tanh"
        The f of the cells "rnn" and "indrnn".
    pooling : {"last", "mean", "max", "attention"}, default="last"
        How the outputs of the steps become one vector.
    dropout : float, default=0.0
        Share of values switched off in training, between levels and before the head.
    recurrent_dropout : float, default=0.0
        The same for the previous output on its way into W_hh.
    alpha : float, default=1e-4
        Strength of the L2 penalty on weights, without biases.
    max_grad_norm : float or None, default=1.0
        A longer gradient is shortened to this norm; None for no limit.
    solver : {"adam", "rmsprop", "sgd", "lbfgs"} or Optimizer, default="adam"
        How the weights follow the gradient.
    batch_size : int or "auto", default="auto"
        Sequences in a minibatch; "auto" is min(32, n_sequences).
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "onecycle"}, \
            default="onecycle"
        How the learning rate changes.
    learning_rate_init : float, default=0.01
        The highest learning rate. The first parameter to tune.
    max_iter : int, default=100
        Largest number of epochs, or of iterations of "lbfgs".
    bptt_steps : int or None, default=None
        Cut backpropagation through time into chunks of that many steps.
    shuffle : bool, default=True
        Whether each epoch takes the sequences in a new order.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order, dropout and validation split.
    tol : float, default=1e-4
        A smaller improvement counts as none. In units of the loss: scale it with y.
    verbose : bool or int, default=False
        Whether to print a line an epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the last weights, for `max_iter` more epochs.
    early_stopping : bool, default=False
        Whether to judge each epoch on validation data and keep the best weights.
    validation_fraction : float, default=0.1
        Share of the sequences set aside if `early_stopping` and `fit` gets no X_val.
    n_iter_no_change : int, default=10
        Epochs in a row without improvement that are put up with.
    scoring : str, callable or None, default=None
        Scorer for the validation data; None for the loss.
    dtype : {"float32", "float64"} or None, default=None
        What to compute in; None takes float32 if all of X is, else float64.
    n_jobs : int or None, default=None
        Threads; None is 1 unless in a `joblib.parallel_config`, -1 all cores.

    Attributes
    ----------
    theta_ : ndarray of shape (n_parameters_,)
        All weights and biases in one vector.
    weights_ : dict of str to ndarray
        Views of `theta_` by name, with the shapes given in `RNNClassifier`.
    cell_ : Cell
        The cell used.
    n_parameters_, n_layers_, n_outputs_ : int
        Size of `theta_`; levels plus input and head; K.
    out_activation_ : {"identity", "exp", "ordered"}
        What makes predictions of scores; "ordered" for several quantiles.
    n_iter_, t_ : int
        Epochs done and sequences read in them, over all warm starts.
    loss_curve_ : list of shape (n_iter_,)
        Training loss of each epoch, with penalty and dropout.
    loss_, best_loss_ : float
        Last and smallest entry of `loss_curve_`.
    validation_loss_curve_, validation_scores_ : list of float or None
        Of each epoch, if there are validation data; scores with `scoring` only.
    best_iter_, best_validation_score_ : int and float, or None
        The epoch, from 1, whose weights `early_stopping` kept; its `scoring`.
    n_step_features_in_ : int
        D, the features of a step.
    n_features_in_ : int
        Columns of a 2-D X, which are time steps.
    feature_names_in_ : ndarray of str
        Names of the columns: those of a step, where X is a list of DataFrames, or the
        time steps of a 2-D DataFrame. Later DataFrames must have the same.

    See Also
    --------
    RNNClassifier : The same network for classes, with the full explanation.
    sklearn.neural_network.MLPRegressor : A network without memory.

    Notes
    -----
    A y of shape (n_sequences, n) is learnt by one network with n outputs, which share
    all but the head. To forecast a series, cut it into windows: a 2-D X whose columns
    are the last values, oldest first, and as y the value after them.

    References
    ----------
    .. [1] R. Koenker and G. Bassett, "Regression quantiles", 1978.

    Examples
    --------
    >>> from skrnn import RNNRegressor
    >>> from skrnn.datasets import make_adding_problem
    >>> X, y = make_adding_problem(300, n_timesteps=(4, 8), random_state=0)
    >>> rnn = RNNRegressor(16, learning_rate_init=0.01, max_iter=40, random_state=0)
    >>> rnn.fit(X[:250], y[:250]).score(X[250:], y[250:]) > 0.5
    True

    A prediction interval and the median between:

    >>> rnn = RNNRegressor(
    ...     16, loss="quantile", quantiles=(0.1, 0.5, 0.9), max_iter=5, random_state=0
    ... )
    >>> low, median, high = rnn.fit(X, y).predict(X).T
    >>> low.shape, bool((low <= median).all() and (median <= high).all())
    ((300,), True)
    """

    _rules = {**SHARED, **POOLED, **REGRESSOR}

    def __init__(
        self,
        hidden_layer_sizes=(64,),
        cell="gru",
        *,
        loss="squared_error",
        quantiles=0.5,
        huber_delta=1.0,
        embedding_dim=None,
        embedding_weights=None,
        embedding_trainable=True,
        bidirectional=False,
        activation="tanh",
        pooling="last",
        dropout=0.0,
        recurrent_dropout=0.0,
        alpha=1e-4,
        max_grad_norm=1.0,
        solver="adam",
        batch_size="auto",
        learning_rate="onecycle",
        learning_rate_init=0.01,
        max_iter=100,
        bptt_steps=None,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        scoring=None,
        dtype=None,
        n_jobs=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.loss = loss
        self.quantiles = quantiles
        self.huber_delta = huber_delta
        self.embedding_dim = embedding_dim
        self.embedding_weights = embedding_weights
        self.embedding_trainable = embedding_trainable
        self.bidirectional = bidirectional
        self.activation = activation
        self.pooling = pooling
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.alpha = alpha
        self.max_grad_norm = max_grad_norm
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.bptt_steps = bptt_steps
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.dtype = dtype
        self.n_jobs = n_jobs

    def score(self, X, y, sample_weight=None):
        """R^2 of the predictions; with the quantile loss, D^2 of the pinball loss.

        Parameters
        ----------
        X : sequences
            As in `fit`.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
        sample_weight : array-like of shape (n_sequences,), default=None

        Returns
        -------
        float
            At most 1; 0 for a constant. The D^2 is the mean over the quantiles.
        """
        y, predicted = self._encode(y), self.predict(X)
        check_consistent_length(y, predicted, sample_weight)
        if sample_weight is not None:
            sample_weight = self._check_weights(sample_weight, len(y))
        return self._score(y, predicted, sample_weight)
