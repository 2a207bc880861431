"""The floors of the house, and limits that keep it one."""

import ast
from pathlib import Path

import pytest

import skrnn

ROOT = Path(skrnn.__file__).parent
FLOORS = {
    "kernel_cache": -1,
    "jit": 0,
    "lazy": 0,
    "cells": 1,
    "losses": 1,
    "optimizers": 1,
    "sequences": 1,
    "network": 2,
    "preprocessing": 2,
    "training": 3,
    "estimators": 4,
    "inspection": 5,
    "persistence": 5,
    "datasets": 0,
    "metrics": 2,
}
FILES = sorted(ROOT.rglob("*.py"))


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path):
    """Rooms of skrnn that a file imports, each with the line."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("skrnn."):
                yield name.split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_downward_only(path):
    room = room_of(path)
    for other in imported_rooms(path):
        if room != "__init__" and other != room:
            assert FLOORS[other] < FLOORS[room], f"{path} imports {other}"


@pytest.mark.parametrize("room", ["preprocessing", "metrics"])
def test_rooms_beside_the_estimators_know_sequences_only(room):
    files = [path for path in FILES if room_of(path) == room]
    assert {other for path in files for other in imported_rooms(path)} == {
        room,
        "sequences",
    }


def test_whoever_imports_skrnn_does_not_import_preprocessing():
    users = {room_of(path) for path in FILES if "preprocessing" in imported_rooms(path)}
    assert users == {"preprocessing"}


def test_every_room_has_a_floor():
    rooms = {room_of(path) for path in FILES} - {"__init__"}
    assert rooms == set(FLOORS)


def functions(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            yield f"{path}:{node.lineno} {node.name}", lines


def test_functions_and_files_are_short():
    lengths = dict(item for path in FILES for item in functions(path))
    assert sorted(lengths.values())[len(lengths) // 2] <= 12
    assert not [name for name, lines in lengths.items() if lines > 60]
    assert not [p for p in FILES if len(p.read_text().splitlines()) > 500]


def test_numba_is_imported_by_the_border_only():
    users = [path.name for path in FILES if "import numba" in path.read_text()]
    assert users == ["jit.py"]


def test_the_cache_is_imported_by_the_border_only():
    """It imports Numba at its top, so whoever needs it must not do that at theirs."""
    users = [path for path in FILES if "skrnn.kernel_cache" in path.read_text()]
    assert [path.name for path in users] == ["jit.py"]
