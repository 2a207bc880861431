"""Recurrent tagger."""

import numpy as np

from skrnn.estimators.base_classifier import BaseClassifier
from skrnn.estimators.parameters import CLASSIFIER, SHARED, TAGGER
from skrnn.estimators.serving import server_of
from skrnn.estimators.state import TAGGER_STATE
from skrnn.estimators.steps import StepTargetsMixin
from skrnn.losses.chain import LinearChain, chain_decode, chain_marginals
from skrnn.sequences import has_no_target, naming
from skrnn.training import ChainData, StepData


class RNNTagger(StepTargetsMixin, BaseClassifier):
    """Recurrent neural network that puts each step of a sequence into a class.

    It is the network of `RNNClassifier`, whose documentation explains it: equations,
    cells and every parameter at length. Only the end differs. The head reads the
    outputs h_1, ..., h_T of the top level one by one::

        s_t = W h_t + b                                            W (K, F), s_t (K,)
        P(class k at step t) = exp(s_tk) / (exp(s_t1) + ... + exp(s_tK))

    so that a sequence of T steps gets T answers. With `bidirectional` each of them
    knows the whole sequence; else it knows the steps up to its own, and `step` gives
    the same answers while the sequence comes in.

    y is a list with an array of labels for each sequence, as long as the sequence. With
    arrays of shape (n_timesteps_i, n_labels) of 0 and 1 every step has several labels
    at once. The loss is the mean over the steps.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(64,)
        Units of each level, lowest first.
    cell : {"rnn", "lstm", "gru", "mingru", "indrnn", "peephole_lstm"} or Cell, \
            default="gru"
        What a unit does in a step.
    crf : bool, default=False
        Whether labels are judged and decoded as a sequence, by a linear-chain
        conditional random field [1]_ on top of the scores: it learns which labels
        follow each other. `predict` gives the most probable sequence (Viterbi),
        `predict_proba` the probability of each label at each step. Steps that are
        ignored may have any label; weights are those of whole sequences.
    ignored_label : str, number or None, default=None
        Steps with this label in y do not count, in `fit` and `score`, and it is no
        class. Steps whose label is NaN, None or pandas.NA never count.
    embedding_dim : int or None, default=None
        Numbers in the vector of a token; X are then ids, one for each step.
    embedding_weights : array-like (n_ids, embedding_dim), default=None
        Vectors to begin with.
    embedding_trainable : bool, default=True
        Whether the vectors are learnt.
    bidirectional : bool, default=False
        Whether each level also reads from the end. Mostly worth its double cost here.
    activation : {"tanh", "relu"}, default="tanh"
        The f of the cells "rnn" and "indrnn".
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
        A smaller improvement counts as none.
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
        Scorer for the validation data, or its name in `skrnn.metrics.get_scorer`, such
        as "step_f1_macro" or "entity_f1"; None for the loss.
    class_weight : dict, "balanced", list of dicts or None, default=None
        Weights of the classes in the loss, times the sample weights. "balanced" counts
        steps.
    dtype : {"float32", "float64"} or None, default=None
        What to compute in; None takes float32 if all of X is, else float64.
    n_jobs : int or None, default=None
        Threads; None is 1 unless in a `joblib.parallel_config`, -1 all cores.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; 0, 1, ... for several labels at once.
    theta_ : ndarray of shape (n_parameters_,)
        All weights and biases in one vector.
    weights_ : dict of str to ndarray
        Views of `theta_` by name, with the shapes given in `RNNClassifier`.
    cell_ : Cell
        The cell used.
    n_parameters_, n_layers_, n_outputs_ : int
        Size of `theta_`; levels plus input and head; K.
    out_activation_ : {"softmax", "logistic", "crf"}
        What makes probabilities of scores; "logistic" for two classes or labels.
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
    RNNSequenceRegressor : Numbers for each step.
    RNNClassifier : One class for a sequence, with the full explanation.
    skrnn.metrics : Scores of answers for each step.

    Notes
    -----
    It is no `ClassifierMixin`, since scikit-learn takes the y of a classifier for one
    label a sequence. Integer `cv` therefore does not stratify.

    References
    ----------
    .. [1] J. Lafferty, A. McCallum and F. Pereira, "Conditional random fields:
       probabilistic models for segmenting and labeling sequence data", 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNTagger
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(rng.integers(3, 9), 1)) for _ in range(260)]
    >>> y = [np.where(x.cumsum() > 0, "above", "below") for x in X]
    >>> tagger = RNNTagger(16, max_iter=30, random_state=0).fit(X[:250], y[:250])
    >>> X[250].shape, tagger.predict(X[250:])[0].shape
    ((8, 1), (8,))
    >>> tagger.score(X[250:], y[250:]) > 0.9
    True
    """

    _rules = {**SHARED, **CLASSIFIER, **TAGGER}
    _state_rules = TAGGER_STATE
    _for_numbers = "RNNSequenceRegressor"

    def __init__(
        self,
        hidden_layer_sizes=(64,),
        cell="gru",
        *,
        crf=False,
        ignored_label=None,
        embedding_dim=None,
        embedding_weights=None,
        embedding_trainable=True,
        bidirectional=False,
        activation="tanh",
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
        class_weight=None,
        dtype=None,
        n_jobs=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.crf = crf
        self.ignored_label = ignored_label
        self.embedding_dim = embedding_dim
        self.embedding_weights = embedding_weights
        self.embedding_trainable = embedding_trainable
        self.bidirectional = bidirectional
        self.activation = activation
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
        self.class_weight = class_weight
        self.dtype = dtype
        self.n_jobs = n_jobs

    def predict(self, X):
        """Most probable class of each step.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_timesteps_i,) or (n_timesteps_i, n_labels)
            Labels as in the y of `fit`; with several labels 0 or 1 for each.
        """
        return super().predict(X)

    def predict_proba(self, X):
        """Probability of each class at each step.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_timesteps_i, n_classes)
        """
        return super().predict_proba(X)

    def predict_log_proba(self, X):
        """Logarithm of the probability of each class at each step.

        Parameters
        ----------
        X : sequences
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_timesteps_i, n_classes)
            With `crf` -inf where a probability is too small for a float.
        """
        return super().predict_log_proba(X)

    def score(self, X, y, sample_weight=None):
        """Share of the steps whose labels are all right.

        Parameters
        ----------
        X : sequences
            As in `fit`.
        y : list of array-likes
            As in `fit`.
        sample_weight : array-like of shape (n_sequences,), or list of arrays, \
                default=None
            Weights of the sequences or of the steps.

        Returns
        -------
        float
            From 0 to 1.
        """
        from sklearn.metrics import accuracy_score  # slow to import

        parts = self._score_parts(X, y, sample_weight, self._check_labels)
        y, predicted, weights = parts
        with naming("y"):
            return float(accuracy_score(y, predicted, sample_weight=weights))

    def _check_combinations(self):
        super()._check_combinations()
        if self.crf and self.class_weight is not None:
            raise ValueError(
                "class_weight must be None with crf=True, got "
                f"{self.class_weight!r}: labels are judged as a sequence."
            )

    @property
    def _data_kind(self):
        return ChainData if self.crf else StepData

    def _join_targets(self, sequences, y, sample_weight, encode, suffix=""):
        data = super()._join_targets(sequences, y, sample_weight, encode, suffix)
        if self.crf:
            _check_weights_of_sequences(data, f"sample_weight{suffix}")
        return data

    def _encode_first(self, y, classes=None):
        targets = super()._encode_first(y, classes)
        known = self.classes_.tolist()
        if self.ignored_label in known and not self._multilabel_:
            raise ValueError(
                "The classes of y must not hold the ignored_label, got "
                f"{self.ignored_label!r} in {known}."
            )
        return targets

    def _loss_parameters(self):
        return {"crf": bool(self.crf)}

    def _make_loss(self, crf=False):
        if not crf:
            return super()._make_loss()
        if self._multilabel_:
            raise ValueError(
                "crf must be False for several labels at once, got True and "
                f"{len(self.classes_)} columns of labels."
            )
        return LinearChain(len(self.classes_))

    def _respond_flat(self, method, X):
        server = server_of(self)
        if not isinstance(server.loss, LinearChain):
            return super()._respond_flat(method, X)
        raw, lengths = self._raw_scores(X)
        chain = server.network.layout.views(server.theta)["transitions"]
        if method == "predict":
            return self.classes_.take(chain_decode(raw, chain, lengths)), lengths
        proba = chain_marginals(raw, chain, lengths)
        if method == "predict_log_proba":
            with np.errstate(divide="ignore"):
                proba = np.log(proba)
        return proba.astype(raw.dtype), lengths

    def _is_ignored(self, y):
        return has_no_target(y, self.ignored_label)


def _check_weights_of_sequences(data, name):
    """Refuse weights that differ within a sequence, steps that are ignored aside."""
    firsts = np.cumsum(data.sequences.lengths) - data.sequences.lengths
    heaviest = np.maximum.reduceat(data.weights, firsts)
    allowed = np.repeat(heaviest, data.sequences.lengths)
    if not ((data.weights == 0.0) | (data.weights == allowed)).all():
        raise ValueError(f"{name} must be one weight for each sequence with crf=True.")
