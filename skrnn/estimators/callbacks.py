"""scikit-learn's callbacks (1.9 and later) around a fit and its epochs."""

import copy

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9 has no callbacks

    class CallbackSupportMixin:
        """Stand-in without `set_callbacks`."""

    def with_callbacks(method):
        """Return the method as it is."""
        return method


class FitTasks:
    """Tells the callbacks of an estimator about a fit and each of its epochs.

    Parameters
    ----------
    estimator : estimator
    X, y : array-like
        As given to `fit`.
    sample_weight : array-like or None
    n_epochs : int
    """

    def __init__(self, estimator, X, y, sample_weight, n_epochs):
        self.estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.inputs = {"X": X, "y": y, "metadata": metadata}
        self.n_left = n_epochs
        self.fit_task = self.epoch_task = None
        if hasattr(estimator, "_init_callback_context"):
            self.fit_task = estimator._init_callback_context(max_subtasks=n_epochs)
            self.fit_task.call_on_fit_task_begin(estimator=estimator, **self.inputs)
            self._begin_epoch()

    def after_epoch(self, fitted_attributes, theta, stop):
        """End the epoch's task; return True if a callback or `stop` asks to stop.

        ``fitted_attributes(theta)`` makes the estimator ready to predict.
        """
        if self.fit_task is None:
            return stop
        task, self.epoch_task = self.epoch_task, None
        stop |= self._end(task, fitted_attributes, theta)
        self.n_left -= 1
        if not stop and self.n_left > 0:
            self._begin_epoch()
        return stop

    def after_fit(self, fitted_attributes, theta):
        """End the fit's task, and that of an epoch that was broken off."""
        if self.epoch_task is not None:
            self.epoch_task.call_on_fit_task_end(estimator=self.estimator)
        if self.fit_task is not None:
            self._end(self.fit_task, fitted_attributes, theta)

    def _begin_epoch(self):
        self.epoch_task = self.fit_task.subcontext(task_name="epoch")
        self.epoch_task.call_on_fit_task_begin(estimator=self.estimator, **self.inputs)

    def _end(self, task, fitted_attributes, theta):
        return task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: copy.deepcopy(fitted_attributes(theta)),
            **self.inputs,
        )
