"""From a table of events to who will leave: a DataFrame goes in, ragged and with gaps.

The data are generated. Each row is a visit of a customer to a shop on the web: the day,
the channel, the pages seen, and a rating that most visits come without. Customers who
will leave come less and less often and rate lower towards the end; how many visits they
have in all says nothing. Some households have several customers, who share a fate more
often than not, so cross-validation keeps households together.
"""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skrnn import RNNClassifier
from skrnn.preprocessing import PerStep, TimeSinceObserved, sequences_from_frame

CHANNELS = np.array(["app", "mail", "web"])


def make_visits(household, customer, leaves, rng):
    """Make the visits of one customer: a row for each, in no order."""
    n = rng.integers(8, 30)
    progress = np.linspace(0, 1, n)
    days = np.cumsum(rng.exponential(3 + 4 * leaves * progress))
    rating = 4 - 1.5 * leaves * progress + rng.normal(0, 1, n)
    visits = pd.DataFrame(
        {
            "household": household,
            "customer": customer,
            "day": days,
            "channel": rng.choice(CHANNELS, n),
            "pages": rng.poisson(6, n),
            "rating": np.where(rng.random(n) < 0.3, rating, np.nan),
            "left": int(leaves),
        }
    )
    return visits.sample(frac=1, random_state=int(rng.integers(2**31)))


def make_events(n_households=200, seed=0):
    rng = np.random.default_rng(seed)
    tables = []
    for household in range(n_households):
        leaves = rng.random() < 0.5
        for customer in range(rng.integers(1, 4)):
            own = leaves if rng.random() < 0.8 else not leaves
            tables.append(make_visits(household, customer, own, rng))
    return pd.concat(tables, ignore_index=True)


def add_days_since_last_visit(events):
    events = events.sort_values("day")
    gap = events.groupby(["household", "customer"])["day"].diff().fillna(0)
    return events.assign(gap=gap)


def make_model():
    columns = ColumnTransformer(
        [
            ("channel", OneHotEncoder(), ["channel"]),
            ("numbers", "passthrough", ["pages", "gap", "rating"]),
        ]
    )
    rnn = RNNClassifier(
        (16,), pooling="mean", learning_rate_init=0.01, max_iter=15, random_state=0
    )
    return make_pipeline(
        PerStep(columns),
        TimeSinceObserved(),
        PerStep(SimpleImputer(add_indicator=True)),
        PerStep(StandardScaler()),
        rnn,
    )


def main():
    events = add_days_since_last_visit(make_events())
    X, y, groups = sequences_from_frame(
        events,
        by=["household", "customer"],
        sort="day",
        columns=["channel", "pages", "gap", "rating"],
        target="left",
        as_frames=True,
    )
    lengths = [len(x) for x in X]
    print(f"{len(events)} visits of {len(X)} customers, generated")
    print(f"{min(lengths)} to {max(lengths)} visits each; {y.mean():.0%} have left")
    print(f"{events['rating'].isna().mean():.0%} of the ratings are missing\n")

    folds = GroupKFold(5)
    model = make_model()
    scores = cross_val_score(model, X, y, groups=groups, cv=folds, scoring="roc_auc")
    print("ROC AUC in folds that share no household:")
    print("  " + "  ".join(f"{score:.3f}" for score in scores))
    print(f"  mean {scores.mean():.3f}")


if __name__ == "__main__":
    main()
