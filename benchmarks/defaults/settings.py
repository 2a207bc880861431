"""The settings that are compared: changes to one base."""

NEVER = 10**6
BASE = {
    "cell": "gru",
    "hidden_layer_sizes": (64,),
    "learning_rate": "onecycle",
    "learning_rate_init": 1e-2,
    "max_grad_norm": 1.0,
    "batch_size": 32,
    "max_iter": 50,
    "alpha": 1e-4,
    "tol": 1e-4,
    "n_iter_no_change": NEVER,
    "pooling": "last",
}
STOPPED = {"max_iter": 100, "n_iter_no_change": 10}


def _rates(schedule, *rates):
    return [{"learning_rate": schedule, "learning_rate_init": r} for r in rates]


def _each(name, *values):
    return [{name: value} for value in values]


RATES = [
    {},
    *_rates("onecycle", 3e-3, 2e-2, 4e-2),
    *_rates("cosine", 1e-3, 3e-3, 1e-2, 2e-2),
    *({**r, **STOPPED} for r in _rates("constant", 1e-3, 3e-3, 1e-2)),
    *({**r, **STOPPED} for r in _rates("adaptive", 3e-3, 1e-2)),
]

SHAPES = [
    {},
    *(
        {**shape, **rate}
        for shape in (
            *_each("cell", "lstm", "rnn"),
            *_each("hidden_layer_sizes", (32,), (128,), (64, 64)),
        )
        for rate in ({}, *_rates("onecycle", 2e-2), *_rates("cosine", 1e-2))
    ),
]

OTHERS = [
    {},
    *_each("batch_size", 16, 64, 128),
    *_each("max_grad_norm", None, 0.3, 5.0),
    *_each("max_iter", 25, 100, 200),
    *_each("alpha", 0.0, 1e-2),
    *_each("pooling", "mean"),
    *({"early_stopping": True, "n_iter_no_change": n} for n in (NEVER, 10)),
]

STOPPING = [
    {**rate, "max_iter": 100, "n_iter_no_change": n}
    for rate in ({}, *_rates("onecycle", 3e-3), *_rates("cosine", 3e-3, 1e-2))
    for n in (NEVER, 10)
]

FINALISTS = [
    {},
    *_each("max_iter", 100),
    *_rates("onecycle", 2e-2),
    *_rates("cosine", 1e-2),
    *({**r, **STOPPED} for r in _rates("constant", 1e-2)),
    *({**r, **STOPPED} for r in _rates("cosine", 3e-3)),
]

NAMELESS = ("cell", "learning_rate", "learning_rate_init")


def label(change):
    """A change of the base in words."""
    words = []
    for name, value in change.items():
        if name == "n_iter_no_change" and value == NEVER:
            words.append("no stop")
        else:
            words.append(str(value) if name in NAMELESS else f"{name}={value}")
    return " ".join(words) or "base"
