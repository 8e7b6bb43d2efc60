"""A Dask cluster on this machine, for a notebook or a test: closed to others, quiet, and gone when it is left."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestration_kit.executors.errors import MissingExecutorExtra
from orchestration_kit.executors.window import checked_resources, checked_slots

if TYPE_CHECKING:
    from distributed import Client


@contextmanager
def local_cluster(
    workers: int = 2,
    *,
    threads: int = 1,
    resources: Mapping[str, float] | None = None,
    dashboard: bool = False,
) -> Generator[Client]:
    """Start a cluster on this machine, and end it at the end of the block.

    Nobody but this machine reaches it. In a script, start it under `if __name__ == "__main__":`, as its processes
    import the script.

    ```python
    with local_cluster(workers=2) as client:
        hub = Orchestrator(executor=DaskExecutor(client))
    ```

    >>> with local_cluster(workers=1) as client:
    ...     client.submit(str.upper, "hello").result()
    'HELLO'

    Args:
        workers: How many processes.
        threads: How many calls each makes at once.
        resources: What each of them offers, e.g. `{"GPU": 1}`.
        dashboard: Whether to serve Dask's dashboard, to this machine alone; `client.dashboard_link` says where.

    Raises:
        MissingExecutorExtra: Dask is not installed.
        RuntimeError: it is called while a script is imported by a process of a cluster.
    """
    try:
        import dask.config
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingExecutorExtra("local_cluster", "distributed", "dask") from error
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RuntimeError(f"A process of local_cluster() imports the script that calls it. {_GUARD}")
    options: dict[str, Any] = {"resources": checked_resources(resources)} if resources else {}
    kinds: Any = LocalCluster
    # A worker that was lost comes back by its nanny. Dask looks once, some time after, and gives up both where it
    # happens to be lost again just then.
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "365 days"}):
        try:
            cluster = kinds(
                n_workers=checked_slots(workers, "workers"),
                threads_per_worker=checked_slots(threads, "threads"),
                processes=True,
                host="127.0.0.1",
                # Without the dashboard, too, the scheduler listens for HTTP: here alone, and where nobody else does.
                scheduler_kwargs={"dashboard": dashboard, "dashboard_address": "127.0.0.1:0"},
                worker_dashboard_address=None,
                silence_logs=logging.CRITICAL,
                **options,
            )
        except RuntimeError as error:
            error.add_note(_GUARD)
            raise
        with cluster, Client(cluster, set_as_default=False) as client:
            yield client


_GUARD = 'In a script, local_cluster() has to be called under: if __name__ == "__main__":'
