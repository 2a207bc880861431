"""Texts become ids as documented, whatever they come in."""

import pickle
import sys
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags

from skrnn.preprocessing import TokenEncoder
from skrnn.preprocessing.trained_tokenizer import tokenizer_from_json

TEXTS = ["The cat sat.", "A dog sat, too!", "I see the cat: the cat."]
TOKENS = [["the", "cat"], ["a", "dog", "the"], ["cat", "the", "the", "end"]]


def as_lists(sequences):
    return [ids.tolist() for ids in sequences]


def expected_tokens(texts, **options):
    """Tokens as the analyzer of scikit-learn finds them."""
    options = {"token_pattern": r"\w+|[^\w\s]", **options}
    analyse = CountVectorizer(**options).build_analyzer()
    return [list(analyse(text)) for text in texts]


# Ids


def test_ids_are_those_of_the_docstring():
    """Most frequent first, then alphabetical, from 2 on."""
    encoder = TokenEncoder().fit(TOKENS)
    assert encoder.vocabulary_ == {"the": 2, "cat": 3, "a": 4, "dog": 5, "end": 6}
    assert encoder.vocabulary_size_ == 7
    assert encoder.get_feature_names_out().tolist() == ["the", "cat", "a", "dog", "end"]
    assert as_lists(encoder.transform(TOKENS)) == [[2, 3], [4, 5, 2], [3, 2, 2, 6]]


def test_sequences_are_arrays_of_their_own():
    """Writable int64 arrays of one dimension, which the estimators take."""
    for ids in TokenEncoder().fit_transform(TEXTS):
        assert ids.dtype == np.int64 and ids.ndim == 1 and len(ids) > 0
        assert ids.flags.c_contiguous and ids.flags.writeable


def test_unseen_tokens_are_unknown_and_nothing_is_padding():
    encoder = TokenEncoder().fit(TEXTS)
    assert encoder.transform(["The cow sat"])[0].tolist()[1] == 1
    assert min(ids.min() for ids in encoder.transform([*TEXTS, "", "\0", "0"])) == 1


def test_a_text_without_tokens_is_one_unknown_id():
    encoder = TokenEncoder().fit(TEXTS)
    assert as_lists(encoder.transform(["", " \n", "sat"]))[:2] == [[1], [1]]
    of_lists = TokenEncoder().fit(TOKENS)
    assert as_lists(of_lists.transform([[], ["cat"]])) == [[1], [3]]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef")), min_size=1).filter(any))
def test_ids_do_not_depend_on_the_order_of_texts(texts):
    """Nor on the order of tokens in them; and they come back as tokens."""
    encoder = TokenEncoder().fit(texts)
    turned = TokenEncoder().fit([text[::-1] for text in reversed(texts)])
    assert turned.vocabulary_ == encoder.vocabulary_
    assert sorted(encoder.vocabulary_.values()) == list(
        range(2, encoder.vocabulary_size_)
    )
    back = encoder.inverse_transform(encoder.transform(texts))
    assert back == [text or ["<unk>"] for text in texts]


# Tokens


def test_default_tokens_keep_short_words_and_marks():
    encoder = TokenEncoder().fit(TEXTS)
    back = encoder.inverse_transform(encoder.transform(["I see, too!"]))
    assert back == [["i", "see", ",", "too", "!"]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lowercase": False},
        {"token_pattern": r"(?u)\b\w\w+\b"},
        {"ngram_range": (1, 2)},
        {"stop_words": ["the", "a"]},
        {"analyzer": "char"},
        {"analyzer": "char_wb", "ngram_range": (2, 3)},
        {"analyzer": str.split},
        {"tokenizer": str.split},
        {"tokenizer": str.split, "token_pattern": None},
        {"preprocessor": str.upper},
        {"strip_accents": "unicode"},
    ],
    ids=str,
)
def test_tokens_are_those_of_count_vectorizer(options):
    """Each parameter that cuts texts does there and here the same."""
    texts = [*TEXTS, "Déjà vu"]
    encoder = TokenEncoder(**options).fit(texts)
    tokens = expected_tokens(texts, **options)
    assert encoder.inverse_transform(encoder.transform(texts)) == tokens


@pytest.mark.parametrize(
    "options",
    [
        {"min_df": 2},
        {"min_df": 0.5},
        {"max_df": 1},
        {"max_df": 0.4},
        {"min_df": 2, "max_df": 0.7},
    ],
    ids=str,
)
def test_pruning_is_that_of_count_vectorizer(options):
    """A count or a share of texts, not of tokens; both bounds are kept."""
    counter = CountVectorizer(token_pattern=r"\w+|[^\w\s]", **options).fit(TEXTS)
    assert set(TokenEncoder(**options).fit(TEXTS).vocabulary_) == set(
        counter.vocabulary_
    )


def test_max_features_keeps_the_most_frequent():
    """Of those that are left by min_df and max_df."""
    assert [*TokenEncoder(max_features=2).fit(TOKENS).vocabulary_] == ["the", "cat"]
    encoder = TokenEncoder(max_features=2, max_df=2).fit(TOKENS)
    assert [*encoder.vocabulary_] == ["cat", "a"]


def test_max_length_keeps_the_first_ids_and_the_whole_vocabulary():
    encoder = TokenEncoder(max_length=2).fit(TOKENS)
    assert "end" in encoder.vocabulary_
    assert as_lists(encoder.transform(TOKENS)) == [[2, 3], [4, 5], [3, 2]]


def test_lists_of_tokens_are_taken_as_they_are():
    """Neither lower case nor n-grams; a token may have a space."""
    encoder = TokenEncoder(ngram_range=(1, 2)).fit([["The", "New York"], ["the"]])
    assert set(encoder.vocabulary_) == {"The", "New York", "the"}


@pytest.mark.parametrize(
    "vocabulary", [["b", "a"], ("b", "a"), {"b": 2, "a": 3}, np.array(["b", "a"])]
)
def test_a_given_vocabulary_is_used(vocabulary):
    """In its order, without looking at the texts."""
    encoder = TokenEncoder(vocabulary=vocabulary, min_df=5).fit(["c c"])
    assert encoder.vocabulary_ == {"b": 2, "a": 3}
    assert as_lists(encoder.transform(["a b c"])) == [[3, 2, 1]]


def test_a_vocabulary_can_be_handed_on():
    first = TokenEncoder(min_df=2).fit(TEXTS)
    second = TokenEncoder(vocabulary=first.vocabulary_).fit(["else"])
    assert as_lists(second.transform(TEXTS)) == as_lists(first.transform(TEXTS))
    assert TokenEncoder(vocabulary={"b", "a"}).fit(["c"]).vocabulary_ == {
        "a": 2,
        "b": 3,
    }


@pytest.mark.parametrize("options", [{}, {"vocabulary": ["the", "cat"]}], ids=str)
def test_transform_takes_the_form_that_fit_was_given(options):
    """A sentence that nobody wrapped would be as many texts as it has words."""
    message = (
        r"^X is strings, but this encoder was fitted on lists of tokens; pass one "
        r"sentence alone as \[words\]\.$"
    )
    with pytest.raises(ValueError, match=message):
        TokenEncoder(**options).fit(TOKENS).transform(["the", "cat"])
    message = r"^X is lists of tokens, but this encoder was fitted on strings\.$"
    with pytest.raises(ValueError, match=message):
        TokenEncoder(**options).fit(TEXTS).transform([["the", "cat"]])


def test_upper_case_that_no_text_can_match_is_told():
    given = TokenEncoder(vocabulary=["The"])
    with pytest.warns(UserWarning, match="Upper case characters found in vocabulary"):
        given.fit(TEXTS)
    for able in (
        {"lowercase": False},
        {"preprocessor": str},
        {"analyzer": str.split},
        {"vocabulary": ["the"]},
    ):
        clone(given).set_params(**able).fit(TEXTS)
    given.fit(TOKENS)


# Containers

TEXT_FORMS = {
    "tuple": tuple,
    "strings": np.array,
    "objects": lambda texts: np.array(texts, dtype=object),
    "pandas": lambda texts: pd.Series(texts, index=range(7, 7 + len(texts))),
    "pandas objects": lambda texts: pd.Series(texts, dtype=object),
    "polars": pl.Series,
    "numpy strings": lambda texts: list(np.array(texts)),
}


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_texts_come_in_any_container(form):
    encoder = TokenEncoder().fit(TEXTS)
    other = TokenEncoder().fit(TEXT_FORMS[form](TEXTS))
    assert other.vocabulary_ == encoder.vocabulary_
    assert {type(token) for token in other.vocabulary_} == {str}
    same = other.transform(TEXT_FORMS[form](TEXTS))
    assert as_lists(same) == as_lists(encoder.transform(TEXTS))


def in_objects(parts):
    array = np.empty(len(parts), dtype=object)
    array[:] = parts
    return array


TOKEN_FORMS = {
    "tuples": lambda texts: [tuple(text) for text in texts],
    "arrays": lambda texts: [np.array(text) for text in texts],
    "object arrays": lambda texts: in_objects([np.array(t, object) for t in texts]),
    "lists in objects": in_objects,
    "pandas": pd.Series,
    "polars": pl.Series,
}


@pytest.mark.parametrize("form", TOKEN_FORMS)
def test_token_lists_come_in_any_container(form):
    encoder = TokenEncoder().fit(TOKENS)
    other = TokenEncoder().fit(TOKEN_FORMS[form](TOKENS))
    assert other.vocabulary_ == encoder.vocabulary_
    assert {type(token) for token in other.vocabulary_} == {str}


def test_equally_long_token_lists_may_be_one_array():
    assert as_lists(
        TokenEncoder().fit_transform(np.array([["a", "b"], ["b", "b"]]))
    ) == [
        [3, 2],
        [2, 2],
    ]


def test_bytes_are_decoded_if_told_how():
    encoder = TokenEncoder(encoding="latin-1").fit(["é".encode("latin-1"), b"a"])
    assert set(encoder.vocabulary_) == {"é", "a"}


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("one text", r"got a single one; pass one text as \[text\]"),
        (b"one text", r"got a single one; pass one text as \[text\]"),
        (pd.DataFrame({"text": TEXTS}), r"got a table; select the column"),
        (pl.DataFrame({"text": TEXTS}), r"got a table; select the column"),
        (np.array(TEXTS)[:, np.newaxis], r"got a table; select the column"),
        ((text for text in TEXTS), r"X must be a list of texts, got generator"),
        ({"a": "text"}, r"X must be a list of texts, got dict"),
        (np.array("text"), r"X must be a list of texts, got ndarray"),
        (None, r"X must be a list of texts, got NoneType"),
        ([], r"X must hold strings, or lists of tokens, got none"),
        (["a", ["b"]], r"X must hold strings, or lists of tokens, got both"),
        (["a", None], r"X\[1\] must be a string or .* got None; replace missing"),
        (["a", np.nan], r"X\[1\] must be a string or .* got nan; replace missing"),
        (pd.Series(["a", None]), r"X\[1\] must be a string .*; replace missing"),
        (pd.Series(["a", pd.NA], dtype="string"), r"X\[1\] .* got <NA>; replace"),
        (pl.Series(["a", None]), r"X\[1\] must be a string .*; replace missing"),
        (["a", 3], r"X\[1\] must be a string or a list of tokens, got 3\.$"),
        (np.array([[1.0, 2.0]]), r"Tokens must be strings, got 1\.0 in X\[0\]"),
        ([["a"], ["b", None]], r"Tokens must be strings, got None in X\[1\]"),
        ([[["a"]]], r"Tokens must be strings, got \['a'\] in X\[0\]"),
        (["a", b"b"], r"X\[1\] must be a string, got bytes; set encoding"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(X, message):
    """By name and place, in fit and in transform."""
    with pytest.raises(ValueError, match=message):
        TokenEncoder().fit(X)
    if not hasattr(X, "send"):
        with pytest.raises(ValueError, match=message):
            TokenEncoder().fit(TEXTS).transform(X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"min_df": 0},
            r"min_df must be an integer >= 1 or a float from 0 to 1, got 0",
        ),
        ({"min_df": True}, r"min_df must be .*, got True"),
        ({"max_df": 1.5}, r"max_df must be .*, got 1\.5"),
        ({"max_df": "1"}, r"max_df must be .*, got '1'"),
        ({"max_features": 0}, r"max_features must be an integer >= 1, got 0"),
        ({"max_length": 2.0}, r"max_length must be an integer >= 1, got 2\.0"),
        ({"ngram_range": (2, 1)}, r"ngram_range must be a pair .*, got \(2, 1\)"),
        ({"ngram_range": 2}, r"ngram_range must be a pair .*, got 2"),
        ({"analyzer": "syllable"}, r"syllable is not a valid"),
        ({"analyzer": lambda text: [1, 2]}, r"Tokens must be strings, got 1"),
        ({"min_df": 3, "max_df": 2}, r"vocabulary must not be empty, got 12 tokens"),
        ({"vocabulary": []}, r"vocabulary must have at least one token"),
        ({"vocabulary": ["a", "b", "a"]}, r"must not repeat tokens, got 'a' twice"),
        ({"vocabulary": {"a": 1}}, r"ids 2, 3, .*, got 1 tokens with ids \[1\]"),
        ({"vocabulary": {"a": 2, "b": 4}}, r"without a gap"),
        (
            {"vocabulary": {"a": np.ones(3)}},
            r"vocabulary must hold integers .*, got ndarray for 'a'; vectors go into",
        ),
        ({"vocabulary": {"a": 2.0}}, r"vocabulary must hold integers .*, got float"),
        ({"vocabulary": [1]}, r"Tokens must be strings, got 1"),
    ],
)
def test_parameters_are_checked_by_fit(options, message):
    with pytest.raises(ValueError, match=message):
        TokenEncoder(**options).fit(TEXTS)


def test_texts_without_any_token_have_no_vocabulary():
    with pytest.raises(ValueError, match="must not be empty, got 0 tokens"):
        TokenEncoder().fit(["", " "])


# Back to tokens


def test_padding_is_left_out_on_the_way_back():
    """Ids may be lists, or rows of a padded array."""
    encoder = TokenEncoder().fit(TOKENS)
    padded = np.array([[2, 3, 0, 0], [1, 5, 0, 0]])
    expected = [["the", "cat"], ["<unk>", "dog"]]
    assert encoder.inverse_transform(padded) == expected
    assert encoder.inverse_transform(padded.tolist()) == expected
    assert encoder.inverse_transform([[0], []]) == [[], []]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[2], [2, 7]], r"X\[1\] must have ids from 0 to 6, got 2 to 7"),
        ([[-1, 2]], r"X\[0\] must have ids from 0 to 6, got -1 to 2"),
        ([[2.0]], r"X\[0\] must be a 1-D array of integer ids, .* float64"),
        ([2, 3], r"X\[0\] must be a 1-D array of integer ids, got shape \(\)"),
    ],
)
def test_ids_that_are_none_are_refused(ids, message):
    with pytest.raises(ValueError, match=message):
        TokenEncoder().fit(TOKENS).inverse_transform(ids)


# scikit-learn


@pytest.mark.parametrize(
    "name",
    [
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_get_params_invariance",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_set_params",
    ],
)
def test_scikit_learn_finds_nothing_wrong(name):
    """Checks that need no data; `check_estimator` runs only the first on texts."""
    getattr(estimator_checks, name)("TokenEncoder", TokenEncoder())


def test_tags_say_that_texts_go_in():
    tags = get_tags(TokenEncoder()).input_tags
    assert tags.string and not tags.two_d_array


def test_ids_stay_ids_whatever_output_is_chosen():
    pipe = make_pipeline(TokenEncoder())
    got = pipe.set_output(transform="pandas").fit_transform(TEXTS)
    assert as_lists(got) == as_lists(TokenEncoder().fit_transform(TEXTS))


def test_unfitted_encoders_say_so():
    for method in ("transform", "inverse_transform"):
        with pytest.raises(NotFittedError):
            getattr(TokenEncoder(vocabulary=["a"]), method)([["a"]])
    with pytest.raises(NotFittedError):
        TokenEncoder().get_feature_names_out()


def test_clones_and_pickles_are_alike():
    encoder = TokenEncoder(min_df=2, stop_words=["a"]).fit(TEXTS)
    assert clone(encoder).get_params() == encoder.get_params()
    copy = pickle.loads(pickle.dumps(encoder))
    assert as_lists(copy.transform(TEXTS)) == as_lists(encoder.transform(TEXTS))


def test_fit_does_not_change_what_it_is_given():
    vocabulary = {"a": 2}
    encoder = TokenEncoder(vocabulary=vocabulary).fit(["a"])
    encoder.vocabulary_["b"] = 3
    assert vocabulary == {"a": 2} and encoder.vocabulary is vocabulary


def test_a_failed_fit_leaves_the_former_one():
    encoder = TokenEncoder().fit(TEXTS)
    before = dict(vars(encoder))
    with pytest.raises(ValueError, match="got none"):
        encoder.fit([])
    assert vars(encoder) == before


class FindsUnknown(BaseEstimator):
    """Says whether a text has an unknown token; its score is the accuracy."""

    def fit(self, X, y=None):
        self.n_texts_ = len(X)
        return self

    def score(self, X, y):
        return np.mean([(x == 1).any() == label for x, label in zip(X, y, strict=True)])


def test_grid_search_reaches_the_encoder():
    """Through a pipeline, on a Series, by the usual names."""
    texts = pd.Series(["a b", "a c", "a d", "a b"] * 4)
    y = texts.str.contains("c|d").to_numpy()
    search = GridSearchCV(
        make_pipeline(TokenEncoder(), FindsUnknown()),
        {"tokenencoder__max_features": [None, 2]},
        cv=2,
        error_score="raise",
    )
    search.fit(texts, y)
    assert search.best_params_ == {"tokenencoder__max_features": 2}
    assert search.best_score_ == 1.0


@pytest.mark.slow
def test_a_hundred_thousand_sentences_take_seconds():
    rng = np.random.default_rng(0)
    words = np.array([f"w{k}" for k in rng.zipf(1.3, size=2_000_000) % 50_000])
    texts = [" ".join(part) for part in words.reshape(100_000, 20).tolist()]
    start = time.process_time()
    TokenEncoder().fit_transform(texts)
    assert time.process_time() - start < 10.0


# Trained tokenizers


def train(model, trainer, **options):
    """A tokenizer trained on TEXTS, as text."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(getattr(tokenizers.models, model)(**options))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]"] if "unk_token" in options else []
    if model == "Unigram":
        special, extra = ["<unk>"], {"unk_token": "<unk>"}
    else:
        extra = {}
    kind = getattr(tokenizers.trainers, trainer)
    tokenizer.train_from_iterator(
        TEXTS, kind(special_tokens=special, vocab_size=60, show_progress=False, **extra)
    )
    return tokenizer


MODELS = {
    "word level": ("WordLevel", "WordLevelTrainer", {"unk_token": "[UNK]"}),
    "word piece": ("WordPiece", "WordPieceTrainer", {"unk_token": "[UNK]"}),
    "byte pair": ("BPE", "BpeTrainer", {"unk_token": "[UNK]"}),
    "byte pair without unknown": ("BPE", "BpeTrainer", {}),
    "unigram": ("Unigram", "UnigramTrainer", {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_ids_of_a_trained_tokenizer_are_moved_by_two(name):
    """Its unknown token becomes 1, all others keep their order; none is 0."""
    model, trainer, options = MODELS[name]
    tokenizer = train(model, trainer, **options)
    encoder = TokenEncoder(tokenizer_json=tokenizer.to_str()).fit(TEXTS)
    unknown = [tokenizer.token_to_id(token) for token in ("[UNK]", "<unk>")]
    for text in [*TEXTS, "the ¿ cat"]:
        own = tokenizer.encode(text).ids
        expected = [1 if k in unknown else k + 2 for k in own]
        assert encoder.transform([text])[0].tolist() == expected
    ids = sorted(encoder.vocabulary_.values())
    assert ids[-1] == encoder.vocabulary_size_ - 1 == tokenizer.get_vocab_size() + 1
    assert len(set(ids)) == tokenizer.get_vocab_size()
    assert ids[0] == (2 if name == "byte pair without unknown" else 1)


def test_a_trained_tokenizer_decodes():
    tokenizer = train("WordLevel", "WordLevelTrainer", unk_token="[UNK]")
    encoder = TokenEncoder(tokenizer_json=tokenizer.to_str()).fit(TEXTS)
    ids = encoder.transform(["The cat sat", "the cow", ""])
    assert ids[2].tolist() == [1]
    assert encoder.inverse_transform(ids) == ["The cat sat", "the", ""]
    names = encoder.get_feature_names_out()
    assert names[0] == "[UNK]" and len(names) == tokenizer.get_vocab_size()


def test_a_trained_tokenizer_takes_lists_of_words():
    tokenizer = train("WordPiece", "WordPieceTrainer", unk_token="[UNK]")
    encoder = TokenEncoder(tokenizer_json=tokenizer.to_str(), max_length=3).fit(TOKENS)
    own = tokenizer.encode(["the", "cat", "sat"], is_pretokenized=True).ids
    ids = encoder.transform([["the", "cat", "sat"]])[0]
    assert ids.tolist() == [k + 2 for k in own][:3]


def test_padding_of_a_trained_tokenizer_is_switched_off():
    """Sequences stay ragged."""
    tokenizer = train("WordLevel", "WordLevelTrainer", unk_token="[UNK]")
    tokenizer.enable_padding()
    encoder = TokenEncoder(tokenizer_json=tokenizer.to_str()).fit(TEXTS)
    assert [len(ids) for ids in encoder.transform(["the cat", "the"])] == [2, 1]


def test_special_tokens_that_a_trained_tokenizer_adds_stay():
    """They are part of what was trained; decoding leaves them out."""
    tokenizer = train("WordLevel", "WordLevelTrainer", unk_token="[UNK]")
    k = tokenizer.token_to_id("[CLS]")
    tokenizer.post_processor = pytest.importorskip(
        "tokenizers"
    ).processors.TemplateProcessing("[CLS] $A", special_tokens=[("[CLS]", k)])
    encoder = TokenEncoder(tokenizer_json=tokenizer.to_str()).fit(TEXTS)
    ids = encoder.transform(["the cat"])
    assert len(ids[0]) == 3 and ids[0][0] == k + 2
    assert encoder.inverse_transform(ids) == ["the cat"]


def test_an_encoder_with_a_trained_tokenizer_is_plain_text():
    """It pickles and clones without any object of the library."""
    tokenizer = train("WordLevel", "WordLevelTrainer", unk_token="[UNK]")
    encoder = TokenEncoder(tokenizer_json=tokenizer.to_str()).fit(TEXTS)
    assert b"tokenizers." not in pickle.dumps(encoder)
    for copy in (pickle.loads(pickle.dumps(encoder)), clone(encoder).fit(TEXTS)):
        assert as_lists(copy.transform(TEXTS)) == as_lists(encoder.transform(TEXTS))


@pytest.mark.parametrize("text", ["no tokenizer", "{}", 3])
def test_what_is_no_trained_tokenizer_is_refused(text):
    pytest.importorskip("tokenizers")
    with pytest.raises(ValueError, match=r"tokenizer_json must be a tokenizer as text"):
        TokenEncoder(tokenizer_json=text).fit(TEXTS)


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    tokenizer_from_json.cache_clear()
    with pytest.raises(ImportError, match=r"needs the library tokenizers; install it"):
        TokenEncoder(tokenizer_json="{}").fit(TEXTS)
