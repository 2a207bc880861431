"""The border to Numba: plain functions in, compiled ones out.

Everything that runs compiled is written as a plain Python function on scalars and
contiguous arrays. `specialise` compiles it when it is first needed, once for each
dtype and each choice of the names left open in it. It works on a copy of the function
in which

* every plain function it refers to is compiled along with it, and inlined unless it is
  `shared`,
* the names in `bindings` stand for the given values (a cell's `forward`, a number),
* float literals have the kernel's dtype, so that ``1.0 - z`` stays float32,
* functions with a typed twin (`typed_twins`) are exchanged for it, and so are those
  that are compiled as something else (`compiled_as`).

The compiled code is kept on disk (`kernel_cache`) under a name that holds a digest of
all that went into it, the code, the options, Numba's version and the processor: an edit
anywhere makes a new name, so stale code never runs.
Importing this module does not import Numba.
"""

import functools
import hashlib
import os
import types

import numpy as np

OPTIONS = {
    "error_model": "numpy",
    "nogil": True,
    "fastmath": {"contract", "reassoc", "nsz", "arcp", "afn"},
}

UNWRAPPED = {  # compiled code does not need what lets Python and C call a function
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

_SHARED = set()
_TWINS = {}
_COMPILED = {}
_CALLEES = {}


def shared(function):
    """Compile `function` once for all kernels instead of into each.

    For loops that move numbers, or add them in an order that is fixed. Others would
    round differently where the compiler regroups them in another way, and of several
    compiled copies a process runs the one it has loaded first.
    """
    _SHARED.add(function)
    return function


def typed_twins(function, **twins):
    """Exchange `function` for ``twins[dtype name]`` in every kernel of that dtype."""
    _TWINS.update({(function, name): twin for name, twin in twins.items()})


def compiled_as(function, make):
    """In compiled code, let what ``make()`` returns stand for the plain `function`."""
    _COMPILED[function] = make


def wide_vectors():
    """Let the loops of the calling function use the widest vectors there are.

    For processors with AVX-512 the compiler prefers vectors of half that width.
    """


def _compiled_wide_vectors():
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def mark(context):
        return types.void(), generate

    def generate(context, builder, signature, arguments):
        # llvmlite's own method refuses attributes that are for one kind of processor.
        attributes = builder.function.attributes
        if isinstance(attributes, set):
            set.add(attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return mark


compiled_as(wide_vectors, _compiled_wide_vectors)


def specialise(function, dtype, /, **bindings):
    """Compile `function` for one dtype, with some of its global names bound.

    Parameters
    ----------
    function : function
        Plain Python function on scalars, tuples and contiguous arrays.
    dtype : dtype
        float32 or float64: the type of all float literals in the code.
    **bindings : function, int, float or bool
        Values for global names that `function`, or a function it calls, leaves open.

    Returns
    -------
    callable
        A compiled function with one signature, memoised.
    """
    typed = ()
    if bindings:
        items = sorted(bindings.items())
        typed = tuple((name, type(value), value) for name, value in items)
    return _specialise(function, np.dtype(dtype), typed)


def plain(function, dtype, /, **bindings):
    """The function that `specialise` would compile, to be run as plain Python."""
    return _Copier(np.dtype(dtype).name, bindings).copy(function)


@functools.lru_cache(maxsize=1024)
def _specialise(function, dtype, bindings):
    dtype_name = dtype.name
    values = {name: value for name, _, value in bindings}
    copy = _Copier(dtype_name, values).copy(function)
    copy.__qualname__ = f"{function.__name__}_{dtype_name}_{_digest(copy)}"
    return _compile_cached(_with_compiled_callees(copy))


class _Copier:
    """Copies functions and all they call, with names bound and literals typed."""

    def __init__(self, dtype_name, bindings):
        self.dtype_name = dtype_name
        self.real = np.dtype(dtype_name).type
        self.bindings = bindings
        self.copies = {}

    def copy(self, function):
        function = _TWINS.get((function, self.dtype_name), function)
        if function in _COMPILED:
            return function
        if function not in self.copies:
            self.copies[function] = self._copy(function)
        return self.copies[function]

    def _copy(self, function):
        code = function.__code__
        known = {**function.__globals__, **self.bindings}
        names = {n: self._typed(known[n]) for n in code.co_names if n in known}
        copy = types.FunctionType(
            code.replace(co_consts=tuple(map(self._typed, code.co_consts))),
            {"__builtins__": __builtins__, "__name__": function.__module__, **names},
            function.__name__,
            self._typed(function.__defaults__),
            self._typed(function.__closure__),
        )
        copy.is_shared = function in _SHARED
        return copy

    def _typed(self, value):
        if isinstance(value, types.FunctionType):
            return self.copy(value)
        if isinstance(value, types.CellType):
            return types.CellType(self._typed(value.cell_contents))
        if type(value) is tuple:
            return tuple(map(self._typed, value))
        return self.real(value) if type(value) is float else value


def _digest(function):
    """Digest of the code of `function` and of everything it refers to."""
    digest = _Digest()
    digest.add(function)
    return digest.state.hexdigest()[:16]


@functools.cache
def _machine():
    """What the machine code depends on besides the source."""
    import numba
    from numba.core.registry import cpu_target

    processor = cpu_target.target_context.codegen().magic_tuple()
    return numba.__version__, processor, numba.config.BOUNDSCHECK


class _Digest:
    """A digest of values; functions and classes count by their code.

    Attributes
    ----------
    state : hash object
    """

    def __init__(self):
        options = {**OPTIONS, **UNWRAPPED, "fastmath": sorted(OPTIONS["fastmath"])}
        self.state = hashlib.sha256(repr((options, *_machine())).encode())
        self._seen = {}

    def add(self, value):
        """Add a value and all that it refers to, each function or class once."""
        value = _unwrapped(value)
        if value is specialise:
            self._add_text("specialise")  # what it is called with counts by itself
        elif isinstance(value, types.FunctionType | type):
            is_new = value not in self._seen
            number = self._seen.setdefault(value, len(self._seen))
            self._add_text(f"function or class {number}")
            if is_new:
                self._add_new(value)
        elif isinstance(value, types.CodeType):
            self._add_code(value)
        elif isinstance(value, tuple):
            self._add_text(f"tuple of {len(value)}")
            for item in value:
                self.add(item)
        elif isinstance(value, np.ndarray):
            self._add_text(f"{value.dtype} {value.shape}")
            self.state.update(value.tobytes())
        else:
            self._add_text(f"{type(value).__name__} {value!r}")

    def _add_new(self, value):
        if isinstance(value, type):
            self._add_class(value)
        else:
            self._add_function(value)

    def _add_function(self, function):
        code = function.__code__
        self._add_code(code)
        self._add_text(f"shared {getattr(function, 'is_shared', False)}")
        if function in _COMPILED:
            self.add(_COMPILED[function])
        names = sorted(function.__globals__.keys() & _names(code))
        values = [function.__globals__[name] for name in names]
        values += [cell.cell_contents for cell in function.__closure__ or ()]
        for value in [*values, *(function.__defaults__ or ())]:
            self.add(value)

    def _add_class(self, owner):
        self._add_text(owner.__qualname__)
        for name, item in sorted(vars(owner).items()):
            if isinstance(_unwrapped(item), types.FunctionType):
                self._add_text(name)
                self.add(item)

    def _add_code(self, code):
        self.state.update(code.co_code)
        self._add_text(repr((code.co_names, code.co_varnames)))
        for value in code.co_consts:
            self.add(value)

    def _add_text(self, text):
        self.state.update(text.encode())


def _unwrapped(value):
    """The function within a compiled or cached one, or within a static method."""
    if isinstance(value, types.FunctionType):
        return value
    return getattr(value, "py_func", getattr(value, "__wrapped__", value))


def _names(code):
    """Names of globals in a function's code and in the functions it defines."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _with_compiled_callees(function):
    """A copy of `function` that refers to compiled functions where it is to plain."""
    names = {name: _compiled(value) for name, value in function.__globals__.items()}
    linked = types.FunctionType(
        function.__code__,
        names,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    linked.__qualname__ = function.__qualname__
    return linked


def _compiled(value):
    if not isinstance(value, types.FunctionType):
        return value
    return _stand_in(value) if value in _COMPILED else _compiled_callee(value)


def _compiled_callee(function):
    """Compile `function`, once for all kernels that it is part of."""
    import numba

    digest = _digest(function)
    if digest not in _CALLEES:
        callee = _with_compiled_callees(function)
        options = {**OPTIONS, **UNWRAPPED, "forceinline": not function.is_shared}
        _CALLEES[digest] = numba.njit(**options)(callee)
    return _CALLEES[digest]


@functools.cache
def _stand_in(function):
    import numba

    return function if numba.config.DISABLE_JIT else _COMPILED[function]()


@functools.cache
def _let_forks_wait():
    """Let a fork wait until no thread compiles, or its child would, for ever."""
    from numba.core.compiler_lock import global_compiler_lock as lock

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire,
            after_in_parent=lock.release,
            after_in_child=lock.release,
        )


def _compile_cached(function):
    import numba

    _let_forks_wait()
    kernel = numba.njit(no_cfunc_wrapper=True, **OPTIONS)(function)
    if not numba.config.DISABLE_JIT:
        from skrnn.kernel_cache import KernelCache

        kernel._cache = KernelCache(function)
    return kernel
