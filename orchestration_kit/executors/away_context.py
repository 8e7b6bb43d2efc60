"""A worker's context where an executor calls it: the same answers as at the hub, as far as they were sent along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NoReturn, cast

from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.data import DataView
from orchestration_kit.engine.events import ErrorInfo, HistoryEntry, RunStarted
from orchestration_kit.engine.notes import Notes
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.engine.values import isolate
from orchestration_kit.engine.visits import Scope, Visit
from orchestration_kit.executors.errors import NotAtTheHub

_plain: Any = dict
_look, _write = _plain.get, _plain.__setitem__

Decode = Callable[[Any], Any]


class AskedFor(BaseException):
    """Leads out of a worker that asks for what was not sent along; it is called again with that."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class _Sealed:
    """An entry of the data bus that nobody has looked at yet."""

    __slots__ = ("decode", "plain", "refused")

    def __init__(self, entry: list[Any], decode: Decode) -> None:
        self.plain, self.refused, self.decode = entry[0], entry[1] if len(entry) > 1 else None, decode


class AwayData(DataView):
    """The data bus as it was sent: each entry is read when somebody looks at it."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        value = _look(self, key)
        if isinstance(value, _Sealed):
            if value.refused is not None:
                hint = "Put what it is made of on the data bus, or give it through the worker's input_transformer."
                raise NotAtTheHub(f"data[{key!r}] ({value.refused})", hint)
            opened = value.decode(value.plain)
            self._base[key] = opened
            _write(self, key, opened)
        return super().__getitem__(key)

    def copy(self) -> dict[str, Any]:
        """Return a plain dict that shares nothing with the bus."""
        return {key: isolate(self[key]) for key in self}


class AwayContext(WorkflowContext):
    """What a worker sees of its run, away from the hub.

    Actions are returned instead of asked for with `act`; lessons are given by way of an input transformer. Whatever a
    worker changes reaches the hub when it has returned.
    """

    __slots__ = ("_asks", "_in_map", "_item", "_past")

    def __init__(self, facts: Mapping[str, Any], decode: Decode, *, may_ask: bool) -> None:
        run, visit = decode(facts["run"]), decode(facts["visit"])
        super().__init__(run["run_id"], run["goal"])
        started = RunStarted(
            run["run_id"], run["workflow"], "", run["goal"], {}, run["seed"], run["started_at"], depth=run["depth"]
        )
        machine = cast("Any", self._machine)
        machine.started, machine.recorded = started, run["steps"]
        machine.state, machine.current_step = WorkflowState.IN_PROGRESS, visit["step"]
        step = SimpleNamespace(step_id=visit["step"], output_key=f"{visit['step']}_output")
        scope = Scope(visit["scope"], {}, {}, None, visit["branch"])
        self._visit = Visit(scope, cast("Any", step), visit["number"], None)
        self._visit.attempt, self._visit.started_at = visit["attempt"], visit["started_at"]
        self._visit.last_error = None if visit["last_error"] is None else ErrorInfo(*visit["last_error"])
        self._notes = Notes()
        self._notes.view = AwayData({decode(key): _Sealed(entry, decode) for key, entry in facts["data"]})
        self._item = None if facts["item"] is None else decode(facts["item"])
        self._in_map = bool(visit["in_map"])
        self._past = {name: decode(plain) for name, plain in facts["past"].items()}
        self._asks = may_ask

    @property
    def item(self) -> Any:
        """What the branch that the visit is in began with, e.g. the item of a map; None in the run itself."""
        return isolate(self._item)

    def add_item(self, item: Any) -> None:
        """Add an item to the map that this visit is in; raises as `WorkflowContext.add_item` does."""
        if not self._in_map:
            super().add_item(item)
        notes = self._more
        notes.added = [*(notes.added or ()), item]

    def get_last_output(self, worker_type: str | None = None) -> Any:
        """Return the last output on record, or the last of one worker type; None where there is none."""
        outputs: list[list[Any]] = self._from_past("outputs", "Give the output through the worker's input_transformer.")
        found = (output for kind, output in reversed(outputs) if worker_type in (None, kind))
        return isolate(next(found, None))

    @property
    def history(self) -> list[HistoryEntry]:
        """One entry per attempt, in order."""
        return isolate(self._from_past("history", "Give what is needed of it through the worker's input_transformer."))

    def _from_past(self, what: str, hint: str) -> Any:
        if what in self._past:
            return self._past[what]
        if self._asks:
            raise AskedFor(what)
        raise NotAtTheHub("The history of the run", f"{hint} (A worker that is idempotent is called again with it.)")

    @property
    def workflow(self) -> NoReturn:
        """Not here."""
        raise NotAtTheHub("context.workflow", _STAY)

    @property
    def has_wisdom(self) -> bool:
        """False: lessons are at the hub."""
        return False

    @property
    def has_constraints(self) -> bool:
        """Whether the hub asks a constraint engine before an action happens."""
        return bool(self._past.get("has_constraints"))

    @property
    def wisdom(self) -> NoReturn:
        """Not here."""
        hint = (
            "Give lessons through the worker's input_transformer: lambda given, context: context.wisdom.search(...). "
        )
        raise NotAtTheHub("context.wisdom", hint + _STAY)

    def act(self, action: Any, perform: Any = None) -> NoReturn:  # noqa: ARG002 - as at the hub
        """Not here: return the action."""
        raise NotAtTheHub("context.act(...)", f"Return the action: the hub carries it out. {_STAY}")

    async def aact(self, action: Any, perform: Any = None) -> NoReturn:
        """Not here: return the action."""
        self.act(action, perform)


_STAY = "Or keep the worker there: WorkerDefinition(..., at_hub=True)."
