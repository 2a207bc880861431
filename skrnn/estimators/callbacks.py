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
    fitted_attributes : callable
        Maps theta to all attributes that a fit leaves behind.
    """

    def __init__(self, estimator, X, y, sample_weight, n_epochs, fitted_attributes):
        self.estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.inputs = {"X": X, "y": y, "metadata": metadata}
        self.fitted_attributes = fitted_attributes
        self.n_left = n_epochs
        self.fit_task = self.epoch_task = None
        if hasattr(estimator, "_init_callback_context"):
            self.fit_task = estimator._init_callback_context(max_subtasks=n_epochs)
            self.fit_task.call_on_fit_task_begin(estimator=estimator, **self.inputs)
            self._begin_epoch()

    def after_epoch(self, theta, stop):
        """End the epoch's task; return True if a callback or `stop` asks to stop."""
        if self.fit_task is None:
            return stop
        task, self.epoch_task = self.epoch_task, None
        stop |= self._end(task, theta)
        self.n_left -= 1
        if not stop and self.n_left > 0:
            self._begin_epoch()
        return stop

    def after_fit(self, theta):
        """End the fit's task, and that of an epoch that was broken off."""
        if self.epoch_task is not None:
            self.epoch_task.call_on_fit_task_end(estimator=self.estimator)
        if self.fit_task is not None:
            self._end(self.fit_task, theta)

    def _begin_epoch(self):
        self.epoch_task = self.fit_task.subcontext(task_name="epoch")
        self.epoch_task.call_on_fit_task_begin(estimator=self.estimator, **self.inputs)

    def _end(self, task, theta):
        return task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: copy.deepcopy(
                self.fitted_attributes(theta)
            ),
            **self.inputs,
        )
