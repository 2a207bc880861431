"""What the displays share: matplotlib on demand, the estimator inside, two y axes."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

TWIN = "second y axis of a skrnn display"


def import_pyplot(caller):
    """Import matplotlib.pyplot; `caller` is what the message says requires it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} requires matplotlib. You can install matplotlib with "
            "`pip install skrnn[plot]`"
        ) from error
    return plt


def unwrap(estimator):
    """Find the estimator at the end of pipelines and searches.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    transformers : list of Pipeline
        What X goes through, first to last, before it reaches `final`.
    final : estimator
        The last step of the pipeline, the best estimator of the search, or `estimator`
        itself.
    """
    transformers, final = [], estimator
    while True:
        if hasattr(final, "best_estimator_"):
            final = final.best_estimator_
        elif isinstance(final, Pipeline):
            if len(final) > 1:
                transformers.append(final[:-1])
            final = final[-1]
        else:
            return transformers, final


def check_fitted(estimator, description):
    """Raise TypeError if `estimator` is none, NotFittedError if it is not fitted."""
    if not hasattr(estimator, "fit"):
        raise TypeError(wrong_estimator(description, type(estimator).__name__))
    check_is_fitted(estimator)


def wrong_estimator(description, got):
    """Say what `estimator` must be."""
    return (
        f"estimator must be {description}, or a Pipeline or a search (with refit=True) "
        f"that ends with one, got {got}."
    )


def overlaid_axes(ax):
    """Return `ax` and, if there is one, the axes that `twin_beneath` made for it."""
    place = ax.get_position().bounds
    siblings = ax.get_shared_x_axes().get_siblings(ax)
    twins = [a for a in siblings if a.get_label() == TWIN and a is not ax]
    return [ax, *(a for a in twins if a.get_position().bounds == place)]


def twin_beneath(ax):
    """Return a second y axis for `ax`, drawn beneath it; the same one on every call."""
    if len(overlaid_axes(ax)) > 1:
        return overlaid_axes(ax)[1]
    twin = ax.twinx()
    twin.set_label(TWIN)
    twin.patch.set_visible(True)
    ax.patch.set_visible(False)
    ax.set_zorder(twin.get_zorder() + 1)
    return twin
