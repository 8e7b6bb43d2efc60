"""Where workers are called: here, on threads, in processes, on a Dask cluster. What comes back from afar is data."""

from orchestration_kit.executors.dask import DaskExecutor
from orchestration_kit.executors.errors import (
    ClusterLost,
    ExecutorClosed,
    MissingExecutorExtra,
    NotAtTheHub,
    NotSendable,
    ResourcesMissing,
    WorkerLost,
)
from orchestration_kit.executors.futures import FuturesExecutor
from orchestration_kit.executors.inline import InlineExecutor
from orchestration_kit.executors.local_cluster import local_cluster
from orchestration_kit.executors.processes import ProcessesExecutor
from orchestration_kit.executors.taking import as_executor
from orchestration_kit.executors.threads import ThreadsExecutor

__all__ = [
    "ClusterLost",
    "DaskExecutor",
    "ExecutorClosed",
    "FuturesExecutor",
    "InlineExecutor",
    "MissingExecutorExtra",
    "NotAtTheHub",
    "NotSendable",
    "ProcessesExecutor",
    "ResourcesMissing",
    "ThreadsExecutor",
    "WorkerLost",
    "as_executor",
    "local_cluster",
]
