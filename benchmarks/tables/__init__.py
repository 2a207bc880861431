"""Each table is a function of a plan that times its contenders."""

from tables.grid import grid
from tables.growth import growth, hidden
from tables.inference import one, predict, stream
from tables.memory import memory
from tables.ragged import ragged
from tables.start import imports, start
from tables.training import fit, overhead, skorch, step

_ALL = (
    *(fit, overhead, step, skorch, grid, ragged, predict, one, stream),
    *(imports, start, memory, growth, hidden),
)
TABLES = {table.__name__: table for table in _ALL}
DEFAULT = [name for name in TABLES if name != "step"]
