"""Many small pieces of work, as many at a time as there are processors.

BLAS would share out each of their products, which are too small for it: its threads then wait for
each other longer than they work. So it is held to one thread, and pieces are shared out instead.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Piece = TypeVar("Piece")


def side_by_side(do: Callable[[Piece], object], pieces: Iterable[Piece]) -> None:
    """Do something with each piece, in no order; raises what the first that fails raises."""
    blas = ThreadpoolController().select(user_api="blas")
    threads = max((library["num_threads"] for library in blas.info()), default=1)
    with blas.limit(limits=1), ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(do, pieces):
            pass
