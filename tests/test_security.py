"""What the library's code never does, read from its source."""

import ast
from pathlib import Path

import pytest

import skrnn

ROOT = Path(skrnn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# Modules that start processes, reach the network, run code or read it from data.
MODULES = {
    *("subprocess", "multiprocessing", "pty", "signal"),
    *("socket", "ssl", "http", "urllib", "ftplib", "smtplib", "requests", "asyncio"),
    *("webbrowser", "xmlrpc", "socketserver", "httpx", "aiohttp"),
    *("pickle", "marshal", "shelve", "dill", "cloudpickle"),
    *("code", "codeop", "runpy", "importlib", "imp", "ctypes", "cffi"),
    *("tempfile", "shutil", "yaml", "tarfile"),
}
# Calls by their last name, whatever they are called on.
CALLS = {
    *("eval", "exec", "compile", "__import__", "breakpoint", "input"),
    *("system", "popen", "spawnl", "spawnv", "execv", "execl", "fork", "kill"),
    *("load_library", "import_module", "urlopen", "urlretrieve", "chmod"),
    *("Unpickler", "read_pickle", "fetch_openml", "_exec_command"),
    *("FunctionType", "CodeType"),
}
# Where one of them is right, and why.
REASONS = {
    ("kernel_cache.py", "pickle"): "Numba's form of compiled code, from own folders",
    ("kernel_cache.py", "loads"): "the same, after its checksum",
    ("jit.py", "FunctionType"): "a copy of a function with its names bound",
    ("microkernel.py", "load"): "an instruction of LLVM",
    ("microkernel.py", "FunctionType"): "a type of LLVM",
    ("planes.py", "load"): "an instruction of LLVM",
    ("archive.py", "compile"): "a pattern of `re`",
}
CALLS |= {"loads", "load"}
JSON = {("json", "loads")}


def name_of(function):
    return getattr(function, "attr", getattr(function, "id", None))


def owner_of(function):
    return getattr(getattr(function, "value", None), "id", None)


def forbidden(source):
    """Names of modules imported and functions called that are not allowed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names}
            yield from names & MODULES
        elif isinstance(node, ast.ImportFrom):
            yield from {node.module.split(".")[0]} & MODULES
            if not node.module.startswith("skrnn"):
                yield from {alias.name for alias in node.names} & CALLS
        elif isinstance(node, ast.Call):
            function = node.func
            is_json = (owner_of(function), name_of(function)) in JSON
            if not is_json and name_of(function) in CALLS:
                yield name_of(function)
            for keyword in node.keywords:
                if keyword.arg in ("allow_pickle", "shell"):
                    if getattr(keyword.value, "value", None) is not False:
                        yield keyword.arg


def found():
    return {(path.name, name) for path in FILES for name in forbidden(path.read_text())}


def test_no_network_no_processes_no_code_from_data():
    assert found() - REASONS.keys() == set()


def test_no_exception_is_listed_that_is_not_needed():
    assert REASONS.keys() - found() == set()


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "import urllib.request as u",
        "from socket import socket",
        "from os import system",
        "def f():\n    import pickle",
        "eval('1')",
        "import os\nos.system('ls')",
        "x.loads(data)",
        "np.load(file)",
        "np.lib.format.read_array(f, allow_pickle=True)",
        "f(allow_pickle=flag)",
        "run(shell=True)",
        "__import__('os')",
    ],
)
def test_the_reader_finds_what_is_forbidden(source):
    assert list(forbidden(source))


@pytest.mark.parametrize(
    "source", ["json.loads(x)", "f(allow_pickle=False)", "import os"]
)
def test_the_reader_allows_the_rest(source):
    assert not list(forbidden(source))
