"""The made-up problems are what their docstrings say, and stay so."""

import itertools

import numpy as np
import pytest
from cases import global_random_state
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils import check_random_state

import skrnn.datasets as datasets
from skrnn.datasets import (
    make_adding_problem,
    make_copy_memory,
    make_reber,
    make_switching_sines,
)
from skrnn.datasets.reber import decode, encode, is_reber

CASES = [
    pytest.param(make_adding_problem, {}, 2, id="adding"),
    pytest.param(make_adding_problem, {"n_timesteps": (2, 9)}, 2, id="adding-ragged"),
    pytest.param(make_copy_memory, {}, 10, id="copy"),
    pytest.param(make_copy_memory, {"n_copied": 3, "delay": (0, 5)}, 10, id="copy-3"),
    pytest.param(make_reber, {}, 7, id="reber"),
    pytest.param(make_reber, {"embedded": True}, 7, id="reber-embedded"),
    pytest.param(make_switching_sines, {}, 4, id="sines"),
    pytest.param(make_switching_sines, {"n_features": 2, "noise": 0}, 2, id="sines-2"),
]
MAKERS = [getattr(datasets, name) for name in datasets.__all__]


def to_bytes(X, y):
    return [x.tobytes() for x in X] + [y.tobytes()]


def lengths_of(X):
    return {len(x) for x in X}


# What all problems share


@pytest.mark.parametrize(("make", "params", "n_features"), CASES)
def test_sequences_follow_the_data_contract(make, params, n_features):
    """X is a list of clean float64 arrays that own writable, contiguous memory."""
    X, y = make(20, random_state=0, **params)
    assert type(X) is list and len(X) == len(y) == 20
    for x in X:
        assert x.dtype == np.float64 and x.ndim == 2 and x.shape[1] == n_features
        assert x.flags.c_contiguous and x.flags.writeable and x.flags.owndata
        assert len(x) > 0 and np.isfinite(x).all()


@pytest.mark.parametrize(("make", "params", "n_features"), CASES)
def test_targets_are_plain_arrays(make, params, n_features):
    """y is contiguous, writable, owned, and int64 unless the target is a number."""
    _, y = make(20, random_state=0, **params)
    assert type(y) is np.ndarray and y.flags.owndata
    assert y.flags.c_contiguous and y.flags.writeable
    assert y.dtype == (np.float64 if make is make_adding_problem else np.int64)
    assert y.shape == ((20, 3) if params.get("n_copied") == 3 else (20,))


@pytest.mark.parametrize(("make", "params", "n_features"), CASES)
def test_a_seed_fixes_every_bit(make, params, n_features):
    """The same seed gives the same bits and another seed gives other data."""
    once = to_bytes(*make(30, random_state=3, **params))
    assert to_bytes(*make(30, random_state=3, **params)) == once
    assert to_bytes(*make(30, random_state=4, **params)) != once


@pytest.mark.parametrize("make", MAKERS)
def test_a_random_state_instance_moves_on(make):
    """An instance gives what its seed gives, then new data, global state untouched."""
    before = global_random_state()
    rng = check_random_state(5)
    first = to_bytes(*make(10, random_state=rng))
    assert first == to_bytes(*make(10, random_state=5))
    assert first != to_bytes(*make(10, random_state=rng))
    assert global_random_state() == before


@pytest.mark.parametrize("make", MAKERS)
def test_no_seed_is_needed(make):
    """With the default random_state two calls give different data."""
    assert to_bytes(*make(10)) != to_bytes(*make(10))


@pytest.mark.parametrize(("make", "params", "n_features"), CASES)
def test_one_sequence_is_enough(make, params, n_features):
    """The smallest data set has the same form as any other."""
    X, y = make(1, random_state=0, **params)
    assert len(X) == len(y) == 1


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None, (1, 2)])
def test_n_sequences_is_checked(make, value):
    """Only a positive integer counts sequences."""
    with pytest.raises(ValueError, match=r"n_sequences must be an integer >= 1, got"):
        make(value)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("seed", ["0", -1, 1.5, 2**32, np.random.default_rng(0)])
def test_random_state_is_checked(make, seed):
    """What NumPy's RandomState does not take is refused by name."""
    with pytest.raises(ValueError, match="^random_state must be None, an integer from"):
        make(3, random_state=seed)


@pytest.mark.parametrize(
    ("make", "name", "minimum"),
    [
        (make_adding_problem, "n_timesteps", 2),
        (make_copy_memory, "delay", 0),
        (make_switching_sines, "n_timesteps", 8),
    ],
)
class TestBounds:
    """A length is an integer or an inclusive pair of integers."""

    def test_an_integer_gives_equal_lengths(self, make, name, minimum):
        """An integer, NumPy's too, gives every sequence the same length."""
        for value in (11, np.int32(11)):
            X, _ = make(20, random_state=0, **{name: value})
            assert len(lengths_of(X)) == 1

    def test_a_pair_includes_both_ends(self, make, name, minimum):
        """All lengths from low to high occur, and no other."""
        [extra] = {len(make(1, **{name: 11})[0][0]) - 11}
        for pair in ((minimum, minimum + 3), [minimum, minimum + 3]):
            X, _ = make(100, random_state=0, **{name: pair})
            assert lengths_of(X) == {minimum + k + extra for k in range(4)}

    def test_the_minimum_is_allowed_and_less_is_not(self, make, name, minimum):
        """The smallest length works; one less is refused with both values named."""
        make(20, random_state=0, **{name: minimum})
        message = (
            rf"{name} must be an integer >= {minimum} or a pair .* got {minimum - 1}"
        )
        with pytest.raises(ValueError, match=message):
            make(20, **{name: minimum - 1})

    @pytest.mark.parametrize(
        "value", [(12, 11), (-1, 11), (11,), (9, 10, 11), (9, 10.5), 11.0, True, None]
    )
    def test_anything_else_is_refused(self, make, name, minimum, value):
        """Reversed, too small, incomplete or fractional lengths raise."""
        with pytest.raises(ValueError, match=rf"{name} must be an integer >= .*, got"):
            make(20, **{name: value})


# The adding problem


def test_adding_marks_one_step_in_each_half():
    """There are two markers, at any step of either half and never both in one."""
    X, _ = make_adding_problem(500, n_timesteps=7, random_state=0)
    marked = [np.flatnonzero(x[:, 1]).tolist() for x in X]
    assert all(set(x[:, 1]) == {0.0, 1.0} for x in X)
    assert {first for first, _ in marked} == {0, 1, 2}
    assert {second for _, second in marked} == {3, 4, 5, 6}


def test_adding_target_is_the_sum_of_the_marked_values():
    """The target follows from the sequence alone, and values lie in [0, 1)."""
    X, y = make_adding_problem(100, n_timesteps=(2, 30), random_state=0)
    for x, target in zip(X, y, strict=True):
        assert target == sum(value for value, marker in x.tolist() if marker == 1)
        assert (x[:, 0] >= 0).all() and (x[:, 0] < 1).all()


def test_adding_baselines_are_those_documented():
    """Predicting 1 costs 1/6; knowing the second value only costs 1/12."""
    X, y = make_adding_problem(20_000, n_timesteps=10, random_state=0)
    second = np.array([x[5:][x[5:, 1] == 1, 0][0] for x in X])
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, rel=0.03)
    assert np.mean((y - second - 0.5) ** 2) == pytest.approx(1 / 12, rel=0.03)


def test_adding_target_is_hidden_from_pooled_statistics():
    """The mean of a long sequence predicts no better than always saying 1."""
    X, y = make_adding_problem(2000, n_timesteps=100, random_state=0)
    pooled = np.array([[x[:, 0].mean(), x[:, 0].std()] for x in X])
    assert cross_val_score(LinearRegression(), pooled, y).mean() < 0.05


# Copy memory


@pytest.mark.parametrize("n_copied", [1, 4])
def test_copy_memory_shows_waits_and_asks(n_copied):
    """Each sequence is the symbols of y, then blanks, then one cue, all one-hot."""
    X, y = make_copy_memory(
        50, n_symbols=3, n_copied=n_copied, delay=(0, 6), random_state=0
    )
    for x, symbols in zip(X, y.reshape(50, n_copied), strict=True):
        assert ((x == 0) | (x == 1)).all() and (x.sum(axis=1) == 1).all()
        codes = x.argmax(axis=1).tolist()
        delay = len(x) - n_copied - 1
        assert codes == symbols.tolist() + [3] * delay + [4]


def test_copy_memory_symbols_are_uniform_and_independent():
    """Every class at every position is equally likely, and so is every pair."""
    _, y = make_copy_memory(20_000, n_symbols=4, n_copied=2, delay=0, random_state=0)
    pairs = np.bincount(4 * y[:, 0] + y[:, 1], minlength=16) / len(y)
    np.testing.assert_allclose(pairs, 1 / 16, rtol=0.15)


def test_copy_memory_answer_is_not_at_the_end():
    """All sequences of one length end alike, so only the start tells the class."""
    X, y = make_copy_memory(50, delay=5, random_state=0)
    assert len({x[1:].tobytes() for x in X}) == 1
    assert len(set(y)) > 1


@pytest.mark.parametrize(("name", "minimum"), [("n_symbols", 2), ("n_copied", 1)])
@pytest.mark.parametrize("offset", [-1, 0.5, "x"])
def test_copy_memory_counts_are_checked(name, minimum, offset):
    """Too few symbols, and numbers that are no integers, are refused."""
    value = offset if offset == "x" else minimum + offset
    message = rf"{name} must be an integer >= {minimum}, got {value!r}"
    with pytest.raises(ValueError, match=message):
        make_copy_memory(5, **{name: value})


# The Reber grammar


def spell_all(max_length):
    """List all Reber strings up to a length by expanding a rewrite grammar.

    S, X, ... below are the symbols; the nonterminals are digits. Written from the
    picture of the graph as productions, to be independent of the library's table.
    """
    rules = {
        "1": ["T2", "P3"],
        "2": ["S2", "X4"],
        "3": ["T3", "V5"],
        "4": ["X3", "SE"],
        "5": ["P4", "VE"],
    }
    done, open_strings = set(), ["B1"]
    while open_strings:
        string = open_strings.pop()
        state = string[-1]
        if state == "E":
            done.add(string)
        elif len(string) <= max_length:
            open_strings += [string[:-1] + tail for tail in rules[state]]
    return {string for string in done if len(string) <= max_length}


def spell_all_embedded(max_length):
    inner = spell_all(max_length - 4)
    return {f"B{c}{string}{c}E" for c in "TP" for string in inner}


def one_symbol_changes(string):
    for k, symbol in itertools.product(range(len(string)), "BTSXPVE"):
        if symbol != string[k]:
            yield string[:k] + symbol + string[k + 1 :]


def windows(string):
    padded = f"^{string}$"
    return {padded[k : k + 3] for k in range(len(padded) - 2)}


def read_short_strings(embedded, max_length):
    X, y = make_reber(3000, embedded=embedded, random_state=0)
    strings = [decode(x) for x in X]
    short = [k for k, string in enumerate(strings) if len(string) <= max_length]
    return [strings[k] for k in short], y[short]


@pytest.mark.parametrize(
    ("embedded", "spell", "max_length"),
    [(False, spell_all, 14), (True, spell_all_embedded, 18)],
)
class TestReber:
    """Both grammars, against a list of all their strings."""

    def test_labels_agree_with_the_list_of_all_strings(
        self, embedded, spell, max_length
    ):
        """A string is labelled 1 exactly if the grammar can spell it."""
        strings, y = read_short_strings(embedded, max_length)
        listed = spell(max_length)
        assert len(strings) > 2000
        assert [string in listed for string in strings] == y.astype(bool).tolist()

    def test_wrong_strings_are_one_symbol_away(self, embedded, spell, max_length):
        """Each ungrammatical string is one replaced symbol from a grammatical one."""
        strings, y = read_short_strings(embedded, max_length)
        listed = spell(max_length)
        for string in itertools.compress(strings, y == 0):
            assert any(changed in listed for changed in one_symbol_changes(string))

    def test_checker_agrees_with_the_list_of_all_strings(
        self, embedded, spell, max_length
    ):
        """is_reber is right on every short string and every change of one."""
        listed = spell(max_length - 3)
        for string in listed:
            assert is_reber(string, embedded=embedded)
            for changed in one_symbol_changes(string):
                assert is_reber(changed, embedded=embedded) == (changed in listed)

    def test_checker_refuses_strings_that_stop_early_or_go_on(
        self, embedded, spell, max_length
    ):
        """Neither a beginning of a string, nor the empty one, nor a longer one fits."""
        listed = spell(max_length - 3)
        for string in listed:
            assert not is_reber(string + "E", embedded=embedded)
            for k in range(len(string)):
                assert (string[:k] in listed) == is_reber(string[:k], embedded=embedded)

    def test_classes_are_balanced(self, embedded, spell, max_length):
        """The counts of the two classes differ by one at most."""
        for n_sequences in (100, 101):
            _, y = make_reber(n_sequences, embedded=embedded, random_state=0)
            assert y.sum() == n_sequences // 2
            assert set(y[:20]) == {0, 1}

    def test_lengths_are_those_documented(self, embedded, spell, max_length):
        """Lengths start at 5, average 8 (4 more embedded) and are free of the class."""
        extra = 4 if embedded else 0
        X, y = make_reber(10_000, embedded=embedded, random_state=0)
        lengths = np.array([len(x) for x in X])
        assert lengths.min() == 5 + extra and len(set(lengths)) > 10
        for label in (0, 1):
            assert lengths[y == label].mean() == pytest.approx(8 + extra, abs=0.2)

    def test_sequences_are_one_hot(self, embedded, spell, max_length):
        """Every step names one of the seven symbols, in the documented columns."""
        X, _ = make_reber(50, embedded=embedded, random_state=0)
        for x in X:
            assert ((x == 0) | (x == 1)).all() and (x.sum(axis=1) == 1).all()
            np.testing.assert_array_equal(encode(decode(x)), x)
        np.testing.assert_array_equal(encode("BTSXPVE"), np.eye(7))


def draw_embedded():
    X, y = make_reber(2001, embedded=True, random_state=0)
    return [decode(x) for x in X], y


def test_half_of_the_embedded_errors_need_long_memory():
    """Half of the errors are a T/P swap around a right inner string, half inside it."""
    strings, y = draw_embedded()
    wrong = list(itertools.compress(strings, y == 0))
    swaps = [s[1] + s[-2] for s in wrong if s[1] != s[-2]]
    assert len(wrong) == 1001 and len(swaps) == 501
    assert set(swaps) == {"TP", "PT"}
    listed = spell_all(14)
    for string in wrong:
        assert string[0] == "B" and string[-1] == "E"
        if len(string) <= 18:
            assert (string[2:-2] in listed) == (string[1] != string[-2])


def test_second_symbol_alone_tells_nothing():
    """T and P at either end are equally likely in both classes."""
    strings, y = draw_embedded()
    for label, position in itertools.product((0, 1), (1, -2)):
        ends = [s[position] for s in itertools.compress(strings, y == label)]
        assert ends.count("T") / len(ends) == pytest.approx(0.5, abs=0.05)


def test_short_windows_solve_plain_reber_only():
    """Windows of three symbols are enough for the plain grammar, 0.75 embedded."""
    allowed = set().union(*map(windows, spell_all(14)))
    X, y = make_reber(2000, random_state=0)
    assert [windows(decode(x)) <= allowed for x in X] == y.astype(bool).tolist()

    allowed = set().union(*map(windows, spell_all_embedded(18)))
    strings, y = draw_embedded()
    guesses = np.array([windows(s) <= allowed for s in strings])
    assert np.mean(guesses == y) == pytest.approx(0.75, abs=0.001)


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_reber_embedded_is_checked(value):
    """Only a bool chooses the grammar."""
    with pytest.raises(
        ValueError, match=rf"embedded must be True or False, got {value!r}"
    ):
        make_reber(5, embedded=value)


# Switching sines


def score_regimes(x, regimes, onset, switch):
    """Energy of x along two complex waves, written out term by term."""
    total = 0.0
    for (period, direction), part in zip(
        regimes, (x[onset:switch], x[switch:]), strict=True
    ):
        t, j = np.indices(part.shape)
        wave = np.exp(-2j * np.pi * (t / period + direction * j / 4))
        total += abs((part * wave).sum()) ** 2 / part.size
    return total


def matched_filter(x, n_classes):
    """Classify by the best-fitting pair of documented waves over all cuts."""

    def fit(label):
        slow = (12, -1 if label in (2, 3, 6, 7) else 1)
        fast = (5, -1 if label >= 4 else 1)
        regimes = (fast, slow) if label % 2 else (slow, fast)
        cuts = itertools.product(
            range(0, len(x) // 4 + 1, 2), range(len(x) // 3, 3 * len(x) // 4, 2)
        )
        return max(score_regimes(x, regimes, *cut) for cut in cuts)

    return np.argmax([fit(label) for label in range(n_classes)])


def describe_bag(X):
    """Describe the steps of each sequence without their order."""
    features = []
    for x in X:
        ranks = np.linspace(0, len(x) - 1, 5).astype(int)
        quantiles = np.sort(x, axis=0)[ranks].ravel()
        moments = [(x**p).mean(axis=0) for p in (1, 2, 3, 4)]
        features.append(np.concatenate([quantiles, *moments, np.cov(x.T).ravel()]))
    return StandardScaler().fit_transform(features)


def describe_order(X):
    """Describe how steps follow each other in the two halves of each sequence."""
    features = []
    for x in X:
        halves = np.array_split(x, 2)
        products = [half[:-2].T @ half[2:] / len(half) for half in halves]
        features.append(np.ravel(products) / x.var())
    return StandardScaler().fit_transform(features)


def accuracy(features, y):
    return cross_val_score(LogisticRegression(C=0.1, tol=0.01), features, y).mean()


def test_sines_classes_are_the_documented_waves():
    """A filter written from the docstring recovers all eight classes."""
    X, y = make_switching_sines(40, n_classes=8, n_timesteps=(40, 60), random_state=0)
    guesses = [matched_filter(x, 8) for x in X]
    assert np.mean(guesses == y) > 0.95


def test_sines_classes_are_hidden_from_bags_of_steps():
    """Step statistics stay at chance; the same model with order does not."""
    X, y = make_switching_sines(1500, n_classes=4, random_state=0)
    assert accuracy(describe_bag(X), y) == pytest.approx(1 / 4, abs=0.04)
    assert accuracy(describe_order(X), y) > 0.95


def test_sines_one_feature_shows_only_the_order():
    """One feature tells slow-first from fast-first, never the directions."""
    X, y = make_switching_sines(3000, n_classes=8, random_state=0)
    last = [x[:, -1:] for x in X]
    quadratic = PolynomialFeatures(2).fit_transform(describe_order(last))
    assert accuracy(quadratic, y % 2) > 0.95
    assert accuracy(quadratic, y // 2) == pytest.approx(1 / 4, abs=0.04)


@pytest.mark.parametrize("n_classes", [2, 3, 8])
def test_sines_classes_are_balanced_and_shuffled(n_classes):
    """Class counts differ by one at most and the order is random."""
    _, y = make_switching_sines(100, n_classes=n_classes, random_state=0)
    counts = np.bincount(y, minlength=n_classes)
    assert len(counts) == n_classes and np.ptp(counts) <= 1
    assert not np.array_equal(y, np.arange(100) % n_classes)


def test_sines_begin_after_a_random_silence():
    """Without noise, the steps before the onset are 0, up to a quarter of them."""
    X, _ = make_switching_sines(300, n_timesteps=40, noise=0.0, random_state=0)
    onsets = {int(np.flatnonzero(np.any(x != 0, axis=1))[0]) for x in X}
    assert onsets == set(range(11))


def test_sines_amplitude_and_noise_are_those_documented():
    """Amplitudes fill 0.5 to 1.5 and `noise` is the standard deviation added."""
    quiet, _ = make_switching_sines(300, noise=0.0, random_state=0)
    peaks = np.array([abs(x).max() for x in quiet])
    assert 0.45 < peaks.min() < 0.6 and 1.4 < peaks.max() <= 1.5
    noisy, _ = make_switching_sines(300, noise=0.3, random_state=0)
    rest = np.concatenate([b - a for a, b in zip(quiet, noisy, strict=True)])
    assert rest.std() == pytest.approx(0.3, rel=0.02)
    assert abs(rest.mean()) < 0.01


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_classes", 1, r"n_classes must be an integer >= 2, got 1"),
        ("n_classes", 2.0, r"n_classes must be an integer >= 2, got 2\.0"),
        ("n_classes", 9, r"n_classes must be at most 8, got 9"),
        ("n_features", 1, r"n_features must be an integer >= 2, got 1"),
        ("n_features", "4", r"n_features must be an integer >= 2, got '4'"),
        ("noise", -0.1, r"noise must be a finite number >= 0, got -0\.1"),
        ("noise", np.nan, r"noise must be a finite number >= 0, got nan"),
        ("noise", np.inf, r"noise must be a finite number >= 0, got inf"),
        ("noise", "0.1", r"noise must be a finite number >= 0, got '0\.1'"),
        ("noise", True, r"noise must be a finite number >= 0, got True"),
    ],
)
def test_sines_arguments_are_checked(name, value, message):
    """Values outside the documented ranges raise and name what was given."""
    with pytest.raises(ValueError, match=message):
        make_switching_sines(5, **{name: value})
