"""What crosses on the way to a worker elsewhere and back: its code as a pickle, all else, there and back, as data.

Code is pickled by cloudpickle, so that functions of a notebook travel by value, once for each worker and run. The
input, the data bus and the facts of the visit are written by the journal's codec, and so is what comes back: results
are decoded, never unpickled.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.acting import services_of
from orchestration_kit.engine.groups import is_in_map, item_of
from orchestration_kit.engine.outcome import Action, Failure, Spawn
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.executors.answers import error_again
from orchestration_kit.executors.away import call_worker
from orchestration_kit.executors.errors import MissingExecutorExtra, NotSendable
from orchestration_kit.journal import codec
from orchestration_kit.journal.cassette.errors_again import RecordedError
from orchestration_kit.journal.codec.registry import lookup_any
from orchestration_kit.journal.errors import NotRecordable
from orchestration_kit.journal.visible_types import register_visible

if TYPE_CHECKING:
    from orchestration_kit.engine.calls import BoundWorker
    from orchestration_kit.engine.context import WorkflowContext

Send = Callable[[Callable[..., bytes], tuple[bytes, ...]], bytes]
"""Has a function of a module called elsewhere."""

SMALL_BYTES = 4_096
"""Parts up to here are sent every time."""
MAX_KEPT = 128
"""Large values that are kept as they are sent, for the next call."""
MAX_ROUNDS = 8
"""How often a call is sent for want of something."""
_TYPES = re.compile(rb'"\$(?:enum|model|dataclass|namedtuple)":\["((?:[^"\\]|\\.)*)"')


class Answer:
    """What came of a call."""

    def __init__(self, worker: BoundWorker, found: dict[str, Any]) -> None:
        self._worker, self._found = worker, found
        self.pieces: list[Any] = [_decoded(worker, piece) for piece in found["pieces"]]
        """What the worker yielded."""

    def finish(self, context: WorkflowContext) -> Any:
        """Put on the hub's context what the worker had put on its own; return what it returned, or raise its error."""
        found = self._found
        if "usage" in found:
            context.add_usage(**self._decoded(found["usage"]))
        if "lessons" in found:
            context.note_lessons([self._decoded(one) for one in found["lessons"]])
        if "error" in found:
            kind, message, bases, is_final, where = self._decoded(found["error"])
            raise error_again(RecordedError(kind, message, tuple(bases), is_final), where)
        output = self._output()
        for item in found.get("added", ()):
            context.add_item(self._decoded(item))
        if "changes" in found:
            keys, values = found["changes"]
            for key, value in zip(map(self._decoded, keys), values, strict=False):
                context.data[key] = self._decoded(value)
            for key in keys[len(values) :]:
                context.data.pop(self._decoded(key), None)
        return output

    def _output(self) -> Any:
        kind, value = self._found["kind"], self._decoded(self._found["value"])
        if kind == "output":
            return value
        if kind == "failure class":
            return Failure
        if kind == "failed":
            raise Failure(*value)
        if kind == "spawn":
            return Spawn(WorkflowDefinition.from_json(value[0]), *value[1:])
        return Failure(*value) if kind == "failure" else Action(*value)

    def _decoded(self, plain: Any) -> Any:
        return _decoded(self._worker, plain)


class Sender:
    """Writes calls of a hub's workers, and reads what came of them."""

    def __init__(self) -> None:
        try:
            import cloudpickle
        except ImportError as error:
            raise MissingExecutorExtra(
                "An executor whose calls leave this process", "cloudpickle", "processes"
            ) from error
        self._dumps: Callable[[Any], bytes] = cast("Any", cloudpickle).dumps
        self._lock = threading.Lock()
        self._code: OrderedDict[int, tuple[Any, str, bytes]] = OrderedDict()
        """By identity of a worker's function: itself, for which run it was pickled, and the pickle."""
        self._types: dict[tuple[type, ...], bytes] = {}
        self._kept: OrderedDict[int, tuple[Any, Any, dict[str, bytes]]] = OrderedDict()
        """By identity of a large value: itself, how it is written, and its parts."""
        self._there: set[str] = set()
        """Parts that some machine has."""
        self._asked: dict[str, set[str]] = {}
        """What workers asked for, by name: it is sent along from then on."""

    def send(self, worker: BoundWorker, given: Any, context: WorkflowContext, send: Send) -> Answer:
        """Have a worker called, and return what came of it.

        Raises:
            NotSendable: its code, or what it is given, cannot leave this process.
        """
        included: set[str] = set()
        head, parts = self._written(worker, given, context)
        for _ in range(MAX_ROUNDS):
            sent = {
                digest: content
                for digest, content in parts.items()
                if len(content) <= SMALL_BYTES or digest in included or digest not in self._there
            }
            found = msgspec.json.decode(send(call_worker, (head, *sent.values())))
            if "lacks" in found:
                included.update(found["lacks"])
            elif "asks" in found:
                self._asked.setdefault(worker.name, set()).add(found["asks"])
                head, parts = self._written(worker, given, context)
            else:
                self._there.update(sent)
                return Answer(worker, found)
        reason = f"it was sent {MAX_ROUNDS} times, and a machine lacks something of it each time"
        raise NotSendable(f"What worker {worker.name!r} is given", reason, "Give it less: that is more than is kept.")

    def _written(self, worker: BoundWorker, given: Any, context: WorkflowContext) -> tuple[bytes, dict[str, bytes]]:
        """Return a call as bytes, and the parts that it needs."""
        letter = _Letter(self)
        code = letter.keep(self._pickled(worker, context.workflow_id))
        step = context.current_step
        body: dict[str, Any] = {
            "worker": letter.plain(worker.name, "the name of a worker"),
            "step": letter.plain(step, "the id of a step"),
            "takes_context": worker.takes_context,
            "is_generator": worker.is_generator,
            "may_ask": worker.idempotent,
            "code": code,
            "given": letter.plain(given, f"the input of step {step!r}"),
            "facts": self._facts(letter, worker, context),
        }
        content = codec.dumps(body)
        types = self._pickled_types(content, letter)
        named = codec.dumps({"types": None if types is None else letter.keep(types), "needs": list(letter.parts)})
        return content[:-1] + b"," + named[1:], letter.parts

    def _facts(self, letter: _Letter, worker: BoundWorker, context: WorkflowContext) -> dict[str, Any]:
        machine: Any = context._machine  # noqa: SLF001
        visit = context._visit  # noqa: SLF001
        if visit is None:
            hint = "Call worker.executor(...) to try it by hand."
            raise NotSendable(f"A call of worker {worker.name!r}", "it belongs to no run", hint)
        started, scope = machine.started, visit.scope
        item = item_of(scope)
        return {
            "run": letter.plain(
                {
                    "run_id": started.run_id,
                    "workflow": started.workflow,
                    "goal": started.goal,
                    "seed": started.seed,
                    "started_at": started.started_at,
                    "depth": started.depth,
                    "steps": machine.recorded,
                },
                "the run",
            ),
            "visit": letter.plain(
                {
                    "step": visit.step.step_id,
                    "scope": scope.prefix,
                    "branch": scope.key,
                    "number": visit.number,
                    "attempt": visit.attempt,
                    "started_at": visit.started_at,
                    "last_error": visit.last_error and list(visit.last_error),
                    "in_map": is_in_map(scope),
                },
                "the visit",
            ),
            "data": [[letter.plain(key, "a key"), letter.entry(key, value)] for key, value in list(scope.data.items())],
            "item": None if item is None else letter.plain(item, f"the item of branch {scope.key!r}"),
            "past": self._past(letter, worker, context),
        }

    def _past(self, letter: _Letter, worker: BoundWorker, context: WorkflowContext) -> dict[str, Any]:
        asked = self._asked.get(worker.name, set())
        past: dict[str, Any] = {"has_constraints": services_of(context).gate is not None}
        if "outputs" in asked or not worker.idempotent:
            last: dict[str, Any] = {}
            for record in context._seen():  # noqa: SLF001
                last.pop(record.worker_type, None)  # the last one last
                last[record.worker_type] = record.output
            past["outputs"] = letter.plain([[kind, output] for kind, output in last.items()], "an earlier output")
        if "history" in asked:
            past["history"] = letter.plain(context.history, "the history of the run")
        return past

    def _pickled(self, worker: BoundWorker, run_id: str) -> bytes:
        key = id(worker.call)
        with self._lock:
            known = self._code.get(key)
        if known is not None and known[1] == run_id:
            return known[2]
        register_visible([worker.call])
        try:
            content = self._dumps(worker.call)
        except Exception as error:
            reason = f"{type(error).__name__}: {error!s:.300}"
            hint = (
                "Make what it holds (a client, a lock, an open file) within the worker when it is called; or keep it "
                "at the hub: WorkerDefinition(..., at_hub=True)."
            )
            raise NotSendable(f"The code of worker {worker.name!r}", reason, hint) from error
        with self._lock:
            self._code[key] = (worker.call, run_id, content)
            self._code.move_to_end(key)
            while len(self._code) > MAX_KEPT:
                self._code.popitem(last=False)
        return content

    def _pickled_types(self, content: bytes, letter: _Letter) -> bytes | None:
        names = {name for text in (content, *letter.parts.values()) for name in _TYPES.findall(text)}
        if not names:
            return None
        known = {name: lookup_any(name) for name in sorted(msgspec.json.decode(b'"%s"' % one) for one in names)}
        types = {name: cls for name, cls in known.items() if cls is not None}
        key = tuple(types.values())
        if key not in self._types:
            try:
                self._types[key] = self._dumps(types)
            except Exception as error:
                reason = f"{type(error).__name__}: {error!s:.300}"
                hint = "Define them in a module that every machine has."
                raise NotSendable(f"The types {', '.join(types)}", reason, hint) from error
        return self._types[key]

    def kept(self, value: Any) -> tuple[Any, dict[str, bytes]] | None:
        """Return how a large value was written before, and its parts."""
        with self._lock:
            known = self._kept.get(id(value))
            return None if known is None else (known[1], known[2])

    def keep(self, value: Any, plain: Any, parts: dict[str, bytes]) -> None:
        """Keep how a large value is written. What is on record does not change."""
        with self._lock:
            self._kept[id(value)] = (value, plain, parts)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)


class _Letter:
    """A call that is being written, and the parts that it needs."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.parts: dict[str, bytes] = {}

    def keep(self, content: bytes) -> str:
        """Take a part along."""
        digest = codec.content_digest(content)
        self.parts[digest] = content
        return digest

    def plain(self, value: Any, what: str) -> Any:
        """Return a value as plain data, its large parts aside.

        Raises:
            NotSendable: it is no data.
        """
        try:
            return codec.encode(value, what, self.keep)
        except NotRecordable as error:
            hint = "Give plain data; or keep the worker at the hub: WorkerDefinition(..., at_hub=True)."
            raise NotSendable(what[:1].upper() + what[1:], f"it is no plain data ({error})", hint) from error

    def entry(self, key: str, value: Any) -> list[Any]:
        """Return an entry of the data bus; what is no data is missed where a worker looks at it."""
        known = self._sender.kept(value)
        if known is not None:
            self.parts |= known[1]
            return [known[0]]
        parts: dict[str, bytes] = {}

        def keep(content: bytes) -> str:
            digest = codec.content_digest(content)
            parts[digest] = content
            return digest

        try:
            plain = codec.encode(value, f"data[{key!r}]", keep)
        except NotRecordable as error:
            return [None, f"it is no plain data: {error.reason}"]
        if parts:
            self._sender.keep(value, plain, parts)
            self.parts |= parts
        return [plain]


def _decoded(worker: BoundWorker, plain: Any) -> Any:
    try:
        return codec.decode(plain)
    except OrchestrationError as error:
        what = f"What worker {worker.name!r} gave"
        raise NotSendable(what, f"it cannot be read here ({error})", "Register its types here, too.") from error
