"""Forecast a day ahead, and say how sure the forecast is.

An hourly series has a daily rhythm, slow swings, and noise that grows with its level.
From three days of it, one network forecasts each of the next 24 hours by five
quantiles. On days that it has not seen, the share of values between two quantiles is
compared with the share that the quantiles promise.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNRegressor

PNG = Path(__file__).with_suffix(".png")
PAST, AHEAD = 72, 24
QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]


def make_series(n_days, rng):
    """Make an hourly series around 10, with a noise of 5 to 15 % of its level."""
    hours = np.arange(24 * n_days)
    rhythm = 1.0 + 0.4 * np.sin(2 * np.pi * hours / 24)
    swings = np.zeros(hours.size)
    for t in range(1, hours.size):
        swings[t] = 0.98 * swings[t - 1] + 0.03 * rng.standard_normal()
    level = 10.0 * rhythm * np.exp(swings)
    spread = 0.1 + 0.05 * np.sin(2 * np.pi * hours / 24)
    return level * np.exp(spread * rng.standard_normal(hours.size))


def make_windows(series):
    """Return the past, (n, 72), and the hours ahead, (n, 24), of each hour."""
    windows = np.lib.stride_tricks.sliding_window_view(series, PAST + AHEAD)
    return windows[:, :PAST], windows[:, PAST:]


def report_coverage(y, quantiles):
    for low, high in ((0, 4), (1, 3)):
        promised = QUANTILES[high] - QUANTILES[low]
        inside = (quantiles[..., low] <= y) & (y <= quantiles[..., high])
        print(
            f"between the quantiles {QUANTILES[low]} and {QUANTILES[high]}: "
            f"{inside.mean():.1%} of the values, {promised:.0%} promised"
        )


def plot_forecast(past, future, quantiles):
    fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    hours = np.arange(AHEAD)
    ax.plot(np.arange(-PAST, 0), past, color="0.4", label="past")
    ax.plot(hours, future, "k.", label="what came")
    low, lower, median, upper, high = quantiles.T
    ax.fill_between(hours, low, high, alpha=0.2, color="C0", label="90 %")
    ax.fill_between(hours, lower, upper, alpha=0.4, color="C0", label="50 %")
    ax.plot(hours, median, color="C0", label="median")
    ax.set(xlabel="hour", ylabel="value", title="A day ahead")
    ax.legend(loc="upper left", ncols=5, frameon=False)
    ax.set_ylim(0, 1.25 * max(past.max(), future.max(), high.max()))
    fig.savefig(PNG, dpi=150)


def main():
    series = make_series(120, np.random.default_rng(0)).astype(np.float32)
    n_train = 24 * 100
    mean, scale = series[:n_train].mean(), series[:n_train].std()
    X_train, y_train = make_windows((series[:n_train] - mean) / scale)
    X_test, y_test = make_windows((series[n_train:] - mean) / scale)

    rnn = RNNRegressor(
        loss="quantile",
        quantiles=QUANTILES,
        hidden_layer_sizes=32,
        max_iter=20,
        random_state=0,
    )
    rnn.fit(X_train, y_train)
    quantiles = rnn.predict(X_test)
    print(f"{len(X_train)} windows for training, {len(X_test)} for the test")
    print(f"predictions of shape {quantiles.shape}: windows, hours ahead, quantiles")
    report_coverage(y_test, quantiles)
    print("never crossing:", bool((np.diff(quantiles, axis=-1) >= 0).all()))

    plot_forecast(*(scale * part[0] + mean for part in (X_test, y_test, quantiles)))
    print(f"A forecast: {PNG}")


if __name__ == "__main__":
    main()
