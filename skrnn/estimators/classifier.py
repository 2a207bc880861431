"""Recurrent classifier."""

from sklearn.base import ClassifierMixin

from skrnn.estimators.base_classifier import BaseClassifier
from skrnn.estimators.parameters import CLASSIFIER, POOLED, SHARED


class RNNClassifier(ClassifierMixin, BaseClassifier):
    """Recurrent neural network that puts whole sequences into classes.

    It reads a sequence step by step and carries a state along, its memory of what it
    has read. The same weights serve every step, so sequences may have any length: X is
    a list of (n_timesteps_i, n_features) arrays, or has another form that `fit` takes.

    For one sequence x_1, ..., x_T of D features, and H units in a level::

        u_t = x_t, in upper levels the h_t of the level below            (D,) or (F,)
        a_x = W_ih u_t + b_ih                               W_ih (G H, D), a_x (G H,)
        a_h = W_hh h_(t-1) + b_hh                           W_hh (G H, H), a_h (G H,)
        h_t, c_t = cell(a_x, a_h, h_(t-1), c_(t-1))                h_0 = c_0 = 0 (H,)
        p = pooling(h_1, ..., h_T) of the top level                              (F,)
        s = W p + b                                                 W (K, F), s (K,)
        P(class k) = exp(s_k) / (exp(s_1) + ... + exp(s_K))                      (K,)

    G is the number of gates of the cell, F is H, or 2 H if `bidirectional`, and K is
    the number of classes. For two classes, K = 1 and P(second) = 1 / (1 + exp(-s)), as
    for each label of a multilabel y. Each gate owns H rows of a_x and a_h; products of
    vectors go unit by unit::

        rnn,  G = 1:  h_t = f(a_x + a_h),  f = tanh or relu
        gru,  G = 3:  r, z = sigmoid(a_x + a_h),  n = tanh(a_x + r a_h)
                      h_t = (1 - z) n + z h_(t-1)
        lstm, G = 4:  i, f, o = sigmoid(a_x + a_h),  g = tanh(a_x + a_h)
                      c_t = f c_(t-1) + i g,  h_t = o tanh(c_t)

    A minibatch of B sequences with N steps altogether is packed: step 1 of all of them,
    then step 2 of those that have one, and so on. No step is padding::

        x (N, D) -> levels (N, F) -> pooling (B, F) -> head (B, K) -> softmax (B, K)

    Training minimises the mean of -log P(true class) plus an L2 penalty. The gradient
    goes back through all steps, last to first: backpropagation through time.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(64,)
        Units of each level, lowest first. More units remember more at once and cost
        about their square; a second level helps where there is much data.
    cell : {"rnn", "lstm", "gru", "mingru", "indrnn", "peephole_lstm"} or Cell, \
            default="gru"
        What a unit does in a step. `skrnn.cells` has the equations.

        - "gru" [4]_: the first to try, mostly as good as the LSTM and faster.
        - "lstm" [2]_ [3]_: a second state for long memory and for counting.
        - "rnn" [1]_: one gate, so a third of the cost; for short memories, as every
          step overwrites its state.
        - "peephole_lstm": its gates see c as well, for exact timing.
        - "mingru", "indrnn": no W_hh, so very fast; with two levels or more, since the
          units of a level do not see each other. A `Cell` object may be your own.
    embedding_dim : int or None, default=None
        None for features. With a number, X are ids of tokens, one for each step, such
        as :class:`~skrnn.preprocessing.TokenEncoder` gives them, and the network reads
        in place of an id a learnt vector of so many numbers. The id 0 at the end of a
        sequence is padding; ids that no fit has seen count as 1, the unknown token. The
        solver updates only the vectors of the ids in a minibatch, so the time does not
        depend on the size of the vocabulary, which a fit that goes on enlarges where
        larger ids come; `alpha` leaves them alone, and `dropout`
        also concerns the vectors that are read. Computed in float32 unless `dtype` says
        otherwise.

    embedding_weights : array-like (n_ids, embedding_dim), default=None
        Vectors to begin with, that of an id in the row of that number; read by the
        first fit, not by one that goes on. None for random ones.

    embedding_trainable : bool, default=True
        Whether the vectors are learnt as well. With False, those of
        `embedding_weights` stay as they are.

    bidirectional : bool, default=False
        Whether each level also has a layer that reads from the end [6]_, so that every
        output knows both sides. Costs twice the time.
    activation : {"tanh", "relu"}, default="tanh"
        The f of "rnn" and "indrnn"; other names know tanh only, and a `Cell` object
        brings its own. relu does not saturate, but nothing bounds the state: use it
        with `max_grad_norm` and a small `learning_rate_init`.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        How the outputs of the real steps become one vector.

        - "last": after the last step, of a backward layer after the first. For what is
          known at the end; gradients reach early steps through all later ones.
        - "mean", "max": for what shows throughout, or somewhere, in a sequence.
        - "attention" [7]_: a mean with learnt weights, see `attention_weights`.
    dropout : float, default=0.0
        Share of values switched off in training, in [0, 1), between levels and before
        the head, the same at all steps of a sequence [8]_. Against over-fitting: 0.2
        to 0.5, with more epochs. Off at predict.
    recurrent_dropout : float, default=0.0
        The same for h_(t-1) on its way into W_hh. Up to 0.3: it disturbs the memory.
    alpha : float, default=1e-4
        Strength of the L2 penalty, alpha / (2 n) |weights|^2 for n sequences in a
        minibatch; biases are free. Against over-fitting raise it tenfold at a time.
    max_grad_norm : float or None, default=1.0
        A longer gradient is shortened to this norm [5]_, so that one minibatch cannot
        ruin the weights. None for no limit.
    solver : {"adam", "rmsprop", "sgd", "lbfgs"} or Optimizer, default="adam"
        "adam" [9]_ and "rmsprop" fit the rate to each weight and need the least care;
        "sgd" has Nesterov momentum and needs its rate tuned. "lbfgs" takes all
        sequences at once, for few and short ones, without learning rate or clipping.
        An object such as `skrnn.optimizers.Adam` has parameters: ``solver__beta_1``.
    batch_size : int or "auto", default="auto"
        Sequences in a minibatch; "auto" is min(32, n_sequences). Large ones make an
        epoch faster, small ones make more updates in it.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "onecycle"}, \
            default="onecycle"
        "cosine" falls smoothly to 0 over `max_iter` epochs, "onecycle" rises first;
        "invscaling" divides by sqrt(1 + epoch), "adaptive" by 5 at each stall. Each
        `fit` begins it anew; `partial_fit` keeps to `learning_rate_init`.
    learning_rate_init : float, default=0.01
        The highest rate. Tune it first, in factors of 3: too high and the loss jumps,
        too low and it crawls.
    max_iter : int, default=100
        Largest number of epochs, or of iterations of "lbfgs".
    bptt_steps : int or None, default=None
        Cut backpropagation into chunks of that many steps: the state goes on, the
        gradient does not, so that what lies further back is hardly learnt. Bounds the
        space for very long sequences, for a second forward run. Not if `bidirectional`.
    shuffle : bool, default=True
        Whether each epoch takes the sequences in a new order.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order, dropout and validation split.
    tol : float, default=1e-4
        A smaller fall of the loss, or rise of the score, counts as none; "lbfgs" stops
        when no entry of the gradient is larger.
    verbose : bool or int, default=False
        Whether to print a line an epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the last weights, for `max_iter` more epochs.
    early_stopping : bool, default=False
        Whether to judge each epoch on validation data, stop when they no longer
        improve, and keep the best weights. Against over-fitting. If False, training
        stops when the training loss stalls.
    validation_fraction : float, default=0.1
        Share of the sequences set aside if `early_stopping` and `fit` gets no X_val;
        stratified by class unless y is multilabel.
    n_iter_no_change : int, default=10
        Epochs in a row without improvement that are put up with. "cosine" and
        "onecycle" go on to their end unless `early_stopping`, or a loss near zero.
    scoring : str, callable or None, default=None
        Scorer for the validation data; None for the loss, which is smoother.
    class_weight : dict, "balanced", list of dicts or None, default=None
        Weights of the classes in the loss, times the sample weights. "balanced" helps
        rare classes and shifts probabilities towards them.
    dtype : {"float32", "float64"} or None, default=None
        What to compute in; None takes float32 if all of X is, else float64. float32
        takes half the memory and less time; rounding seldom matters in training.
    n_jobs : int or None, default=None
        Threads; None is 1 unless in a `joblib.parallel_config`, -1 all cores. Small
        minibatches are not shared out. In a grid search, give the cores to the search.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; 0, 1, ... for multilabel targets.
    theta_ : ndarray of shape (n_parameters_,)
        All weights and biases in one vector.
    weights_ : dict of str to ndarray
        Views of `theta_`: ``weight_ih_l0`` (G H, D), ``weight_hh_l0`` (G H, H),
        ``bias_ih_l0``, ``bias_hh_l0`` (G H,), vectors (H,) such as ``weight_u_l0``;
        ``..._l0_reverse``; ``..._l1``; ``attention_weight`` (F, F), ``attention_bias``,
        ``attention_score_weight`` (F,); ``head_weight`` (K, F), ``head_bias`` (K,).
        Gates are stacked in PyTorch's order, i, f, g, o or r, z, n.
    cell_ : Cell
        The cell used.
    n_parameters_, n_layers_, n_outputs_ : int
        Size of `theta_`; levels plus input and head; K.
    out_activation_ : {"softmax", "logistic"}
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
    RNNRegressor : The same network for numbers.
    sklearn.neural_network.MLPClassifier : A network without memory.

    Notes
    -----
    Gradients vanish or explode because they are products. On its way back from step T
    to step t, that of an "rnn" is multiplied by ``W_hh^T diag(f'(a_x + a_h))`` at each
    step [5]_. Where this shrinks vectors, the gradient fades exponentially and early
    steps teach nothing; where it stretches them, one update ruins the weights. These
    answer it:

    - `cell`: "gru" and "lstm" hand the state on through a gate, so the factor is z or
      f, unit by unit, and can stay near 1 where something must be remembered;
    - the start, without a parameter: W_hh is orthogonal [11]_, the identity for relu,
      so that lengths are kept; W_ih is drawn as in [10]_; the LSTM's f has bias 1;
    - `max_grad_norm` stops explosions, which no start rules out for long;
    - `pooling` other than "last" joins every step to the loss directly;
    - `activation` "relu" has slope 1 where tanh flattens;
    - `bptt_steps` ends the product, and with it what can be learnt to be remembered.

    Scale the features of X to mean 0 and variance 1: large values saturate the gates. A
    UserWarning tells of values that are far too large, a ConvergenceWarning of a loss
    still falling, or of gradients that explode or vanish for epochs. When the loss is
    infinite or NaN, `fit` raises a ValueError and leaves the weights of the epoch
    before. Ctrl-C ends `fit` with a warning and the best weights so far, which without
    `early_stopping` are the latest.

    An int `random_state` gives the same bits in each run on a machine, for any
    `n_jobs`. Training stores up to a dozen numbers for each unit and step of a
    minibatch; predicting stores a few, for some 8,000 steps at a time.

    References
    ----------
    .. [1] J. L. Elman, "Finding structure in time", 1990.
    .. [2] S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997.
    .. [3] F. Gers et al., "Learning to forget: continual prediction with LSTM", 2000.
    .. [4] K. Cho et al., "Learning phrase representations using RNN encoder-decoder
       for statistical machine translation", 2014.
    .. [5] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training
       recurrent neural networks", 2013.
    .. [6] M. Schuster and K. Paliwal, "Bidirectional recurrent neural networks", 1997.
    .. [7] Z. Yang et al., "Hierarchical attention networks for document
       classification", 2016.
    .. [8] Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout
       in recurrent neural networks", 2016.
    .. [9] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015.
    .. [10] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep
       feedforward neural networks", 2010.
    .. [11] A. M. Saxe, J. L. McClelland and S. Ganguli, "Exact solutions to the
       nonlinear dynamics of learning in deep linear neural networks", 2014.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.datasets import make_copy_memory
    >>> X, y = make_copy_memory(200, n_symbols=2, delay=(2, 6), random_state=0)
    >>> X[0].shape, X[1].shape
    ((6, 4), (7, 4))
    >>> rnn = RNNClassifier(16, learning_rate_init=0.01, max_iter=20, random_state=0)
    >>> rnn.fit(X[:150], y[:150]).predict_proba(X[150:]).shape
    (50, 2)
    >>> rnn.score(X[150:], y[150:]) > 0.9
    True

    In a pipeline, with the cell chosen by cross-validation:

    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> thin = FunctionTransformer(lambda X: [x[::2] for x in X])
    >>> pipe = make_pipeline(thin, RNNClassifier(8, max_iter=2, random_state=0))
    >>> search = GridSearchCV(pipe, {"rnnclassifier__cell": ["rnn", "gru"]}, cv=2)
    >>> search.fit(X, y).predict(X).shape
    (200,)
    """

    _rules = {**SHARED, **POOLED, **CLASSIFIER}
    _for_numbers = "RNNRegressor"

    def __init__(
        self,
        hidden_layer_sizes=(64,),
        cell="gru",
        *,
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
        class_weight=None,
        dtype=None,
        n_jobs=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
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
        self.class_weight = class_weight
        self.dtype = dtype
        self.n_jobs = n_jobs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
