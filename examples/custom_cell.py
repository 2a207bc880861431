"""A recurrent cell of your own, searched over like any other parameter.

The minimal gated unit (Zhou, Wu, Zhang and Zhou, 2016) is a GRU with one gate instead
of two. It is written here in about twenty lines of element-wise algebra, its gradient
is checked, and a grid search compares it with the LSTM on strings of the embedded Reber
grammar: the second symbol has to be remembered until the last but one.
"""

import time

from sklearn.model_selection import GridSearchCV, train_test_split

from skrnn import Cell, RNNClassifier
from skrnn.cells import check_cell, sigmoid, tanh
from skrnn.datasets import make_reber


class MGU(Cell):
    """Minimal gated unit, with the gate after the recurrent product.

    ::

        f = sigmoid(W_if x_t + b_if + W_hf h_(t-1) + b_hf)
        n = tanh(W_in x_t + b_in + f (W_hn h_(t-1) + b_hn))
        h_t = (1 - f) h_(t-1) + f n
    """

    x_gates = h_gates = ("f", "n")
    taped = ("f", "n", "ah_n")

    @staticmethod
    def forward(ax, ah, carry, unit):
        f = sigmoid(ax[0] + ah[0])
        n = tanh(ax[1] + f * ah[1])
        return (carry[0] + f * (n - carry[0]),), (f, n, ah[1])

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        dh = d_carry[0]
        f, n, ah_n = tape
        da_n = dh * f * (1.0 - n * n)
        da_f = (dh * (n - carry[0]) + da_n * ah_n) * f * (1.0 - f)
        return (da_f, da_n), (da_f, da_n * f), (dh * (1.0 - f),), ()


def main():
    check_cell(MGU())
    print("The gradient of MGU agrees with central differences.")

    X, y = make_reber(1200, embedded=True, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    rnn = RNNClassifier(32, learning_rate_init=0.01, max_iter=30, random_state=0)
    search = GridSearchCV(rnn, {"cell": ["lstm", MGU()]}, cv=3, n_jobs=2)
    began = time.perf_counter()
    search.fit(X_train, y_train)

    print(f"\nGrid search: {time.perf_counter() - began:.0f} s")
    for cell, score in zip(
        search.cv_results_["param_cell"],
        search.cv_results_["mean_test_score"],
        strict=True,
    ):
        print(f"  {cell!s:6} cross-validated accuracy {score:.3f}")
    print(f"\nBest cell: {search.best_params_['cell']}")
    print(f"Accuracy on {len(X_test)} new strings: {search.score(X_test, y_test):.3f}")


if __name__ == "__main__":
    main()
