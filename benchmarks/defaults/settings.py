"""The settings that are compared: changes to one base."""

BASE = {
    "cell": "gru",
    "hidden_layer_sizes": (64,),
    "learning_rate": "onecycle",
    "learning_rate_init": 1e-2,
    "max_grad_norm": 1.0,
    "batch_size": 32,
    "max_iter": 100,
    "alpha": 1e-4,
    "tol": 1e-4,
    "n_iter_no_change": 10,
    "pooling": "last",
}
NEVER = 10**6


def _rates(schedule, *rates):
    return [{"learning_rate": schedule, "learning_rate_init": r} for r in rates]


RATES = [
    {},
    *_rates("onecycle", 1e-3, 3e-3, 2e-2),
    *_rates("cosine", 1e-3, 3e-3, 1e-2, 2e-2),
    *_rates("constant", 1e-3, 3e-3, 1e-2),
    *_rates("adaptive", 3e-3, 1e-2),
]

OTHERS = [
    {},
    *({"batch_size": n} for n in (16, 64, 128)),
    *({"max_grad_norm": norm} for norm in (None, 0.3, 5.0)),
    *({"max_iter": n} for n in (50, 200)),
    *({"hidden_layer_sizes": sizes} for sizes in ((32,), (128,), (64, 64))),
    *({"n_iter_no_change": n} for n in (5, 20, NEVER)),
    *({"tol": tol} for tol in (1e-3, 1e-5)),
    *({"alpha": alpha} for alpha in (0.0, 1e-2)),
    {"pooling": "mean"},
]

CELLS = [
    {"cell": cell, **rate}
    for cell in ("lstm", "rnn")
    for rate in ({}, *_rates("cosine", 1e-2, 3e-3), *_rates("onecycle", 3e-3))
]

STOPPING = [
    {**rate, "n_iter_no_change": n}
    for rate in ({}, *_rates("cosine", 1e-2, 3e-3))
    for n in (10, NEVER)
]

FINALISTS = [
    *({"max_iter": n, "n_iter_no_change": NEVER} for n in (50, 100)),
    *(
        {**rate, "max_iter": 50, "n_iter_no_change": NEVER}
        for rate in (*_rates("cosine", 1e-2), *_rates("onecycle", 2e-2))
    ),
]


def label(change):
    """A change of the base in words."""
    words = (f"{k}={'never' if v == NEVER else v}" for k, v in change.items())
    return " ".join(words) or "base"
