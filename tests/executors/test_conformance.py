"""The conformance suite, run on the executors of one machine."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from orchestration_kit.executors import FuturesExecutor, InlineExecutor, ProcessesExecutor, ThreadsExecutor
from orchestration_kit.executors.conformance import ExecutorConformance


class TestInline(ExecutorConformance):
    is_concurrent = False

    @pytest.fixture(scope="class")
    @classmethod
    def make_executor(cls):
        return InlineExecutor


class TestThreads(ExecutorConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def make_executor(cls):
        return lambda: ThreadsExecutor(3)


class TestProcesses(ExecutorConformance):
    loses_machines = True

    @pytest.fixture(scope="class")
    @classmethod
    def make_executor(cls):
        return lambda: ProcessesExecutor(2)


class TestThreadPool(ExecutorConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def make_executor(cls):
        with ThreadPoolExecutor(3) as pool:
            yield lambda: FuturesExecutor(pool)


@pytest.fixture(scope="module")
def process_pool():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("forkserver")) as pool:
        yield pool


class TestProcessPool(ExecutorConformance):
    withdraws = False

    @pytest.fixture(scope="class")
    @classmethod
    def make_executor(cls, process_pool):
        return lambda: FuturesExecutor(process_pool)
