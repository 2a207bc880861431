"""`save` and `load`: all comes back, nothing runs, and no file can do harm."""

import functools
import io
import json
import os
import re
import stat
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_state import (
    ANSWER,
    CASES,
    LABELS,
    LOAD,
    SUMS,
    X,
    assert_same,
    each_case,
    fitted,
    outputs,
    run_python,
)

import skrnn
from skrnn import RNNClassifier, RNNRegressor
from skrnn.cells import GRU, LSTM, RNN
from skrnn.optimizers import LBFGS, SGD, Adam, RMSprop
from skrnn.persistence import VersionWarning, archive, codec

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FOREIGN = "damaged, or was not written by skrnn.save"


def saved(est):
    """The bytes that `save` writes."""
    file = io.BytesIO()
    skrnn.save(est, file)
    return file.getvalue()


def loaded(data):
    return skrnn.load(io.BytesIO(data))


def through_file(est):
    return loaded(saved(est))


def same(a, b):
    """Whether two values are the same, of the same types, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return (
            a.dtype == b.dtype and a.shape == b.shape and same(a.tolist(), b.tolist())
        )
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.random.RandomState):
        return same(a.get_state(), b.get_state())
    if hasattr(a, "get_params"):
        return same(vars(a), vars(b))
    return a == b or (a != a and b != b)


def assert_all_is_the_same(est, twin):
    assert type(twin) is type(est)
    for name, value in vars(est).items():
        assert same(value, vars(twin)[name]), name
    assert vars(twin).keys() == vars(est).keys()


# There and back


@each_case
def test_everything_that_is_fitted_comes_back(case):
    est = fitted(case)
    twin = through_file(est)
    assert_all_is_the_same(est, twin)
    assert_same(outputs(twin), outputs(est))


@pytest.mark.parametrize("case", ["gru", "quantiles", "several labels", "scored"])
def test_training_goes_on_with_the_same_bits(case):
    est, y = fitted(case), CASES[case][1]
    twin = through_file(est)
    for one in (est, twin):
        one.set_params(warm_start=True).fit(X, y)
        one.partial_fit(X, y).partial_fit(X, y)
    assert_all_is_the_same(est, twin)
    assert_all_is_the_same(through_file(est).partial_fit(X, y), twin.partial_fit(X, y))


def test_a_state_of_the_optimiser_goes_on():
    for solver in ("adam", SGD(momentum=0.5), RMSprop()):
        est = RNNRegressor((2,), solver=solver, random_state=1).partial_fit(X, SUMS)
        twin = through_file(est)
        assert same(twin._optimizer_state_, est._optimizer_state_)
        assert_all_is_the_same(est.partial_fit(X, SUMS), twin.partial_fit(X, SUMS))


PARAMETERS = [
    {"hidden_layer_sizes": sizes}
    for sizes in (5, [3, 4], np.array([2, 3]), np.int64(3))
]
PARAMETERS += [
    {"cell": RNN("relu"), "solver": LBFGS(max_fun=7)},
    {"cell": LSTM(), "solver": Adam(beta_1=np.float32(0.8), epsilon=1e-7)},
    {"dtype": np.float32},
    {"dtype": np.dtype("float64")},
    {"alpha": np.float64(0.1), "verbose": np.bool_(True), "tol": np.float16(0.5)},
    {"alpha": float("nan"), "tol": float("inf"), "dropout": -float("inf")},
    {"alpha": 10**300, "max_iter": -(2**70), "learning_rate_init": 5e-324},
    {"random_state": None},
    {"random_state": 3},
    {"random_state": np.uint32(3)},
    {"pooling": "\ud800 ümläut \0", "scoring": "roc_auc"},
]
WEIGHTS = [
    "balanced",
    {"a": 1, "b": 2.5},
    {0: 1.0, 1: np.float32(2)},
    {np.str_("ä"): 1.0, b"x": 2.0, None: 3, True: 4, 2.5: 5, np.int8(-7): 6},
    [{0: 1, 1: 2}, {0: 3, 1: 1}],
    {},
]


@pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor])
@pytest.mark.parametrize("parameters", PARAMETERS, ids=range(len(PARAMETERS)))
def test_parameters_come_back_with_their_types(kind, parameters):
    est = kind(**parameters)
    assert_all_is_the_same(est, through_file(est))


@pytest.mark.parametrize("class_weight", WEIGHTS, ids=range(len(WEIGHTS)))
def test_class_weights_come_back_whatever_the_labels(class_weight):
    est = RNNClassifier(class_weight=class_weight)
    assert_all_is_the_same(est, through_file(est))


def test_a_random_state_goes_on_where_it_was():
    rng = np.random.RandomState(5)
    rng.normal(size=701)  # an odd number: one more is kept
    est = RNNClassifier((2,), random_state=rng, max_iter=1)
    twin = through_file(est)
    assert_all_is_the_same(est, twin)
    assert twin.random_state.normal() == rng.normal()
    assert_all_is_the_same(est.fit(X, LABELS), twin.fit(X, LABELS))


LABEL_SETS = [
    [0, 1, 2],
    [-5, 7, 1000],
    np.array([1, 2, 3], np.uint8),
    [False, True],
    [0.0, 1.0, 2.0],
    ["no", "yes"],
    ["schön", "日本", "🙂"],
    np.array([b"ab", b"b", b"ca"]),
    np.array(["a", "bb", "ccc"], object),
    np.array([3, 1, 2], object),
]


@pytest.mark.parametrize("labels", LABEL_SETS, ids=range(len(LABEL_SETS)))
@pytest.mark.filterwarnings("ignore:.*bytes:FutureWarning")
def test_labels_of_any_type_come_back(labels):
    y = np.asarray(labels)[np.arange(12) % len(labels)]
    try:
        est = RNNClassifier((2,), max_iter=1, random_state=0).fit(X, y)
    except (TypeError, ValueError):  # scikit-learn does not take such labels
        est = fitted("two classes")
        est.classes_ = np.unique(y)[:2]
    assert_all_is_the_same(est, through_file(est))


@pytest.mark.parametrize(
    "value", [None, False, True, "", "\ud800", b"\xff", 2.5, -3, 10**30]
)
def test_objects_in_arrays_come_back(value):
    encoder = codec.Encoder()
    array = np.array([None, value, np.int8(3)], object)
    decoder = codec.Decoder(encoder.arrays)
    document = json.loads(json.dumps(encoder.encode(array, "classes_")))
    assert same(decoder.decode(document), array)


def test_names_of_columns_come_back():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.ones((6, 3)), columns=["mon", "tue", "wed"])
    est = RNNClassifier((2,), max_iter=1)
    other = frame.rename(columns={"mon": "thu"})
    for data, wrong in ((frame, other), ([frame] * 6, [other])):
        est.fit(data, [0, 1] * 3)
        twin = through_file(est)
        assert_all_is_the_same(est, twin)
        assert_same([twin.predict(data)], [est.predict(data)])
        with pytest.raises(ValueError, match="seen at fit time|was fitted with"):
            twin.predict(wrong)


def test_a_memory_mapped_model_can_be_saved(tmp_path):
    est = fitted("gru")
    joblib.dump(est, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert_same(outputs(through_file(mapped)), outputs(est))


def test_what_is_loaded_is_its_own_and_can_be_trained():
    twin = through_file(fitted("gru"))
    assert twin.theta_.flags.owndata and twin.theta_.flags.writeable
    twin.partial_fit(X, LABELS)
    assert not hasattr(clone(twin), "theta_")


def test_the_same_estimator_gives_the_same_file():
    assert saved(fitted("attention")) == saved(fitted("attention"))


def test_numpy_opens_the_file_too(tmp_path):
    est = fitted("gru")
    skrnn.save(est, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as arrays:
        np.testing.assert_array_equal(arrays["theta_"], est.theta_)


@pytest.mark.heavy
def test_a_new_process_loads_without_numba_and_answers_the_same_bits(tmp_path):
    models = [fitted(case) for case in CASES]
    paths = [tmp_path / f"{i}.skrnn" for i in range(len(models))]
    for est, path in zip(models, paths, strict=True):
        skrnn.save(est, path)
    printed = json.loads(run_python(f"import json{LOAD}{ANSWER}", paths[0], *paths))
    for found, est in zip(printed, models, strict=True):
        assert found == [array.tolist() for array in outputs(est)], est


def test_nothing_is_unpickled(monkeypatch):
    """With what could run code taken away."""
    import builtins
    import pickle

    data = saved(fitted("attention"))

    def forbidden(*args, **kwargs):
        raise AssertionError("not allowed")

    for module, name in [(pickle, "loads"), (pickle, "load"), (pickle, "Unpickler")]:
        monkeypatch.setattr(module, name, forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    loaded(data)


# Files


@pytest.mark.parametrize("form", [str, Path, os.fsencode])
def test_paths_of_any_form_are_taken(form, tmp_path):
    path = form(str(tmp_path / "a model.skrnn"))
    skrnn.save(fitted("gru"), path)
    assert_same(outputs(skrnn.load(path)), outputs(fitted("gru")))
    assert os.listdir(tmp_path) == ["a model.skrnn"]


def test_a_file_that_is_there_is_replaced_through_its_link(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    skrnn.save(RNNRegressor(), link)
    assert link.is_symlink() and isinstance(skrnn.load(real), RNNRegressor)


def test_others_may_read_the_file_as_any_other(tmp_path):
    (tmp_path / "plain").touch()
    skrnn.save(RNNRegressor(), tmp_path / "model")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def fail(*args):
    raise OSError("disk full")


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_the_old_file_stays_when_writing_fails(function, tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.write_text("old")
    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match="disk full"):
        skrnn.save(RNNRegressor(), path)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["model"]


def test_a_file_that_cannot_be_read_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        skrnn.load(tmp_path / "absent")
    with pytest.raises(OSError):
        skrnn.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        skrnn.save(RNNRegressor(), tmp_path / "absent" / "model")


def test_a_text_file_object_is_refused():
    with pytest.raises(TypeError, match="file must be binary, got one of str"):
        skrnn.load(io.StringIO("text"))


def test_a_file_of_others_is_refused_by_name(tmp_path):
    """With a hint if it is one of joblib's, compressed or not."""
    path, est = tmp_path / "model.joblib", RNNRegressor()
    hint = rf"^{re.escape(str(path))}: .*{FOREIGN}.* It may be one for joblib\.load"
    for compress in (0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3)):
        joblib.dump(est, path, compress=compress)
        with pytest.raises(ValueError, match=hint):
            skrnn.load(path)
    path.write_bytes(b"[model]")
    with open(path, "rb") as file, pytest.raises(ValueError, match="model") as caught:
        skrnn.load(file)
    assert str(caught.value).startswith(str(path))
    assert "joblib" not in str(caught.value).removeprefix(str(path))
    with pytest.raises(ValueError, match="^The file is damaged"):
        skrnn.load(io.BytesIO(b"[model]"))


def test_arguments_that_have_changed_places_are_told(tmp_path):
    with pytest.raises(TypeError, match="estimator must come first .* RNNRegressor as"):
        skrnn.save(tmp_path / "model", RNNRegressor())


@pytest.mark.parametrize("file", [0, None, 1.5])
def test_what_is_no_path_is_refused(file):
    with pytest.raises(TypeError):
        skrnn.load(file)


# What cannot be saved


class Own(RNNClassifier):
    pass


class OwnCell(GRU):
    pass


class OwnAdam(Adam):
    pass


def score(est, X, y):
    return 0.0


@pytest.mark.parametrize(
    "est",
    [
        Own(),
        make_pipeline(StandardScaler(), RNNClassifier()),
        "model",
        GRU(),
        RNNClassifier,
    ],
    ids=lambda est: type(est).__name__,
)
def test_other_classes_are_refused_by_name(est, tmp_path):
    message = f"RNNTagger or RNNSequenceRegressor itself, got {type(est).__name__}"
    with pytest.raises(TypeError, match=message):
        skrnn.save(est, tmp_path / "model")
    assert not os.listdir(tmp_path)


def nested(depth):
    return [nested(depth - 1)] if depth else []


def cell_with_a_note():
    cell = LSTM()
    cell.note = 1.5
    return cell


endless = []
endless.append(endless)
REFUSED = [
    ("cell", OwnCell()),
    ("cell", cell_with_a_note()),
    ("solver", OwnAdam()),
    ("solver", Adam(beta_1=score)),
    ("scoring", score),
    ("scoring", print),
    ("verbose", object()),
    ("verbose", 1j),
    ("dtype", np.float16),
    ("dtype", np.dtype(">f8")),
    ("dtype", RNNClassifier),
    ("alpha", np.longdouble(1)),
    ("alpha", np.datetime64("2020-01-01")),
    ("hidden_layer_sizes", np.array(3)),
    ("hidden_layer_sizes", np.zeros((1, 1, 1))),
    ("hidden_layer_sizes", np.array([1 + 1j])),
    ("hidden_layer_sizes", np.array([[score]])),
    ("hidden_layer_sizes", np.ma.array([1])),
    ("hidden_layer_sizes", nested(9)),
    ("hidden_layer_sizes", endless),
    ("random_state", np.random.default_rng(0)),
    ("random_state", np.random.RandomState(np.random.PCG64())),
    ("class_weight", {("a",): score}),
    ("class_weight", {score: 1}),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=range(len(REFUSED)))
def test_what_only_code_brings_back_is_refused_by_name(name, value, tmp_path):
    est = RNNClassifier(**{name: value})
    with pytest.raises(ValueError, match=rf"^{name}\b.* (without code|too deeply)"):
        skrnn.save(est, tmp_path / "model")
    assert not os.listdir(tmp_path)


def test_attributes_that_are_not_ours_are_refused_by_name(tmp_path):
    est = fitted("gru")
    est.note = "mine"
    with pytest.raises(
        ValueError, match="note is an attribute that skrnn does not know"
    ):
        skrnn.save(est, tmp_path / "model")


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_DOCUMENT", "MAX_MEMBERS"])
def test_a_model_that_load_would_refuse_for_its_size_is_not_saved(limit, monkeypatch):
    est = fitted("gru")
    monkeypatch.setattr(archive, limit, 2)
    with pytest.raises(ValueError, match="A model must have at most .* joblib.dump"):
        saved(est)


# Hostile files


def members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(members, compression=zipfile.ZIP_STORED):
    """A zip file of pairs of name and content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def with_member(data, name, content):
    return zipped({**members(data), name: content}.items())


def with_document(data, change):
    """The file with its JSON changed, in place or by what `change` returns."""
    document = json.loads(members(data)["model.json"])
    document = change(document) or document
    return with_member(data, "model.json", json.dumps(document))


def with_state(data, **values):
    return with_document(data, lambda d: d["state"].update(values))


def npy(descr="<f8", shape="(3,)", order="False", content=b"\0" * 24, version=b"\1\0"):
    header = f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}\n"
    size = struct.pack("<H", len(header))
    return b"\x93NUMPY" + version + size + header.encode() + content


def refuse(data, match=FOREIGN):
    """Check that a file is refused, soon and without much memory."""
    tracemalloc.start()
    began = time.perf_counter()
    try:
        with pytest.raises(ValueError, match=match):
            loaded(data)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 20 * len(data) + 2**24
    assert time.perf_counter() - began < 30


MODEL = {}


def good():
    """A file of a fitted estimator, and that of another one."""
    if not MODEL:
        MODEL["file"] = saved(fitted("two classes"))
        MODEL["estimator"] = loaded(MODEL["file"])
    return MODEL["file"]


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"\0" * 100, b"PK\5\6" + b"\0" * 18, b"text " * 50, b"\x80\x04N."],
)
def test_files_of_other_kinds_are_refused(data):
    refuse(data)


def test_a_pickle_is_refused(tmp_path):
    import pickle

    refuse(pickle.dumps(RNNClassifier()))


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    content = npy(shape=f"({2**23},)", content=bytes(2**26))
    bomb = zipped(
        [*members(good()).items(), ("bomb.npy", content)], zipfile.ZIP_DEFLATED
    )
    del content
    assert len(bomb) < 2**21
    refuse(bomb, "compressed or encrypted")


def patched(data, signature, offset, form, value):
    """The file with a number changed in the last record of some kind."""
    place = data.rindex(signature) + offset
    size = struct.calcsize(form)
    return data[:place] + struct.pack(form, value) + data[place + size :]


def test_members_that_claim_other_sizes_are_refused():
    """In the directory: both sizes, the place, the method and the flags."""
    directory = b"PK\1\2"
    for offset, form, value in [
        (20, "<L", 2**31),
        (24, "<L", 2**31),
        (24, "<L", 0),
        (42, "<L", 2**31),
        (10, "<H", 8),
        (10, "<H", 99),
        (8, "<H", 1),
        (8, "<H", 8),
    ]:
        refuse(patched(good(), directory, offset, form, value))


def test_a_directory_of_any_length_is_refused():
    refuse(patched(good(), b"PK\5\6", 12, "<L", 2**31), "directory must have at most")
    many = zipped((f"{i}.npy", b"") for i in range(20_000))
    refuse(many, "directory must have at most")
    with_comment = good()[:-2] + b"\3\0abc"
    refuse(with_comment, "does not end as one")
    large = good()[:-22] + b"PK\6\7" + bytes(16) + good()[-22:]
    refuse(large, "an unknown form")


def test_members_that_overlap_are_refused():
    """The same bytes under many names would count many times."""
    data = good()
    end = data.index(b"PK\1\2")
    directory = data[end:-22]
    entry = directory[directory.rindex(b"PK\1\2") :]
    name = len(entry) - 46
    entries = [entry[:46] + f"{i:0{name}}".encode() for i in range(200)]
    directory = b"".join(entries)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 200, 200, len(directory), end, 0)
    refuse(data[:end] + directory + tail)


def test_members_within_members_are_refused():
    """Each a sound one: together they would be much larger than the file."""
    inner = zipped([("b.npy", bytes(5000))])
    begin = inner.index(b"PK\1\2")
    outer = zipped([("a.npy", inner[:begin])])
    end = outer.index(b"PK\1\2")
    place = struct.pack("<L", outer.index(b"PK\3\4", 1))
    entry = inner[begin:-22]
    directory = outer[end:-22] + entry[:42] + place + entry[46:]
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, len(directory), end, 0)
    refuse(outer[:end] + directory + tail, "members are larger than the file")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_doubled_unknown_and_missing_members_are_refused():
    parts = members(good())
    refuse(zipped([*parts.items(), ("theta_.npy", parts["theta_.npy"])]), "same name")
    for name in ("more.npy", "../../etc/evil.npy", "/etc/evil.npy", ".npy"):
        refuse(with_member(good(), name, parts["theta_.npy"]), "is unknown")
    for name in ("more", "theta_", "evil.pkl", "model.json.npy/", ""):
        refuse(with_member(good(), name, parts["theta_.npy"]))
    for name in parts:
        rest = [(n, content) for n, content in parts.items() if n != name]
        refuse(zipped(rest), f"{FOREIGN}|unknown value")


ARRAYS = {
    "huge": npy(shape=f"({2**60},)"),
    "huge product": npy(shape=f"({2**40}, {2**40})"),
    "overflow": npy(shape=f"({2**63}, 2)"),
    "beyond any size": npy(shape=f"(0, {10**30})"),
    "negative": npy(shape="(-3,)"),
    "two negative": npy(shape="(-3, -1)"),
    "no shape": npy(shape="()", content=bytes(8)),
    "three axes": npy(shape="(1, 1, 3)"),
    "floats as sizes": npy(shape="(3.0,)"),
    "longer": npy(content=bytes(32)),
    "shorter": npy(content=bytes(8)),
    "objects": npy("|O"),
    "structure": npy([("a", "<f8")]),
    "void": npy("|V8"),
    "complex": npy("<c16", content=bytes(48)),
    "dates": npy("<M8[s]"),
    "long double": npy("<f16", content=bytes(48)),
    "big endian": npy(">f8"),
    "no size": npy("<U0", content=b""),
    "huge strings": npy("<U999999999", shape="(1,)"),
    "order": npy(order="True"),
    "version": npy(version=b"\2\0"),
    "magic": b"\x93NUMPX" + npy()[6:],
    "long header": npy(shape="(3,)" + " " * 300),
    "not a literal": npy(shape="(__import__('os').abort(),)"),
    "nested": npy(shape="(" * 100 + ")" * 100),
    "unfinished": npy(shape="((("),
    "Python 2": npy(shape="(3L,)"),
    "null": npy(shape="(\0)"),
    "empty": b"",
    "bools": npy("|b1", content=b"\0\1\2"),
    "letters": npy("<U1", content=struct.pack("<3L", 65, 66, 0x110000)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_numpy_or_we_do_not_write_are_refused(name):
    match = f"{FOREIGN}|theta_ must be" if name == "Python 2" else FOREIGN  # NumPy 1.24
    refuse(with_member(good(), "theta_.npy", ARRAYS[name]), match)


DOCUMENTS = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "NaN": b'{"class": NaN, "state": {}}',
    "infinite": b'{"class": -Infinity, "state": {}}',
    "bytes": b"\xff\xfe\xfd",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a long number": b'{"class": ' + b"9" * 10_000 + b"}",
    "doubled": b'{"class": "RNNClassifier", "class": "RNNClassifier", "state": {}}',
    "no state": b'{"class": "RNNClassifier"}',
    "a state of another kind": b'{"class": "RNNClassifier", "state": []}',
    "too much": b'{"class": "RNNClassifier", "state": {}, "more": 1}',
    "a class": b'{"class": "Pipeline", "state": {}}',
    "no name": b'{"class": ["RNNClassifier"], "state": {}}',
    "a path": b'{"class": "os.system", "state": {}}',
    "too long": b" " * (archive.MAX_DOCUMENT + 1),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_that_we_do_not_write_are_refused(name):
    refuse(with_member(good(), "model.json", DOCUMENTS[name]))


def deep(value, depth):
    for _ in range(depth):
        value = {"tuple": [value]}
    return value


VALUES = [
    {},
    {"a": 1, "b": 2},
    {"pickle": "x"},
    {"eval": "1"},
    {"__class__": []},
    deep(1, 40),
    {"float": "1e5"},
    {"float": []},
    {"floats": "absent"},
    {"floats": 3},
    {"floats": "classes_"},
    {"array": "absent"},
    {"array": []},
    {"array": {}},
    {"tuple": 3},
    {"tuple": {"tuple": []}},
    {"objects": "ab"},
    {"dict": {}},
    {"dict": [1]},
    {"dict": [[1, 2, 3]]},
    {"dict": [[1, 2], [1, 3]]},
    {"dict": [[[1], 2]]},
    {"dict": [[{"tuple": [[1]]}, 2]]},
    {"bytes": 5},
    {"bytes": "\u0100"},
    {"type": "int64"},
    {"type": []},
    {"dtype": "float16"},
    {"dtype": "O"},
    {"scalar": "int8"},
    {"scalar": ["int8"]},
    {"scalar": ["int8", 300]},
    {"scalar": ["int8", "1"]},
    {"scalar": ["int8", True]},
    {"scalar": ["uint8", -1]},
    {"scalar": ["bytes", 10**12]},
    {"scalar": ["str", 5]},
    {"scalar": ["object", 5]},
    {"scalar": ["float64", [1.0]]},
    {"scalar": [[], 1]},
    {"cell": "GRU"},
    {"cell": ["gru"]},
    {"cell": ["os.system", []]},
    {"cell": [[], []]},
    {"cell": ["gru", [["more", 1]]]},
    {"cell": ["rnn", []]},
    {"cell": ["rnn", [[1, "tanh"]]]},
    {"cell": ["adam", []]},
    {"optimizer": ["adam", []]},
    {"optimizer": ["adam", [["beta_1", 1]]]},
    {"optimizer": ["gru", []]},
    {"random_state": []},
    {"random_state": ["theta_", 0, 0, 0.0]},
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_values_that_we_do_not_write_are_refused(value):
    for name in ("verbose", "cell", "_class_weights_", "loss_curve_"):
        refuse(with_state(good(), **{name: value}), f"{FOREIGN}|unknown value")


RANDOM_STATES = [
    [-1, 0, 0.0],
    [625, 0, 0.0],
    [2**40, 0, 0.0],
    [1.0, 0, 0.0],
    [1, 2, 0.0],
    [1, False, 0.0],
    [1, 0, 0],
    [1, 0],
]


@pytest.mark.parametrize("rest", RANDOM_STATES, ids=range(len(RANDOM_STATES)))
def test_a_random_state_does_not_point_outside_of_its_words(rest):
    """NumPy takes the place of the next word as it comes."""
    data = saved(RNNClassifier(random_state=np.random.RandomState(0)))
    value = {"random_state": ["random_state", *rest]}
    refuse(with_state(data, random_state=value), "unknown value")


def test_unknown_attributes_are_refused():
    for name in ("predict", "__class__", "__dict__", "_answers", "fit", "more"):
        refuse(with_state(good(), **{name: 1}), f"{name!r} is unknown")


def test_every_check_of_a_state_holds_for_files_too():
    """One of each; `test_state.py` has them all."""
    refuse(with_state(good(), n_iter_=7), "n_iter_ must be 2")
    refuse(with_state(good(), t_=-1), "t_ must be an int >= 0")
    wrong = {"tuple": [2**40]}
    sizes = {"hidden_layer_sizes": wrong}

    def change(document):
        pairs = document["state"]["_architecture_"]["dict"]
        for pair in pairs:
            pair[1] = sizes.get(pair[0], pair[1])

    refuse(with_document(good(), change), "theta_ must be")
    refuse(with_member(good(), "theta_.npy", npy()), "theta_ must be")
    refuse(with_document(good(), lambda d: d["state"].pop("alpha") and None), "'alpha'")


@pytest.mark.heavy
def test_many_levels_do_not_take_memory():
    """A document of 4 MB, and weights of 8, could name a million levels."""

    def change(document):
        for pair in document["state"]["_architecture_"]["dict"]:
            if pair[0] == "hidden_layer_sizes":
                pair[1] = {"tuple": [1] * 1_000_000}

    data = with_member(
        good(), "theta_.npy", npy(shape=f"({2**20},)", content=bytes(2**23))
    )
    refuse(with_document(data, change), "hidden_layer_sizes")


def test_another_format_is_refused_before_it_is_read():
    newer = with_state(good(), _skrnn_format=2, _skrnn_version="9.0", more={"new": 1})
    refuse(newer, r"format 2, .* Load it with skrnn 9\.0")
    refuse(with_state(good(), _skrnn_format="1"), "does not say which version")


def test_another_version_gives_one_warning_at_the_line_that_loads():
    with pytest.warns(VersionWarning, match=r"saved by skrnn 0\.0\.9") as caught:
        loaded(with_state(good(), _skrnn_version="0.0.9"))
    assert len(caught) == 1 and caught[0].filename == __file__


# Files with random damage


def is_the_model(est):
    """Whether an estimator is the one of the good file."""
    expected = vars(MODEL["estimator"])
    return vars(est).keys() == expected.keys() and all(
        same(vars(est)[name], value) for name, value in expected.items()
    )


def check_damaged(data):
    """Either the same model or a ValueError, within seconds and little memory."""
    tracemalloc.start()
    began = time.perf_counter()
    try:
        est = loaded(data)
    except ValueError:
        est = None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert est is None or is_the_model(est)
    assert peak < 20 * len(good()) + 2**23
    assert time.perf_counter() - began < 30


@st.composite
def damaged_files(draw):
    """The good file with bytes flipped, cut, doubled or moved."""
    data = bytearray(good())
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["flip", "cut", "end", "double", "move"]))
        a = draw(st.integers(0, max(len(data) - 1, 0)))
        n = draw(st.integers(1, 64))
        if kind == "flip" and data:
            data[a] ^= draw(st.integers(1, 255))
        elif kind == "cut":
            del data[a : a + n]
        elif kind == "end":
            del data[len(data) - n :]
        elif kind == "double":
            data[a:a] = data[a : a + n]
        else:
            b = draw(st.integers(0, max(len(data) - 1, 0)))
            data[a : a + n], data[b : b + n] = data[b : b + n], data[a : a + n]
    return bytes(data)


@st.composite
def rewritten_files(draw):
    """A sound zip file whose members are damaged, swapped, doubled or left out.

    Checksums are right, so that what lies behind them is reached.
    """
    parts = members(good())
    names = st.sampled_from(sorted(parts))
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["flip", "flip", "cut", "swap", "drop", "rename"]))
        name, other = draw(names), draw(names)
        content = bytearray(parts.get(name, b""))
        if kind == "flip" and content:
            limit = draw(st.sampled_from([len(content), min(len(content), 160)]))
            content[draw(st.integers(0, limit - 1))] = draw(st.integers(0, 255))
            parts[name] = bytes(content)
        elif kind == "cut":
            parts[name] = bytes(content[: draw(st.integers(0, len(content)))])
        elif kind == "swap":
            parts[name], parts[other] = parts.get(other, b""), bytes(content)
        elif kind == "drop":
            parts.pop(name, None)
        else:
            parts[draw(st.text("ab_./é", max_size=5)) + ".npy"] = parts.pop(name, b"")
    return zipped(parts.items())


@functools.cache
def junk():
    """JSON values of any shape, tags of ours among them."""
    tags = st.sampled_from([*codec.Decoder({})._decoders, "other"])
    names = st.sampled_from([*archive_names(), "gru", "adam", "int8", "float32", "nan"])
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), names, st.text(max_size=3)
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(tags, inner, max_size=2)
        ),
        max_leaves=8,
    )


def archive_names():
    return [name.removesuffix(".npy") for name in members(good())]


@st.composite
def strange_documents(draw):
    """A sound zip file whose JSON has other values at some places."""
    parts = members(good())
    document = json.loads(parts["model.json"])
    state = document["state"]
    for name in draw(st.lists(st.sampled_from(sorted(state)), min_size=1, max_size=3)):
        state[name] = draw(junk())
    return zipped({**parts, "model.json": json.dumps(document)}.items())


def check_strange(data):
    """A ValueError, or a model that answers: other weights of the right sizes do."""
    try:
        est = loaded(data)
    except ValueError:
        return
    except VersionWarning:  # an error in tests
        return
    with np.errstate(all="ignore"):
        if hasattr(est, "theta_"):
            assert est.theta_.shape == MODEL["estimator"].theta_.shape
            assert est._network().layout.size == est.theta_.size


few = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
many = settings(few, max_examples=2500)


@few
@given(damaged_files())
def test_a_damaged_file_gives_the_same_model_or_a_valueerror(data):
    check_damaged(data)


@few
@given(rewritten_files())
def test_damaged_members_give_a_sound_model_or_a_valueerror(data):
    check_strange(data)


@pytest.mark.heavy
@few
@given(strange_documents())
def test_strange_documents_give_a_sound_model_or_a_valueerror(data):
    check_strange(data)


@pytest.mark.slow
@many
@given(damaged_files())
def test_many_damaged_files(data):
    check_damaged(data)


@pytest.mark.slow
@many
@given(rewritten_files())
def test_many_damaged_members(data):
    check_strange(data)


@pytest.mark.slow
@many
@given(strange_documents())
def test_many_strange_documents(data):
    check_strange(data)
