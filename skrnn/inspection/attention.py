"""How much each time step counts where the pooling is attention."""

import numpy as np

from skrnn.inspection.common import (
    OR_INSIDE,
    check_fitted_estimator,
    import_pyplot,
    twin_beneath,
    unwrap,
)
from skrnn.sequences import check_sequences

MAX_LEGEND_ENTRIES = 10
MAX_SEPARATED_ROWS = 40
MAX_ROW_LABELS = 20


class AttentionDisplay:
    """Weight of each time step in the attention pooling of a network.

    One sequence is drawn as lines, its features, over bars, its weights. Several are
    rows of a heat map, each as long as its sequence; one feature can be laid over it.

    It is recommended to use `AttentionDisplay.from_estimator` to create a display. All
    parameters are stored as attributes.

    Parameters
    ----------
    weights : list of ndarray of shape (n_timesteps_i,)
        Weights of the steps of each sequence; they sum to 1.

    sequences : list of ndarray of shape (n_timesteps_i, n_features), default=None
        The sequences themselves. Without them there is nothing to draw but the weights.

    indices : sequence of int, default=None
        What the sequences are called; 0, 1, ... if None.

    feature_names : sequence of str, default=None
        What the features are called; "feature 0", "feature 1", ... if None.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the heat map or with the features.

    figure_ : matplotlib Figure
        Figure that holds the axes.

    im_ : matplotlib AxesImage or None
        The heat map; None for one sequence.

    colorbar_ : matplotlib Colorbar or None
        What the colours of the heat map mean.

    lines_ : list of matplotlib Line2D
        The features: one line for each feature of one sequence, or one for each row of
        the heat map.

    weight_ax_ : matplotlib Axes or None
        The second y axis, of the bars; None for a heat map.

    bars_ : matplotlib BarContainer or None
        The weights of one sequence; None for a heat map.

    See Also
    --------
    LossCurveDisplay : The loss of every epoch of training.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.inspection import AttentionDisplay
    >>> weights = [np.array([0.1, 0.2, 0.7]), np.array([0.6, 0.4])]
    >>> display = AttentionDisplay(weights=weights, indices=[4, 7])
    >>> display.plot()
    <...AttentionDisplay object at ...>
    >>> display.im_.get_array().shape
    (2, 3)
    """

    def __init__(self, *, weights, sequences=None, indices=None, feature_names=None):
        self.weights = weights
        self.sequences = sequences
        self.indices = indices
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        sequence=None,
        feature=None,
        feature_names=None,
        ax=None,
        cmap="viridis",
        colorbar=True,
        im_kw=None,
        line_kw=None,
    ):
        """Draw the attention weights of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted network with ``pooling="attention"``, or a fitted Pipeline or
            search that ends with one. X goes through the other steps of a pipeline
            first; the features drawn are those that reach the network.

        X : sequences
            Whatever `estimator.predict` takes.

        sequence : int, slice or list of int, default=None
            Which sequences of X to draw: one as lines over bars, several as a heat map.
            All if None.

        feature : int or list of int, default=None
            Which features to draw. If None, all are drawn for one sequence and none for
            several, where at most one can be.

        feature_names : sequence of str, default=None
            What the features are called; "feature 0", "feature 1", ... if None.

        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the heat map.

        colorbar : bool, default=True
            Whether the heat map has a colour bar.

        im_kw : dict, default=None
            Keyword arguments of matplotlib's `imshow`, which draws the heat map.

        line_kw : dict, default=None
            Keyword arguments of matplotlib's `plot`, which draws the features.

        Returns
        -------
        display : AttentionDisplay

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If it is not an estimator.
        ValueError
            If its pooling is not "attention", or if X has no such sequence or feature.

        Examples
        --------
        >>> from skrnn import RNNClassifier
        >>> from skrnn.datasets import make_switching_sines
        >>> from skrnn.inspection import AttentionDisplay
        >>> X, y = make_switching_sines(random_state=0)
        >>> rnn = RNNClassifier(pooling="attention").fit(X, y)  # doctest: +SKIP
        >>> AttentionDisplay.from_estimator(rnn, X, sequence=0)  # doctest: +SKIP
        <...AttentionDisplay object at ...>
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        X, weights = _attend(estimator, X)
        indices = _pick(sequence, len(weights), "sequence", "sequences of X")
        weights = [np.asarray(weights[i]) for i in indices]
        display = cls(
            weights=weights,
            sequences=_to_arrays(X, indices, weights),
            indices=indices,
            feature_names=feature_names,
        )
        return display.plot(
            ax,
            feature=feature,
            cmap=cmap,
            colorbar=colorbar,
            im_kw=im_kw,
            line_kw=line_kw,
        )

    def plot(
        self,
        ax=None,
        *,
        feature=None,
        cmap="viridis",
        colorbar=True,
        im_kw=None,
        line_kw=None,
    ):
        """Draw the weights.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        feature : int or list of int, default=None
            Which features to draw. If None, all are drawn for one sequence and none for
            several, where at most one can be.

        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the heat map.

        colorbar : bool, default=True
            Whether the heat map has a colour bar.

        im_kw : dict, default=None
            Keyword arguments of matplotlib's `imshow`, which draws the heat map.

        line_kw : dict, default=None
            Keyword arguments of matplotlib's `plot`, which draws the features.

        Returns
        -------
        display : AttentionDisplay
            The display itself.

        Raises
        ------
        ValueError
            If there is no such feature, or if there are several for a heat map.
        """
        plt = import_pyplot(f"{type(self).__name__}.plot")
        is_single = self.sequences is not None and len(self.weights) == 1
        features = self._check_feature(feature, is_single)
        if ax is None:
            height = 3.6 if is_single else min(4.8, 1.6 + 0.3 * len(self.weights))
            ax = plt.subplots(figsize=(6.4, height), layout="constrained")[1]
        self.ax_, self.figure_ = ax, ax.figure
        self.im_ = self.colorbar_ = self.weight_ax_ = self.bars_ = None
        if is_single:
            self._draw_bars()
            self._draw_features(features, line_kw or {})
        else:
            self._draw_heat_map({"cmap": cmap, **(im_kw or {})}, colorbar)
            self._draw_overlay(features, line_kw or {})
        return self

    def _check_feature(self, feature, is_single):
        """Return the list of features to draw."""
        if feature is None and not is_single:
            return []
        if self.sequences is None:
            raise ValueError(
                f"feature must be None where there are no sequences, got {feature!r}."
            )
        n_features = self.sequences[0].shape[1]
        features = _pick(feature, n_features, "feature", "features of a step")
        if len(features) > 1 and not is_single:
            raise ValueError(
                f"feature must be an int for several sequences, got {feature!r}."
            )
        return features

    def _name(self, feature):
        names = self.feature_names
        return f"feature {feature}" if names is None else str(names[feature])

    def _row_labels(self):
        return range(len(self.weights)) if self.indices is None else self.indices

    def _draw_bars(self):
        [weights] = self.weights
        self.weight_ax_ = twin_beneath(self.ax_)
        self.bars_ = self.weight_ax_.bar(
            range(len(weights)), weights, width=1, color="0.83"
        )
        self.weight_ax_.set(ylabel="attention weight", ylim=(0, 1.05 * max(weights)))

    def _draw_features(self, features, line_kw):
        x = self.sequences[0]
        self.lines_ = [
            self.ax_.plot(x[:, i], **{"label": self._name(i), **line_kw})[0]
            for i in features
        ]
        one = len(features) == 1
        self.ax_.set(
            xlabel="time step",
            ylabel=self._name(features[0]) if one else "value of the feature",
            title=f"Attention in sequence {self._row_labels()[0]}",
            xlim=(-0.5, len(x) - 0.5),
        )
        self.ax_.locator_params(axis="x", integer=True)
        if 1 < len(features) <= MAX_LEGEND_ENTRIES:
            self.ax_.legend()

    def _draw_heat_map(self, im_kw, colorbar):
        if not {"norm", "vmin"} & im_kw.keys():
            im_kw = {"vmin": 0, **im_kw}
        self.im_ = self.ax_.imshow(_pad(self.weights), **{"aspect": "auto", **im_kw})
        self._draw_separators()
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(
                self.im_, ax=self.ax_, label="attention weight"
            )
        self.ax_.set(xlabel="time step", ylabel="sequence", title="Attention")
        self.ax_.locator_params(axis="x", integer=True)
        labels = self._row_labels()
        every = 1 + len(labels) // MAX_ROW_LABELS
        self.ax_.set_yticks(range(0, len(labels), every), labels[::every])

    def _draw_separators(self):
        n = len(self.weights)
        if n <= MAX_SEPARATED_ROWS:
            left, right = self.ax_.get_xlim()
            self.ax_.hlines(np.arange(1, n) - 0.5, left, right, color="w", linewidth=2)

    def _draw_overlay(self, features, line_kw):
        self.lines_ = []
        for feature in features:
            line_kw = {"color": "w", "linewidth": 1.2, **line_kw}
            rows = _to_heights([x[:, feature] for x in self.sequences])
            for i, row in enumerate(rows):
                self.lines_ += self.ax_.plot(i + 0.4 - 0.8 * row, **line_kw)
            self.ax_.set_title(f"Attention, and {self._name(feature)} as a line")


def _attend(estimator, X):
    """Return X as it reaches the network, and the network's attention weights."""
    transformers, final = unwrap(estimator)
    check_fitted_estimator(final, 'an estimator with pooling="attention"')
    pooling = getattr(final, "pooling", None)
    is_other = isinstance(pooling, str) and pooling != "attention"
    if is_other or not hasattr(final, "attention_weights"):
        raise ValueError(
            f'estimator must have pooling="attention", {OR_INSIDE}, got '
            f"{type(final).__name__} with pooling={pooling!r}."
        )
    for transformer in transformers:
        X = transformer.transform(X)
    return X, final.attention_weights(X)


def _pick(which, n, name, things):
    """Return the list of integers that `which` means as an index of `n` things."""
    try:
        picked = np.arange(n)[slice(None) if which is None else which]
    except IndexError:
        picked = np.empty(0)
    if picked.size == 0:
        raise ValueError(f"{name} must index the {n} {things}, got {which!r}.")
    return np.ravel(picked).tolist()


def _to_arrays(X, indices, weights):
    """Return those sequences of X, each an array of as many steps as its weights."""
    rows, lengths = check_sequences(X).take(np.array(indices), np.float64)
    arrays = np.split(rows, np.cumsum(lengths)[:-1])
    return [x[: len(w)] for x, w in zip(arrays, weights, strict=True)]


def _pad(weights):
    """Return the weights as rows of one array; NaN, behind their ends, stays blank."""
    padded = np.full((len(weights), max(len(w) for w in weights)), np.nan)
    for row, w in zip(padded, weights, strict=True):
        row[: len(w)] = w
    return padded


def _to_heights(values):
    """Scale a list of arrays together to between 0 and 1."""
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    span = (high - low) or 1.0
    return [(v - low) / span for v in values]
