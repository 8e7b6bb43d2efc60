"""What the conformance tests of executors are made of."""
# ruff: noqa: S101 - they assert

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestration_kit.engine.executor_port import Call, Executor
from orchestration_kit.executors.conformance import calls

MakeExecutor = Callable[[], Executor]

PATIENCE_S = 30.0
"""How long a result may take at most."""

_serial = itertools.count(1)


def a_call(
    function: Callable[..., Any],
    *arguments: Any,
    key: str | None = None,
    resources: Mapping[str, float] | None = None,
    may_repeat: bool = True,
) -> Call:
    """Return a call with a key of its own."""
    return Call(
        key=key or f"conformance/{os.getpid()}/{next(_serial)}",
        function=function,
        arguments=arguments,
        resources=resources or {},
        may_repeat=may_repeat,
    )


class Door:
    """A folder that calls wait at until there are tokens in it, and what they write down before."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark = folder, folder / "begun"
        self.mark.touch()
        self._tokens = itertools.count()

    def call(self, **options: Any) -> Call:
        """Return a call that waits here."""
        return a_call(calls.wait_at_door, str(self.folder), **options)

    @property
    def begun(self) -> int:
        """How many calls were begun."""
        return len(self.mark.read_bytes().splitlines())

    def await_begun(self, count: int) -> None:
        """Wait until so many calls are at the door."""
        deadline = time.monotonic() + PATIENCE_S
        while self.begun < count:
            assert time.monotonic() < deadline, f"{self.begun} of {count} calls were begun"
            time.sleep(0.005)

    def open(self, count: int) -> None:
        """Let so many calls through."""
        for _ in range(count):
            (self.folder / f"token-{next(self._tokens)}").touch()


class Made:
    """An executor to test: what every group of tests starts from."""

    is_concurrent = True
    """Whether `submit` returns before its call is over."""
    withdraws = True
    """Whether a call that was not begun can be withdrawn: some pools hand out those that come next."""

    def await_known(self, executor: Executor, count: int) -> None:
        """Wait until the machines know of exactly so many calls: overridden where word takes time."""

    loses_machines = False
    """Whether a call that ends its process is noticed, and made again where it may be."""

    @pytest.fixture(scope="class")
    @classmethod
    def make_executor(cls) -> MakeExecutor:
        """Return what makes an executor of at least two slots: to be overridden."""
        raise NotImplementedError(
            "Override the fixture make_executor: it returns a function that makes an executor of at least two slots."
        )

    @pytest.fixture(scope="class")
    @classmethod
    def executor(cls, make_executor: MakeExecutor) -> Iterator[Executor]:
        """Make an executor for all tests that leave it open, and close it."""
        executor = make_executor()
        yield executor
        executor.close()

    @pytest.fixture
    def door(self, tmp_path: Path) -> Door:
        """Return a door that is shut."""
        return Door(tmp_path)
