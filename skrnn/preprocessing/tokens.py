"""Texts to sequences of token ids."""

import warnings
from collections import Counter
from collections.abc import Mapping
from itertools import repeat
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.validation import check_is_fitted

from skrnn.preprocessing.steps import NoTableOutput
from skrnn.preprocessing.trained_tokenizer import tokenizer_from_json
from skrnn.sequences import FIRST, PADDING, UNKNOWN

UNKNOWN_TOKEN = "<unk>"
STRINGS, TOKENS = "strings", "lists of tokens"


class TokenEncoder(
    NoTableOutput, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    r"""Encode texts as sequences of integer ids, one id for each token, in order.

    Texts are cut into tokens as `CountVectorizer` of scikit-learn does it, with the
    same parameters; a trained tokenizer of Hugging Face may do it instead. The id 0 is
    padding and never comes out of `transform`, 1 is a token that is not in the
    vocabulary, and the vocabulary begins with 2, the most frequent token first. An
    estimator with `embedding_dim` learns a vector for each of them.

    Parameters
    ----------
    analyzer : {"word", "char", "char_wb"} or callable, default="word"
        Whether tokens are words or characters; "char_wb" takes characters inside of
        words only, each word with a space on both sides. A callable takes a text and
        returns its tokens, strings.

    ngram_range : tuple of two int, default=(1, 1)
        Shortest and longest n-gram that is a token. With ``(1, 1)`` the ids have the
        order of the text. With several lengths all shorter n-grams of a text come
        before the longer ones.

    lowercase : bool, default=True
        Whether to convert texts to lower case.

    strip_accents : {"ascii", "unicode"} or callable, default=None
        How to remove accents, if at all.

    preprocessor : callable, default=None
        What to do with a text in place of `strip_accents` and `lowercase`.

    tokenizer : callable, default=None
        What cuts a text into words, with ``analyzer="word"``.

    token_pattern : str, default=r"\w+|[^\w\s]"
        What a word is, with ``analyzer="word"`` and without a `tokenizer`. By default a
        run of letters and digits, however short, or one other mark: what
        `CountVectorizer` leaves out, "I", "a" and "?", matters where order does.

    stop_words : {"english"} or list of str, default=None
        Words that are left out, with ``analyzer="word"``.

    encoding : str, default=None
        How to decode texts that are bytes; by default these are refused.

    min_df : int or float, default=1
        In how many texts, at least, a token must be found to get an id; a float is a
        share of the texts.

    max_df : int or float, default=1.0
        The same, at most.

    max_features : int, default=None
        Number of tokens that get an id, the most frequent ones; by default all.

    vocabulary : iterable of str or dict of str to int, default=None
        Tokens in the order of their ids, or the ids themselves, 2 and up, such as
        `vocabulary_` of another encoder. The parameters `min_df`, `max_df` and
        `max_features` are then without use.

    max_length : int, default=None
        Number of ids that `transform` keeps of a text, the first ones; by default all.

    tokenizer_json : str, default=None
        A trained tokenizer, ``tokenizer.to_str()`` of the library `tokenizers`, which
        must be installed. It takes the place of all parameters above but `encoding` and
        `max_length`. Its ids are moved up by two, and that of its unknown token is 1;
        the special tokens that it adds to a text stay, padding does not.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Id of each token. That of a trained tokenizer has its unknown token too, with
        the id 1.

    vocabulary_size_ : int
        All ids are below it: the size of the vocabulary, and two for 0 and 1.

    See Also
    --------
    sklearn.feature_extraction.text.CountVectorizer : Counts of tokens, without order.

    Notes
    -----
    Texts that are lists of tokens already are taken as they are: of the parameters
    above only `min_df`, `max_df`, `max_features`, `vocabulary`, `max_length` and
    `tokenizer_json` apply to them.

    A text without a token, an empty string for example, becomes one unknown id, since
    no sequence may be empty.

    Tokens of equal frequency get their ids in alphabetical order, so the ids depend on
    the texts only.

    Examples
    --------
    >>> from skrnn.preprocessing import TokenEncoder
    >>> encoder = TokenEncoder()
    >>> encoder.fit_transform(["The cat sat.", "The dog sat, too."])
    [array([4, 6, 3, 2]), array([4, 7, 3, 5, 8, 2])]
    >>> encoder.transform(["The cow!"])
    [array([4, 1, 1])]
    >>> encoder.inverse_transform([[4, 1, 3, 0, 0]])
    [['the', '<unk>', 'sat']]
    >>> encoder.vocabulary_size_
    9
    """

    def __init__(
        self,
        *,
        analyzer="word",
        ngram_range=(1, 1),
        lowercase=True,
        strip_accents=None,
        preprocessor=None,
        tokenizer=None,
        token_pattern=r"\w+|[^\w\s]",
        stop_words=None,
        encoding=None,
        min_df=1,
        max_df=1.0,
        max_features=None,
        vocabulary=None,
        max_length=None,
        tokenizer_json=None,
    ):
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.token_pattern = token_pattern
        self.stop_words = stop_words
        self.encoding = encoding
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.max_length = max_length
        self.tokenizer_json = tokenizer_json

    def fit(self, X, y=None):
        """Learn the vocabulary.

        Parameters
        ----------
        X : list, tuple, array or Series of str, or of lists of str
            Texts, or the tokens of each text.
        y : object, default=None
            Not used.

        Returns
        -------
        self : TokenEncoder

        Raises
        ------
        ValueError
            If X is something else, a text is missing, no token is left, or a parameter
            is out of range.
        ImportError
            If `tokenizer_json` is given and the library `tokenizers` is not installed.
        """
        self._check_parameters()
        texts = _read_texts(X, self.encoding)
        if self.tokenizer_json is not None:
            vocabulary = tokenizer_from_json(self.tokenizer_json).vocabulary
        elif self.vocabulary is not None:
            vocabulary = _read_vocabulary(self.vocabulary)
            if self._changes_case(texts):
                _warn_of_upper_case(vocabulary)
        else:
            vocabulary = self._learn(texts)
        self._form_ = _form_of(texts)
        self.vocabulary_ = vocabulary
        self.vocabulary_size_ = max(vocabulary.values()) + 1
        return self

    def transform(self, X):
        """Encode texts.

        Parameters
        ----------
        X : list, tuple, array or Series of str, or of lists of str
            Texts, or the tokens of each text, whichever `fit` was given.

        Returns
        -------
        list of n_texts ndarrays of shape (n_tokens_i,), int64
            The ids of each text, 1 or more of them, in the order of its tokens.

        Raises
        ------
        ValueError
            If X is something else than in `fit` or a text is missing.
        """
        check_is_fitted(self)
        texts = _read_texts(X, self.encoding)
        if _form_of(texts) != self._form_:
            hint = (
                "; pass one sentence alone as [words]" if self._form_ == TOKENS else ""
            )
            raise ValueError(
                f"X is {_form_of(texts)}, but this encoder was fitted on {self._form_}"
                f"{hint}."
            )
        if self.tokenizer_json is not None:
            sequences = tokenizer_from_json(self.tokenizer_json).encode(texts)
        else:
            sequences = map(self._look_up, self._analyse(texts))
        return [
            ids[: self.max_length] if len(ids) else np.array([UNKNOWN], np.int64)
            for ids in sequences
        ]

    def inverse_transform(self, X):
        """Turn ids back into tokens.

        Parameters
        ----------
        X : list of array-likes of shape (n_tokens_i,), or array (n_texts, n_tokens)
            Ids; zeros are left out.

        Returns
        -------
        list of lists of str, or list of str
            The tokens of each text, "<unk>" for the id 1. With `tokenizer_json` the
            texts as the tokenizer decodes them, without its special tokens.

        Raises
        ------
        ValueError
            If an id is no integer or is not below `vocabulary_size_`.
        """
        check_is_fitted(self)
        sequences = [_read_ids(x, i, self.vocabulary_size_) for i, x in enumerate(X)]
        if self.tokenizer_json is not None:
            return tokenizer_from_json(self.tokenizer_json).decode(sequences)
        tokens = np.full(self.vocabulary_size_, UNKNOWN_TOKEN, dtype=object)
        tokens[list(self.vocabulary_.values())] = list(self.vocabulary_)
        return [tokens[ids].tolist() for ids in sequences]

    def get_feature_names_out(self, input_features=None):
        """Return the vocabulary.

        Parameters
        ----------
        input_features : object, default=None
            Not used.

        Returns
        -------
        ndarray of shape (n_tokens,), object
            Tokens in the order of their ids. Without `tokenizer_json` entry k is the
            token of the id k + 2.
        """
        check_is_fitted(self)
        return np.array(
            sorted(self.vocabulary_, key=self.vocabulary_.get), dtype=object
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def _check_parameters(self):
        for name in ("max_features", "max_length"):
            value = getattr(self, name)
            if value is not None and not _is_positive_integer(value):
                raise ValueError(f"{name} must be an integer >= 1, got {value!r}.")
        sizes = self.ngram_range
        is_pair = isinstance(sizes, (tuple, list)) and len(sizes) == 2
        if (
            not (is_pair and all(map(_is_positive_integer, sizes)))
            or sizes[0] > sizes[1]
        ):
            raise ValueError(
                "ngram_range must be a pair (shortest, longest) of integers >= 1, got "
                f"{sizes!r}."
            )

    def _changes_case(self, texts):
        """Whether tokens are lower case because `lowercase` says so."""
        is_own = callable(self.analyzer) or self.preprocessor is not None
        return bool(self.lowercase) and not is_own and _form_of(texts) == STRINGS

    def _analyse(self, texts):
        """Yield the list of tokens of each text."""
        analyse = CountVectorizer(
            analyzer=self.analyzer,
            ngram_range=self.ngram_range,
            lowercase=self.lowercase,
            strip_accents=self.strip_accents,
            preprocessor=self.preprocessor,
            tokenizer=self.tokenizer,
            token_pattern=self.token_pattern,
            stop_words=self.stop_words,
        ).build_analyzer()
        for text in texts:
            yield list(analyse(text)) if isinstance(text, str) else text

    def _learn(self, texts):
        """Return the ids of the tokens that are frequent enough."""
        n_tokens, n_texts = Counter(), Counter()
        for tokens in self._analyse(texts):
            n_tokens.update(tokens)
            n_texts.update(set(tokens))
        _check_tokens(n_tokens)
        low = _as_count(self.min_df, "min_df", len(texts))
        high = _as_count(self.max_df, "max_df", len(texts))
        kept = [token for token, count in n_texts.items() if low <= count <= high]
        kept.sort(key=lambda token: (-n_tokens[token], token))
        if not kept:
            raise ValueError(
                f"The vocabulary must not be empty, got {len(n_tokens)} tokens of "
                "which none is left; see min_df, max_df and stop_words."
            )
        return _number(kept[: self.max_features])

    def _look_up(self, tokens):
        ids = map(self.vocabulary_.get, tokens, repeat(UNKNOWN))
        return np.fromiter(ids, np.int64, len(tokens))


def _read_texts(X, encoding):
    """Return a list of strings or a list of lists of strings."""
    if isinstance(X, (str, bytes)):
        raise ValueError(
            "X must be a list of texts, got a single one; pass one text as [text]."
        )
    if hasattr(X, "columns") or getattr(X, "shape", (0,))[1:] == (1,):
        raise ValueError(
            "X must be a list of texts, got a table; select the column that holds them."
        )
    is_sized = hasattr(X, "__len__") and hasattr(X, "__getitem__")
    if not is_sized or isinstance(X, Mapping) or getattr(X, "shape", None) == ():
        raise ValueError(f"X must be a list of texts, got {type(X).__name__}.")
    texts = X.tolist() if hasattr(X, "tolist") else list(X)
    texts = [
        text if type(text) is str else _read_text(text, i, encoding)
        for i, text in enumerate(texts)
    ]
    if len(set(map(type, texts))) != 1:
        got = "both" if texts else "none"
        raise ValueError(f"X must hold strings, or lists of tokens, got {got}.")
    return texts


def _form_of(texts):
    """What texts are that `_read_texts` has read."""
    return STRINGS if isinstance(texts[0], str) else TOKENS


def _read_text(text, i, encoding):
    """Return a text that is no plain string as one, or as a list of strings."""
    if isinstance(text, str):
        return str(text)
    if isinstance(text, bytes):
        if encoding is None:
            raise ValueError(
                f"X[{i}] must be a string, got bytes; set encoding, such as 'utf-8'."
            )
        return text.decode(encoding)
    if not isinstance(text, (list, tuple, np.ndarray)) and not hasattr(text, "to_list"):
        missing = str(text) in ("None", "nan", "<NA>", "NaT")
        hint = "; replace missing texts by '' or leave them out" if missing else ""
        raise ValueError(
            f"X[{i}] must be a string or a list of tokens, got {text!r}{hint}."
        )
    tokens = text.tolist() if hasattr(text, "tolist") else list(text)
    if set(map(type, tokens)) - {str}:
        _check_tokens(tokens, i)
    return tokens


def _read_vocabulary(vocabulary):
    """Return the ids of a vocabulary that the user gave."""
    if not isinstance(vocabulary, Mapping):
        tokens = sorted(vocabulary) if isinstance(vocabulary, set) else list(vocabulary)
        vocabulary = _number(tokens)
        if len(vocabulary) != len(tokens):
            twice = next(token for token, n in Counter(tokens).items() if n > 1)
            raise ValueError(f"vocabulary must not repeat tokens, got {twice!r} twice.")
    _check_tokens(vocabulary)
    for token, k in vocabulary.items():
        if not isinstance(k, Integral):
            raise ValueError(
                "vocabulary must hold integers if it is a dict, got "
                f"{type(k).__name__} for {token!r}; vectors go into embedding_weights "
                "of the estimator."
            )
    ids = sorted(vocabulary.values())
    if ids != list(range(FIRST, FIRST + len(ids))) or not ids:
        raise ValueError(
            "vocabulary must have at least one token, and the ids 2, 3, ... without a "
            f"gap if it is a dict, got {len(ids)} tokens with ids {ids!s:.40}."
        )
    return dict(vocabulary)


def _warn_of_upper_case(vocabulary):
    if any(token != token.lower() for token in vocabulary):
        warnings.warn(
            "Upper case characters found in vocabulary while 'lowercase' is True. "
            "These entries will not be matched with any documents.",
            UserWarning,
            stacklevel=3,
        )


def _read_ids(x, i, size):
    """Return the ids of sequence `i` without padding."""
    ids = np.asarray(x)
    if ids.ndim != 1 or (ids.dtype.kind not in "iu" and ids.size):
        raise ValueError(
            f"X[{i}] must be a 1-D array of integer ids, got shape {ids.shape} and "
            f"dtype {ids.dtype}."
        )
    if ids.size and (ids.min() < 0 or ids.max() >= size):
        raise ValueError(
            f"X[{i}] must have ids from 0 to {size - 1}, got {ids.min()} to "
            f"{ids.max()}."
        )
    return ids[ids != PADDING].astype(np.int64)


def _check_tokens(tokens, i=None):
    for token in tokens:
        if not isinstance(token, str):
            place = "" if i is None else f" in X[{i}]"
            raise ValueError(f"Tokens must be strings, got {token!r}{place}.")


def _number(tokens):
    return {token: k for k, token in enumerate(tokens, start=FIRST)}


def _is_positive_integer(value):
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    return is_integer and value >= 1


def _as_count(value, name, n_texts):
    """Return a number of texts that is given as such, or as a share of `n_texts`."""
    if _is_positive_integer(value):
        return value
    if isinstance(value, Real) and not isinstance(value, Integral) and 0 <= value <= 1:
        return value * n_texts
    raise ValueError(
        f"{name} must be an integer >= 1 or a float from 0 to 1, got {value!r}."
    )
