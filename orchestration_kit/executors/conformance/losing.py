"""A machine is lost with what it was at: made again where that may be, else an error that says so."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_kit.engine.executor_port import Executor
from orchestration_kit.executors.conformance import calls
from orchestration_kit.executors.conformance.making import PATIENCE_S, Made, a_call
from orchestration_kit.executors.errors import WorkerLost


class Losing(Made):
    """Calls that end their process."""

    def test_a_lost_call_that_may_repeat_is_made_again(self, executor: Executor, tmp_path: Path) -> None:
        self._needs_losses()
        mark = tmp_path / "mark"
        future = executor.submit(a_call(calls.die_until, str(mark), 2))
        assert future.result(PATIENCE_S) == b"at last"
        assert len(mark.read_bytes().splitlines()) == 3

    def test_a_call_that_ends_every_machine_ends_in_worker_lost(self, executor: Executor, tmp_path: Path) -> None:
        self._needs_losses()
        mark = tmp_path / "mark"
        error = executor.submit(a_call(calls.note_and_die, str(mark))).exception(PATIENCE_S)
        assert isinstance(error, WorkerLost)
        assert not error.is_final, "a step may try again"
        assert 2 <= len(mark.read_bytes().splitlines()) <= 5, "it is not made for ever"

    def test_a_call_that_may_not_repeat_is_begun_once_and_ends_in_worker_lost(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        self._needs_losses()
        mark = tmp_path / "mark"
        error = executor.submit(a_call(calls.note_and_die, str(mark), may_repeat=False)).exception(PATIENCE_S)
        assert isinstance(error, WorkerLost)
        assert error.is_final, "no step tries again what must not be repeated"
        assert mark.read_bytes() == b"begun\n"

    def test_a_call_that_may_not_repeat_is_made(self, executor: Executor, tmp_path: Path) -> None:
        mark = tmp_path / "mark"
        calls_of = [a_call(calls.note, str(mark), str(number), may_repeat=False) for number in range(10)]
        futures = [executor.submit(call) for call in calls_of]
        assert [future.result(PATIENCE_S) for future in futures] == [str(number).encode() for number in range(10)]
        assert sorted(mark.read_bytes().split()) == [str(number).encode() for number in range(10)]

    def test_others_are_made_after_a_loss(self, executor: Executor, tmp_path: Path) -> None:
        self._needs_losses()
        lost = executor.submit(a_call(calls.note_and_die, str(tmp_path / "mark"), may_repeat=False))
        futures = [executor.submit(a_call(calls.echo, str(number).encode())) for number in range(20)]
        assert [future.result(PATIENCE_S) for future in futures] == [str(number).encode() for number in range(20)]
        assert isinstance(lost.exception(PATIENCE_S), WorkerLost)

    def _needs_losses(self) -> None:
        if not self.loses_machines:
            pytest.skip("it loses no machines, or all is lost with one")
