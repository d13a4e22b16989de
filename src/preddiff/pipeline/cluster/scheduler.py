"""From a word on the command line to a client of a Dask cluster."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from preddiff.errors import SettingError, first_line

if TYPE_CHECKING:
    from distributed import Client

_SECONDS_TO_ANSWER = 5.0
_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://.+")
_EXPECTED = "local:N with a number of workers, or an address such as tcp://10.0.0.1:8786"


@contextmanager
def connected(scheduler: str | None, file: Path | None) -> "Iterator[Client | None]":
    """Yield a client of the cluster that is meant; None where none is.

    Parameters
    ----------
    scheduler : local:N, which is started, on the loopback interface only; or the address of one.
    file : that a scheduler wrote (`dask scheduler --scheduler-file`).

    Raises
    ------
    SettingError
        If there is none, or it does not answer.
    """
    if scheduler is None and file is None:
        yield None
        return
    if scheduler is not None and file is not None:
        raise SettingError("--scheduler, --scheduler-file: expected one of them; leave out one")
    local = re.fullmatch(r"local:([1-9]\d{0,3})", scheduler or "")
    if scheduler is not None and local is None and not _ADDRESS.fullmatch(scheduler):
        raise SettingError(f"--scheduler {scheduler!r}: expected {_EXPECTED}")
    if file is not None and not file.is_file():
        raise SettingError(
            f"--scheduler-file {file}: no such file; it is written by "
            "`dask scheduler --scheduler-file FILE`"
        )
    try:
        import distributed
    except ImportError:
        raise SettingError(
            "--scheduler: needs Dask; install it with pip install 'preddiff[cluster]'"
        ) from None
    # What Dask logs, of connections that come and go, is no message to a user of commands.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if local is not None:
        with _started(int(local[1])) as cluster, distributed.Client(cluster) as client:
            yield client
        return
    with _answering(scheduler, file) as client:
        yield client


@contextmanager
def _started(workers: int) -> Iterator[object]:
    """Yield a cluster on this machine: one process with one thread per worker.

    With more threads of libraries than processors, workers would wait for each other.
    """
    import dask
    from distributed import LocalCluster

    # Dask lets workers give every freed megabyte back at once, which networks take again with the
    # next operation: with this they take twice as long.
    own = {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None}
    with (
        dask.config.set(own),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster


def _answering(scheduler: str | None, file: Path | None) -> "Client":
    from distributed import Client

    try:
        if file is not None:
            return Client(scheduler_file=os.fspath(file), timeout=_SECONDS_TO_ANSWER)
        return Client(scheduler, timeout=_SECONDS_TO_ANSWER)
    except Exception as error:
        given = f"--scheduler {scheduler}" if file is None else f"--scheduler-file {file}"
        raise SettingError(
            f"{given}: no scheduler answers there ({first_line(error)}); start one with "
            "`dask scheduler`, or use --scheduler local:2"
        ) from error
