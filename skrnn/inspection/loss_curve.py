"""The loss of every epoch of training."""

from skrnn.inspection.common import (
    check_fitted,
    import_pyplot,
    overlaid_axes,
    twin_beneath,
    unwrap,
    wrong_estimator,
)

DESCRIPTION = "a network with `loss_curve_`"


class LossCurveDisplay:
    """Loss per epoch of training, with what was measured on validation data.

    It is recommended to use `LossCurveDisplay.from_estimator` to create a display. All
    parameters are stored as attributes.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch.

    validation_loss_curve : array-like of shape (n_epochs,), default=None
        Loss on validation data after each epoch.

    validation_scores : array-like of shape (n_epochs,), default=None
        Score on validation data after each epoch; drawn on a second y axis.

    best_iter : int, default=None
        The epoch whose weights were kept, counted from 1; marked by a vertical line.

    name : str, default=None
        What the legend calls the network. With names, several displays can share axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the loss curves.

    figure_ : matplotlib Figure
        Figure that holds the axes.

    score_ax_ : matplotlib Axes or None
        The second y axis, of the validation scores.

    train_line_ : matplotlib Line2D
        The training loss.

    validation_line_ : matplotlib Line2D or None
        The validation loss.

    score_line_ : matplotlib Line2D or None
        The validation scores.

    best_line_ : matplotlib Line2D or None
        The vertical line at the best epoch.

    See Also
    --------
    AttentionDisplay : The weight of each time step in a prediction.

    Examples
    --------
    >>> from skrnn.inspection import LossCurveDisplay
    >>> display = LossCurveDisplay(
    ...     loss_curve=[0.9, 0.5, 0.3, 0.2],
    ...     validation_loss_curve=[0.9, 0.6, 0.5, 0.6],
    ...     best_iter=3,
    ... )
    >>> display.plot(log_scale=True)
    <...LossCurveDisplay object at ...>
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    def __init__(
        self,
        *,
        loss_curve,
        validation_loss_curve=None,
        validation_scores=None,
        best_iter=None,
        name=None,
    ):
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.validation_scores = validation_scores
        self.best_iter = best_iter
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator, *, name=None, ax=None, log_scale=False, line_kw=None
    ):
        """Draw the loss curve of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted network, or a fitted Pipeline or search that ends with one. It must
            have `loss_curve_`; `validation_loss_curve_`, `validation_scores_` and
            `best_iter_` are drawn unless they are missing or None.

        name : str, default=None
            What the legend calls the network.

        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        log_scale : bool, default=False
            Whether the loss axis is logarithmic.

        line_kw : dict, default=None
            Keyword arguments of matplotlib's `plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted.
        TypeError
            If it has no loss curve.

        Examples
        --------
        >>> from skrnn import RNNClassifier
        >>> from skrnn.datasets import make_switching_sines
        >>> from skrnn.inspection import LossCurveDisplay
        >>> X, y = make_switching_sines(60, random_state=0)
        >>> rnn = RNNClassifier(early_stopping=True, random_state=0).fit(X, y)
        >>> display = LossCurveDisplay.from_estimator(rnn)
        >>> display.ax_.get_ylabel()
        'loss'
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        final = unwrap(estimator)[1]
        check_fitted(final, DESCRIPTION)
        if not hasattr(final, "loss_curve_"):
            raise TypeError(wrong_estimator(DESCRIPTION, type(final).__name__))
        display = cls(
            loss_curve=final.loss_curve_,
            validation_loss_curve=getattr(final, "validation_loss_curve_", None),
            validation_scores=getattr(final, "validation_scores_", None),
            best_iter=getattr(final, "best_iter_", None),
            name=name,
        )
        return display.plot(ax, log_scale=log_scale, line_kw=line_kw)

    def plot(self, ax=None, *, log_scale=False, line_kw=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if None.

        log_scale : bool, default=False
            Whether the loss axis is logarithmic.

        line_kw : dict, default=None
            Keyword arguments of matplotlib's `plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `log_scale` is true and a loss is not positive.
        """
        plt = import_pyplot(f"{type(self).__name__}.plot")
        if log_scale:
            self._check_positive()
        self.ax_ = plt.subplots(layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        self._draw_curves(line_kw or {})
        self._draw_best_epoch()
        self._decorate(log_scale)
        return self

    def _check_positive(self):
        for curve in (self.loss_curve, self.validation_loss_curve):
            lowest = 1 if curve is None else min(curve, default=1)
            if lowest <= 0:
                raise ValueError(
                    "log_scale must be False where a loss is not positive, got a loss "
                    f"of {lowest:.3g}."
                )

    def _draw_curves(self, line_kw):
        has_scores = self.validation_scores is not None
        self.score_ax_ = twin_beneath(self.ax_) if has_scores else None
        n = len(_labelled_lines(self.ax_))
        train, validation, score = [{"color": f"C{n + i}", **line_kw} for i in range(3)]
        self.train_line_ = self._draw_curve(
            self.ax_, "training loss", self.loss_curve, train
        )
        self.validation_line_ = self._draw_curve(
            self.ax_, "validation loss", self.validation_loss_curve, validation
        )
        self.score_line_ = self._draw_curve(
            self.score_ax_,
            "validation score",
            self.validation_scores,
            {"linestyle": "--", **score},
        )

    def _draw_curve(self, ax, label, curve, line_kw):
        if curve is None:
            return None
        marker = "o" if len(curve) == 1 else None
        style = {"label": self._label(label), "marker": marker, **line_kw}
        [line] = ax.plot(range(1, len(curve) + 1), curve, **style)
        return line

    def _draw_best_epoch(self):
        self.best_line_ = None
        if self.best_iter is not None:
            label = self._label(f"best epoch: {self.best_iter}")
            color = self.train_line_.get_color()
            self.best_line_ = self.ax_.axvline(
                self.best_iter, color=color, linestyle=":", label=label
            )

    def _label(self, text):
        return text if self.name is None else f"{self.name}, {text}"

    def _decorate(self, log_scale):
        self.ax_.set(xlabel="epoch", ylabel="loss")
        self.ax_.locator_params(axis="x", integer=True)
        if log_scale:
            self.ax_.set_yscale("log")
        if self.score_ax_ is not None:
            self.score_ax_.set_ylabel("validation score")
        lines = _labelled_lines(self.ax_)
        is_overlaid = len(overlaid_axes(self.ax_)) > 1
        self.ax_.legend(handles=lines, loc="center right" if is_overlaid else "best")


def _labelled_lines(ax):
    lines = [line for a in overlaid_axes(ax) for line in a.get_lines()]
    return [line for line in lines if not line.get_label().startswith("_")]
