"""How much each time step counts where the pooling is attention."""

import numpy as np

from skrnn.inspection.common import (
    check_fitted,
    import_pyplot,
    twin_beneath,
    unwrap,
    wrong_estimator,
)
from skrnn.sequences import check_sequences

DESCRIPTION = 'a network with pooling="attention"'
MAX_LEGEND_ENTRIES = 10
MAX_SEPARATED_ROWS = 40
MAX_ROW_LABELS = 20
MAX_COLUMNS = 400


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

    bars_ : matplotlib StepPatch or None
        The weights of one sequence; None for a heat map.

    See Also
    --------
    LossCurveDisplay : The loss of every epoch of training.

    Notes
    -----
    Where the longest sequence of a heat map has more than 400 steps, a cell stands for
    several of them and shows the largest of their weights, so that no peak is lost.

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
        >>> X, y = make_switching_sines(60, random_state=0)
        >>> rnn = RNNClassifier(
        ...     pooling="attention", early_stopping=True, random_state=0
        ... ).fit(X, y)
        >>> display = AttentionDisplay.from_estimator(rnn, X, sequence=3)
        >>> len(display.lines_)
        4
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
        edges = np.arange(len(weights) + 1) - 0.5
        self.bars_ = self.weight_ax_.stairs(
            weights, edges, fill=True, color="0.83", edgecolor="0.83", linewidth=1
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
            xlabel=f"time step of sequence {self._row_labels()[0]}",
            ylabel=self._name(features[0]) if one else "value of the feature",
            xlim=(-0.5, len(x) - 0.5),
        )
        self.ax_.locator_params(axis="x", integer=True)
        if 1 < len(features) <= MAX_LEGEND_ENTRIES:
            above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}
            self.ax_.legend(ncols=min(len(features), 5), frameon=False, **above)

    def _draw_heat_map(self, im_kw, colorbar):
        if not {"norm", "vmin"} & im_kw.keys():
            im_kw = {"vmin": 0, **im_kw}
        cells, extent = _to_cells(self.weights)
        style = {"aspect": "auto", "interpolation": "nearest", "extent": extent}
        self.im_ = self.ax_.imshow(cells, **{**style, **im_kw})
        self._draw_separators()
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(
                self.im_, ax=self.ax_, label="attention weight"
            )
        self.ax_.set(xlabel="time step", ylabel="sequence", title="Attention")
        self.ax_.locator_params(axis="x", integer=True)
        labels = self._row_labels()
        rows = _round_numbers_below(len(labels))
        self.ax_.set_yticks(rows, [labels[row] for row in rows])

    def _draw_separators(self):
        n = len(self.weights)
        if n <= MAX_SEPARATED_ROWS:
            left, right = self.ax_.get_xlim()
            self.ax_.hlines(np.arange(1, n) - 0.5, left, right, color="w", linewidth=2)

    def _draw_overlay(self, features, line_kw):
        self.lines_ = []
        if features:
            [feature] = features
            line_kw = line_kw if "color" in line_kw else {**_outlined(), **line_kw}
            rows = _to_heights([x[:, feature] for x in self.sequences])
            for i, row in enumerate(rows):
                self.lines_ += self.ax_.plot(i + 0.4 - 0.8 * row, **line_kw)
            self.ax_.set_title(f"Attention, and {self._name(feature)} as a line")


def _attend(estimator, X):
    """Return X as it reaches the network, and the network's attention weights."""
    transformers, final = unwrap(estimator)
    check_fitted(final, DESCRIPTION)
    if not hasattr(final, "attention_weights"):
        got = type(final).__name__
        if hasattr(final, "pooling"):
            got += f" with pooling={final.pooling!r}"
        raise ValueError(wrong_estimator(DESCRIPTION, got))
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
    sequences = check_sequences(X)
    rows = sequences.take(np.array(indices), np.float64)
    arrays = np.split(rows, np.cumsum(sequences.lengths[indices])[:-1])
    return [x[: len(w)] for x, w in zip(arrays, weights, strict=True)]


def _to_cells(weights):
    """Return what the heat map shows, and the (left, right, bottom, top) of it.

    What lies behind the end of a sequence is NaN, which stays blank. A cell stands for
    as many steps as it takes to have no more than MAX_COLUMNS, and shows the largest.
    """
    T = max(len(w) for w in weights)
    padded = np.full((len(weights), T), np.nan)
    for row, w in zip(padded, weights, strict=True):
        row[: len(w)] = w
    width = -(-T // MAX_COLUMNS)
    cells = np.fmax.reduceat(padded, range(0, T, width), axis=1)
    return cells, (-0.5, width * cells.shape[1] - 0.5, len(weights) - 0.5, -0.5)


def _round_numbers_below(n):
    """Return the integers below n that are the multiples of one round number."""
    steps = (k * 10**e for e in range(9) for k in (1, 2, 5))
    return range(0, n, next(step for step in steps if n <= step * MAX_ROW_LABELS))


def _outlined():
    """Return the style of a line that is seen on light and on dark cells."""
    from matplotlib.patheffects import withStroke

    outline = withStroke(linewidth=3, foreground="0.2")
    return {"color": "w", "path_effects": [outline]}


def _to_heights(values):
    """Scale a list of arrays together to between 0 and 1."""
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    span = (high - low) or 1.0
    return [(v - low) / span for v in values]
