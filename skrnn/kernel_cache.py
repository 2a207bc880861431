"""The disk cache of compiled kernels: Numba's, made fit for deployments.

`jit` imports this when it compiles, since it needs Numba. What differs from Numba's
own cache:

* a file that is damaged, in whatever way, is written anew;
* a kernel is found in a folder that cannot be written to, too, such as that of an
  image which was warmed up when it was built;
* where nothing can be written, code is compiled for this process, with one warning;
* files carry no stamp of their source, since the name of a kernel tells all it depends
  on (see `jit`): what is installed again unchanged stays warm;
* Numba is not made ready to compile when there is nothing to compile.
"""

import functools
import hashlib
import itertools
import os
import pickle
import sys
import warnings

from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.runtime import rtsys
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs


class _Folder(_CacheLocator):
    """A folder for kernels, in the form Numba asks for."""

    def __init__(self, path, file):
        self.path = path
        self._py_file = file

    def get_cache_path(self):
        return self.path

    def get_source_stamp(self):
        return None

    def get_disambiguator(self):
        return ""

    def is_writable(self):
        try:
            self.ensure_cache_path()
        except OSError:
            return False
        return True


def _folders(function):
    """Where Numba would look for `function`, first things first."""
    file = function.__code__.co_filename
    subfolder = _CacheLocator.get_suitable_cache_subpath(file)
    home = AppDirs("numba", appauthor=False).user_cache_dir
    paths = [os.path.join(os.path.dirname(file), "__pycache__")]
    paths += [os.path.join(home, subfolder)]
    if config.CACHE_DIR:
        paths.insert(0, os.path.join(config.CACHE_DIR, subfolder))
    return [_Folder(path, file) for path in paths]


class _Kernel(CompileResultCacheImpl):
    """Where a kernel is kept, and in which form: with a checksum."""

    def __init__(self, function):
        self._lineno = function.__code__.co_firstlineno
        name = f"{function.__module__}.{function.__qualname__}"
        self._filename_base = f"{name}.{sys.implementation.cache_tag}"
        folders = _folders(function)
        warm = (folder for folder in folders if self._is_in(folder))
        writable = (folder for folder in folders if folder.is_writable())
        self._locator = next(itertools.chain(warm, writable, folders))

    def _is_in(self, folder):
        return os.path.exists(os.path.join(folder.path, f"{self.filename_base}.nbi"))

    def reduce(self, result):
        data = dumps(super().reduce(result))
        return hashlib.sha256(data).digest(), data

    def rebuild(self, context, payload):
        digest, data = payload
        if hashlib.sha256(data).digest() != digest:
            raise ValueError("damaged")
        return super().rebuild(context, pickle.loads(data))


class KernelCache(FunctionCache):
    """The cache of one kernel.

    Parameters
    ----------
    function : function
        Its qualified name must be another one for all other code and other machines.
    """

    _impl_class = _Kernel

    def load_overload(self, signature, context):
        """Return the compiled code, or None if it is not there or damaged."""
        rtsys.initialize(context)
        try:
            return self._load_overload(signature, context)
        except Exception:  # there are many ways in which a damaged pickle fails
            self._begin_anew()
            return None

    def save_overload(self, signature, data):
        """Keep compiled code if it can be kept."""
        try:
            super().save_overload(signature, data)
        except OSError:
            warn_uncached()

    def _begin_anew(self):
        try:
            self.flush()
        except OSError:
            warn_uncached()
            self.disable()


@functools.cache
def warn_uncached():
    """Warn, once in a process, that code is compiled for this process only."""
    warnings.warn(
        "skrnn cannot keep its compiled code: neither the folder it is installed in "
        "nor the user's cache folder is writable, so each new process compiles anew. "
        "Set NUMBA_CACHE_DIR to a writable folder.",
        RuntimeWarning,
        stacklevel=2,
    )
