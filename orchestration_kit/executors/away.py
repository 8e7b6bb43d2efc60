"""The far end: a worker's call, as bytes, becomes what came of it, as bytes. Runs where an executor calls workers."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from orchestration_kit.engine.outcome import Action, Failure, Spawn
from orchestration_kit.engine.values import isolate
from orchestration_kit.executors.answers import where_from
from orchestration_kit.executors.away_context import AskedFor, AwayContext
from orchestration_kit.executors.errors import NotSendable
from orchestration_kit.executors.parts import Parts
from orchestration_kit.journal import codec
from orchestration_kit.journal.cassette.errors_again import describe

_PARTS = Parts()
"""What this process has been sent."""


def call_worker(head: bytes, *parts: bytes) -> bytes:
    """Call a worker, and return what came of it; or what is lacking for that, or what the worker asks for.

    Args:
        head: What is called with what, as `remote.py` writes it.
        parts: What it needs that may not be here.
    """
    for content in parts:
        _PARTS.put(codec.content_digest(content), content)
    call = msgspec.json.decode(head)
    lacks = _PARTS.lacks(call["needs"])
    if lacks:
        return codec.dumps({"lacks": lacks})
    return codec.dumps(_Made(call).answer())


class _Made:
    """A call, and what it leaves."""

    def __init__(self, call: dict[str, Any]) -> None:
        self.call = call
        self.parts = _PARTS.take(call["needs"])
        self.where = f"step {self.decode(call['step'])!r}"
        self.pieces: list[Any] = []
        self.context: AwayContext | None = None

    def decode(self, plain: Any) -> Any:
        return codec.decode(plain, self.parts.__getitem__)

    def answer(self) -> dict[str, Any]:
        try:
            worker = self.loaded()
            context = self.context = AwayContext(self.call["facts"], self.decode, may_ask=self.call["may_ask"])
            given = self.decode(self.call["given"])
            result = worker(given, context) if self.call["takes_context"] else worker(given)
            if self.call["is_generator"]:
                result = self.collected(result)
            return {**self.output(result), **self.changes(context), **self.notes(), "pieces": self.pieces}
        except AskedFor as asked:
            return {"asks": asked.what}
        except Failure as failure:
            told = self.told(failure.output, f"the output of {self.where}")
            reason = codec.encode(failure.reason, "a reason")
            return {"kind": "failed", "value": [reason, told], **self.notes(), "pieces": self.pieces}
        except BaseException as error:  # noqa: BLE001 - raised again at the hub
            told = codec.encode([*describe(error), where_from(error)], "an error")
            return {"error": told, **self.notes(), "pieces": self.pieces}

    def loaded(self) -> Any:
        """Return the worker's function, with the types of what it is given known."""
        name = self.decode(self.call["worker"])

        def load(digest: str, what: str) -> Any:
            import cloudpickle

            try:
                return cloudpickle.loads(self.parts[digest])
            except Exception as error:
                reason = f"it cannot be loaded there ({type(error).__name__}: {error})"
                hint = (
                    "Install what is missing on every machine, in the same version; a module of your own can be sent "
                    "along: cloudpickle.register_pickle_by_value(module)."
                )
                raise NotSendable(f"{what} of worker {name!r}", reason, hint) from error

        types = self.call["types"]
        if types is not None:

            def register() -> Any:
                known = load(types, "A type in the input")
                for type_name, cls in known.items():
                    codec.register_type(cls, type_name)
                return known

            _PARTS.loaded(types, register)
        code = self.call["code"]
        return _PARTS.loaded(code, lambda: load(code, "The code"))

    def collected(self, result: Any) -> Any:
        try:
            while True:
                self.pieces.append(self.told(next(result), f"a piece of the output of {self.where}"))
        except StopIteration as stop:
            return stop.value
        finally:
            result.close()

    def told(self, value: Any, what: str) -> Any:
        return codec.encode(isolate(value), what)

    def output(self, result: Any) -> dict[str, Any]:
        what = f"the output of {self.where}"
        if result is Failure:
            return {"kind": "failure class", "value": None}
        if isinstance(result, Failure):
            return {"kind": "failure", "value": self.told([result.reason, result.output], what)}
        if isinstance(result, Action):
            told = self.told([result.action_type, result.action_data, result.cost], f"the action of {self.where}")
            return {"kind": "action", "value": told}
        if isinstance(result, Spawn):
            given = result.input_or(_SAME)
            told = [] if given is _SAME else [given]
            return {
                "kind": "spawn",
                "value": self.told([result.workflow.to_json(), *told], f"what {self.where} spawned"),
            }
        return {"kind": "output", "value": self.told(result, what)}

    def changes(self, context: AwayContext) -> dict[str, Any]:
        found = context.data.changes()
        if found is None:
            return {}
        updated = {key: self.told(value, f"data[{key!r}] of {self.where}") for key, value in found.updated.items()}
        plain_keys = [self.told(key, "a key of the data bus") for key in (*updated, *found.removed)]
        return {"changes": [plain_keys, list(updated.values())]}

    def notes(self) -> dict[str, Any]:
        notes = None if self.context is None else self.context._notes  # noqa: SLF001 - a context of ours
        if notes is None:
            return {}
        left: dict[str, Any] = {}
        if notes.usage is not None:
            left["usage"] = self.told(notes.usage, "what was used")
        if notes.added:
            left["added"] = [self.told(item, f"an item that {self.where} added") for item in notes.added]
        if notes.lessons:
            left["lessons"] = [self.told(lesson, "the id of a lesson") for lesson in notes.lessons]
        return left


_SAME: Any = cast("Any", object())
