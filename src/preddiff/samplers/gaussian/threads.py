"""Threads for many small pieces of work."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Piece = TypeVar("Piece")


def for_each_in_threads(do: Callable[[Piece], object], pieces: Iterable[Piece]) -> None:
    """Do something with each piece, in no order; raise what the first that fails raises.

    As many pieces at a time are done as BLAS would use threads.
    """
    # BLAS would share out each product among its threads. Ours are too small for that (343×343):
    # the threads would wait for each other longer than they work. So it is held to one thread, and
    # pieces are shared out instead; numpy and LAPACK let go of the interpreter's lock meanwhile.
    blas = ThreadpoolController().select(user_api="blas")
    threads = max((library["num_threads"] for library in blas.info()), default=1)
    with blas.limit(limits=1), ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(do, pieces):
            pass
