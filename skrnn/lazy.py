"""Properties that are computed when they are first asked for."""


class cached_property:
    """As `functools.cached_property`, without the lock that Python 3.11 takes.

    That lock is one for all instances of a class: threads would wait for each other,
    and a child that is forked while one computes would wait for ever. Here two threads
    may both compute a value; the first to store it wins.
    """

    def __init__(self, function):
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return vars(instance).setdefault(self._name, self._function(instance))
