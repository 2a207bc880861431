"""Estimators in files without code."""

import contextlib
import json
import os
import reprlib
import uuid

from skrnn.estimators.classifier import RNNClassifier
from skrnn.estimators.regressor import RNNRegressor
from skrnn.estimators.sequence_regressor import RNNSequenceRegressor
from skrnn.estimators.state import (
    check_state,
    completed,
    known_attributes,
    signature,
    unsigned,
)
from skrnn.estimators.tagger import RNNTagger
from skrnn.persistence import archive
from skrnn.persistence.codec import Decoder, Encoder

KINDS = {
    kind.__name__: kind
    for kind in (RNNClassifier, RNNRegressor, RNNTagger, RNNSequenceRegressor)
}


def save(estimator, file):
    """Write an estimator to a file that holds no code.

    Unlike a pickle, such a file cannot do anything when it is loaded, whoever made
    it. It holds all that the estimator does, fitted or not: predictions have the same
    bits after `load`, and training goes on as it would have.

    Parameters
    ----------
    estimator : RNNClassifier, RNNRegressor, RNNTagger or RNNSequenceRegressor
        Its `cell` and `solver` may be objects of `skrnn.cells` and
        `skrnn.optimizers`, but not of your own; nor may `scoring` be a function.
    file : str, path or binary file
        A file is replaced when the new one is complete, so that none is lost.

    Raises
    ------
    TypeError
        For anything else than these estimators, a subclass of them too; of a
        pipeline, save the last step.
    ValueError
        That names what cannot be saved without code, before anything is written.

    See Also
    --------
    load : Read it again.

    Notes
    -----
    The file is a zip file of JSON and NumPy arrays, ``numpy.load`` opens it too.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> import skrnn
    >>> rnn = skrnn.RNNRegressor(4, max_iter=1, random_state=0)
    >>> rnn = rnn.fit([[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0])
    >>> with TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.skrnn")
    ...     skrnn.save(rnn, path)
    ...     again = skrnn.load(path)
    >>> bool((again.theta_ == rnn.theta_).all())
    True
    """
    if hasattr(file, "get_params"):
        raise TypeError(
            "estimator must come first and file second, as in skrnn.save(estimator, "
            f"file), got a {type(file).__name__} as file."
        )
    data = _to_bytes(estimator)
    if hasattr(file, "write"):
        file.write(data)
    else:
        _replace(os.path.realpath(os.fsdecode(file)), data)


def load(file):
    """Read an estimator that `save` wrote.

    Nothing in the file is run, and reading takes no more than a few times its size,
    so it need not come from somebody you trust.

    Parameters
    ----------
    file : str, path or binary file

    Returns
    -------
    RNNClassifier, RNNRegressor, RNNTagger or RNNSequenceRegressor

    Raises
    ------
    ValueError
        For a file that is damaged, of a later version of skrnn, or no such file. The
        message begins with its name.
    OSError
        When the file cannot be read.

    Warns
    -----
    VersionWarning
        When another version of skrnn wrote it.

    See Also
    --------
    save : It has an example.
    """
    if hasattr(file, "read"):
        data = file.read()
    else:
        with open(os.fsdecode(file), "rb") as opened:
            n_bytes = os.fstat(opened.fileno()).st_size
            data = opened.read(min(n_bytes, archive.MAX_BYTES) + 1)
    if not isinstance(data, bytes):
        raise TypeError(f"file must be binary, got one of {type(data).__name__}.")
    try:
        return _from_bytes(data)
    except ValueError as error:
        name = getattr(file, "name", None) if hasattr(file, "read") else file
        if not isinstance(name, (str, bytes, os.PathLike)):  # of a file in memory
            raise
        raise ValueError(f"{os.fsdecode(name)}: {error}") from error


def _to_bytes(estimator):
    kind = type(estimator)
    if kind not in KINDS.values():
        raise TypeError(
            f"estimator must be of {' or '.join(KINDS)} itself, got {kind.__name__}; "
            "save the last step of a pipeline by itself, others by joblib.dump."
        )
    state = estimator.__getstate__()
    for name in sorted(state.keys() - known_attributes(kind) - signature().keys()):
        raise ValueError(
            f"{name} is an attribute that skrnn does not know, so it cannot be saved. "
            "Delete it, or save the estimator by joblib.dump."
        )
    encoder = Encoder()
    state = {name: encoder.encode(value, name) for name, value in state.items()}
    document = json.dumps({"class": kind.__name__, "state": state}, allow_nan=False)
    return archive.write(document.encode(), encoder.arrays)


def _from_bytes(data):
    document, arrays = archive.read(data)
    document = _parse(document)
    kind = KINDS[document["class"]]
    state = unsigned(document["state"], kind.__name__)
    decoder = Decoder(arrays)
    state = {name: decoder.decode(value) for name, value in state.items()}
    for name in [*(state.keys() - known_attributes(kind)), *decoder.arrays]:
        raise ValueError(f"{archive.FOREIGN}: {name!r} is unknown.")
    estimator = kind.__new__(kind)
    vars(estimator).update(completed(state))
    check_state(estimator)
    return estimator


def _parse(document):
    try:
        document = json.loads(
            document, object_pairs_hook=_without_doubles, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{archive.FOREIGN}: {error}.") from error
    is_dict = isinstance(document, dict) and document.keys() == {"class", "state"}
    if not is_dict or not isinstance(document["state"], dict):
        raise ValueError(f"{archive.FOREIGN}: its JSON has no class and state.")
    if document["class"] not in list(KINDS):
        raise ValueError(
            f"{archive.FOREIGN}: its class must be one of {', '.join(KINDS)}, got "
            f"{reprlib.repr(document['class'])}."
        )
    return document


def _without_doubles(pairs):
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name occurs twice in its JSON")
    return names


def _refuse(constant):
    raise ValueError(f"{constant} in its JSON")


def _replace(path, data):
    """Write a file at once: whoever looks finds the old one or the new one."""
    part = os.path.join(os.path.dirname(path), f".{uuid.uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
