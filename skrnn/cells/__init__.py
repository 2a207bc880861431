"""Recurrent cells: one file each, one line of `CELLS` each."""

from skrnn.cells.algebra import relu, sigmoid, tanh
from skrnn.cells.base import Cell
from skrnn.cells.check import check_cell
from skrnn.cells.gru import GRU
from skrnn.cells.indrnn import IndRNN
from skrnn.cells.lstm import LSTM
from skrnn.cells.mingru import MinGRU
from skrnn.cells.peephole_lstm import PeepholeLSTM
from skrnn.cells.rnn import RNN

CELLS = {
    "rnn": RNN,
    "lstm": LSTM,
    "gru": GRU,
    "mingru": MinGRU,
    "indrnn": IndRNN,
    "peephole_lstm": PeepholeLSTM,
}

__all__ = [
    "CELLS",
    "Cell",
    "GRU",
    "IndRNN",
    "LSTM",
    "MinGRU",
    "PeepholeLSTM",
    "RNN",
    "check_cell",
    "relu",
    "sigmoid",
    "tanh",
]
