"""Tokenizers that the library `tokenizers` has trained."""

import json
from functools import lru_cache

import numpy as np

from skrnn.sequences import FIRST, UNKNOWN


class TrainedTokenizer:
    """A tokenizer of the library `tokenizers`, with the ids of `TokenEncoder`.

    Parameters
    ----------
    text : str
        The tokenizer as JSON.
    """

    def __init__(self, text):
        self.tokenizer = _parse(text)
        self.tokenizer.no_padding()
        self.unknown = _unknown_id(self.tokenizer, json.loads(text)["model"])
        tokens = self.tokenizer.get_vocab(with_added_tokens=True)
        self.vocabulary = {token: self._from_own(k) for token, k in tokens.items()}

    def encode(self, texts):
        encodings = self.tokenizer.encode_batch(
            texts, is_pretokenized=isinstance(texts[0], list)
        )
        for encoding in encodings:
            ids = np.array(encoding.ids, dtype=np.int64)
            yield np.where(ids == self.unknown, UNKNOWN, ids + FIRST)

    def decode(self, sequences):
        own = [np.where(ids == UNKNOWN, self.unknown, ids - FIRST) for ids in sequences]
        return self.tokenizer.decode_batch([ids[ids >= 0].tolist() for ids in own])

    def _from_own(self, k):
        return UNKNOWN if k == self.unknown else k + FIRST


# Loading takes a tenth of a second, and only text may be kept in an estimator.
tokenizer_from_json = lru_cache(maxsize=4)(TrainedTokenizer)


def _parse(text):
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ImportError(
            "tokenizer_json needs the library tokenizers; install it with "
            "`pip install tokenizers`."
        ) from error
    try:
        return Tokenizer.from_str(text)
    except Exception as error:
        raise ValueError(
            "tokenizer_json must be a tokenizer as text, tokenizer.to_str(), got "
            f"{text!r:.60}: {error}"
        ) from error


def _unknown_id(tokenizer, model):
    """Return the tokenizer's own id of its unknown token, -1 if it has none."""
    k = model.get("unk_id")
    if model.get("unk_token") is not None:
        k = tokenizer.token_to_id(model["unk_token"])
    return -1 if k is None else k
