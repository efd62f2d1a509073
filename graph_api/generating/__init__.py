"""Made-up data, as much of it as is wanted: to play with, to test, and to measure.

It is what a year leaves behind, in the import format, and the same for the same seed.
It is written by the importer, so that its log is as complete as any; later states of
the same things are imported over the first, and become the log's updates.
"""

from graph_api.generating.filling import fill
from graph_api.generating.sizes import Sizes

__all__ = ["Sizes", "fill"]
