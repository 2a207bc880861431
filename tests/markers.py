"""What some tests need to run at all, and the reason that is shown without it."""

import os

import pytest
import sklearn
from sklearn.utils.fixes import parse_version

IS_COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
needs_compiler = pytest.mark.skipif(not IS_COMPILED, reason="the compiler is off")
needs_polars_columns = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="older scikit-learn asks for columns in a way that polars 2 has dropped",
)
