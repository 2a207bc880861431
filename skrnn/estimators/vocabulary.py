"""Which token ids an estimator with an embedding has vectors for."""

import numpy as np

from skrnn.sequences import (
    PADDING,
    are_ids,
    check_ids,
    check_sequences,
    check_step,
    known_or_unknown,
    refuse_masked,
    replace_unknown,
)

MOST_IDS = 2**24  # float32 counts so far


def check_embedding(estimator):
    """Check that the parameters of the embedding fit together.

    Raises
    ------
    ValueError
    """
    dim, weights = estimator.embedding_dim, estimator.embedding_weights
    if weights is not None:
        shape = as_vectors(weights).shape
        if dim != shape[1]:
            raise ValueError(
                f"embedding_dim must be {shape[1]} with embedding_weights of shape "
                f"{shape}, got {dim}."
            )
    elif not estimator.embedding_trainable:
        raise ValueError(
            "embedding_trainable must be True unless embedding_weights are given, got "
            "False: vectors that nobody has learnt say nothing."
        )


def as_vectors(weights):
    """The parameter `embedding_weights` as an array, with a vector in each row."""
    refuse_masked(weights, "embedding_weights")
    return np.asarray(weights)


def choose_embedding(estimator):
    """Parameters of the network's embedding, or None if there is to be none."""
    if estimator.embedding_dim is None:
        return None
    return {
        "n_ids": estimator._known_ids_.size,
        "dim": int(estimator.embedding_dim),
        "trainable": bool(estimator.embedding_trainable),
    }


def read(estimator, X, *, reset, dtype):
    """X as checked sequences; of ids, known or not, if there is to be an embedding."""
    if estimator.embedding_dim is None:
        return check_sequences(X, estimator=estimator, reset=reset, dtype=dtype)
    sequences = check_sequences(X, estimator=estimator, reset=reset)
    for name in ("n_features_in_", "feature_names_in_"):  # a table has any number of
        vars(estimator).pop(name, None)  # columns, since ids are padded
    return check_ids(sequences, dtype)


def read_again(estimator, X, dtype):
    """X as the network of a fitted estimator reads it."""
    known = vars(estimator).get("_known_ids_")
    if known is None:
        return check_sequences(X, estimator=estimator, reset=False, dtype=dtype)
    sequences = check_sequences(X, estimator=estimator, reset=False)
    return replace_unknown(check_ids(sequences, dtype), known)


def learn_ids(estimator, train, judged, going_on):
    """Record which ids are trained on; all others become the unknown one.

    Parameters
    ----------
    estimator : BaseRecurrent
        Gets `_known_ids_`, (n_ids,), if it has an embedding.
    train, judged : TrainingData
        Whose sequences are replaced. `judged`, for validation, may be None.
    going_on : bool
        Whether the ids that are known already stay so.

    Raises
    ------
    ValueError
        When ids are too large, or embeddings of another length are asked for.
    """
    if going_on:
        _check_same_dim(estimator)
    known = vars(estimator).pop("_known_ids_", None)
    if estimator.embedding_dim is None:
        return
    sequences = train.heard().sequences
    ids = sequences.take(np.arange(len(sequences)), np.int64)
    n_ids = _count_ids(int(ids.max()), estimator.embedding_weights, going_on)
    known = known if going_on else np.empty(0, bool)
    are_given = estimator.embedding_weights is not None
    n_more = max(n_ids - known.size, 0)
    known = np.pad(known, (0, n_more), constant_values=are_given)
    known[ids[ids < known.size]] = True
    estimator._known_ids_ = known
    for data in (train, judged):
        if data is not None:
            data.sequences = replace_unknown(data.sequences, known)


def _check_same_dim(estimator):
    embedding = estimator._architecture_["embedding"]
    before = embedding and embedding["dim"]
    if estimator.embedding_dim != before:
        raise ValueError(
            "embedding_dim must stay as it is when a fit goes on: it was "
            f"{before!r}, got {estimator.embedding_dim!r}."
        )


def _count_ids(largest, weights, going_on):
    """Number of vectors to have at least; none are added to those that were given."""
    if weights is not None and going_on:
        return 0
    if weights is not None:
        if largest >= len(weights):
            raise ValueError(
                f"X has the id {largest}, but embedding_weights end with the vector of "
                f"id {len(weights) - 1}."
            )
        return len(weights)
    if largest >= MOST_IDS:
        raise ValueError(
            f"X has the id {largest}, and each id up to the largest takes a vector; "
            f"number the tokens from 2 on, up to {MOST_IDS - 1} at most."
        )
    return largest + 1


def read_step(estimator, x_t, n_inputs, dtype):
    """One step of some streams, (n_streams, n_inputs), as the network reads it."""
    known = vars(estimator).get("_known_ids_")
    if known is None:
        return check_step(x_t, n_inputs, dtype, estimator)
    x_t = check_step(x_t, n_inputs, np.float64, estimator)  # it holds all ids
    if not (are_ids(x_t) & (x_t != PADDING)).all():
        raise ValueError(
            "x_t must be ids of tokens, integers of at least 1, with embedding_dim, "
            f"got {x_t.min():g} to {x_t.max():g}."
        )
    return known_or_unknown(x_t.astype(np.int64), known)
