"""What comes before the arithmetic: token ids, long tables, and large vocabularies."""

import argparse
import statistics
import warnings
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
from timing import clock, paired_ratio, take_turns

from skrnn import RNNClassifier
from skrnn.preprocessing import TokenEncoder, sequences_from_frame

VOCABULARIES = (1_000, 100_000)


def zipf_ids(n_ids, n_texts, rng):
    """Texts of 10 to 30 token ids, each as frequent as one over its rank."""
    shares = np.cumsum(1.0 / np.arange(1, n_ids - 1))
    lengths = rng.integers(10, 31, n_texts)
    places = rng.uniform(0.0, shares[-1], lengths.sum())
    ids = 2 + np.searchsorted(shares, places)
    ids[0] = n_ids - 1  # the vocabulary ends with the largest id
    return np.split(ids, np.cumsum(lengths)[:-1])


def vocabulary(scale, rounds):
    """Seconds of a fit for each size of vocabulary, on texts of the same lengths."""
    n_texts = int(4_000 * scale)
    fits = {}
    for n_ids in VOCABULARIES:
        rng = np.random.default_rng(0)
        X = zipf_ids(n_ids, n_texts, rng)
        model = RNNClassifier(64, embedding_dim=64, max_iter=3, random_state=0)
        fits[n_ids] = partial(model.fit, X, np.arange(n_texts) % 4)
        fits[n_ids]()
    return take_turns({n: partial(clock, fit) for n, fit in fits.items()}, rounds)


def conversions(scale, rounds):
    """Seconds to make ids of sentences, and sequences of the rows of a table."""
    rng = np.random.default_rng(0)
    n_sentences, n_rows = int(100_000 * scale), int(1_000_000 * scale)
    ids = zipf_ids(20_000, n_sentences, rng)
    texts = [" ".join(f"word{i}" for i in text) for text in ids]
    columns = {
        "device": rng.integers(0, n_rows // 50, n_rows),
        "time": rng.permutation(n_rows),
        **{name: rng.normal(size=n_rows) for name in "abc"},
    }
    frames = {"pandas": pd.DataFrame(columns), "polars": pl.DataFrame(columns)}
    encode = TokenEncoder(min_df=2).fit_transform
    measures = {f"TokenEncoder, {n_sentences:,} sentences": partial(encode, texts)}
    for name, frame in frames.items():
        convert = partial(sequences_from_frame, frame, by="device", sort="time")
        measures[f"sequences_from_frame, {n_rows:,} rows, {name}"] = convert
    timed = {name: partial(clock, convert) for name, convert in measures.items()}
    return take_turns(timed, rounds)


def main():
    """Print all times."""
    options = parse()
    warnings.simplefilter("ignore")
    samples = vocabulary(options.scale, options.rounds)
    few, many = (samples[n] for n in VOCABULARIES)
    for n_ids, seconds in samples.items():
        print(f"fit, vocabulary of {n_ids:,}: {statistics.median(seconds):.2f} s")
    print(f"ratio: {paired_ratio(many, few):.3f}")
    for name, seconds in conversions(options.scale, options.rounds).items():
        print(f"{name}: {statistics.median(seconds):.2f} s")


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the data")
    parser.add_argument("--rounds", type=int, default=5, help="samples of each figure")
    return parser.parse_args()


if __name__ == "__main__":
    main()
