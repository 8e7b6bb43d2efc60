"""What a run began with, to and from the header of its facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from orchestration_kit.engine.events import RunStarted
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.plan import Plan
from orchestration_kit.errors import NotSerializable
from orchestration_kit.journal import codec
from orchestration_kit.journal.chain import seal_facts
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.port import Facts
from orchestration_kit.journal.rows import Worker

_VERSION = 1
_KEPT = 64
_skeletons: dict[str, bytes] = {}
"""By plan fingerprint: the skeletons written last, as many runs share one."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a run began with."""

    started: RunStarted
    limits: RunLimits
    definition: dict[str, Any] | None
    """The workflow as plain data; None where it holds Python callables."""
    workers: dict[str, Worker]
    """By step."""


def workers_of(plan: Plan) -> dict[str, Worker]:
    """Return who works at each step."""
    return {
        step_id: (step.worker_name, step.worker_type, step.worker_fingerprint) for step_id, step in plan.steps.items()
    }


def facts_of(
    started: RunStarted, plan: Plan, limits: RunLimits, *, shared: int, put_blob: Callable[[bytes], str]
) -> Facts:
    """Return what is known of a run as it begins.

    Raises:
        NotRecordable: its initial data cannot be put on record; the entry is named.
    """
    data: list[Any] = []
    for key, value in started.data.items():
        data.append([codec.encode(key, "key"), codec.encode(value, f"initial data[{key!r}]", put_blob)])
    header = {
        "v": _VERSION,
        "goal": codec.encode(started.goal, "goal", put_blob),
        "fingerprint": started.fingerprint,
        "seed": codec.encode(started.seed, "seed"),
        "limits": asdict(limits),
        "skeleton": put_blob(_skeleton(plan)),
        "data": data,
    }
    facts = Facts(
        run_id=started.run_id,
        workflow=started.workflow,
        started_at=started.started_at,
        parent=started.parent,
        forked_at=started.forked_at,
        shared=shared,
        tags=dict(started.tags or {}),
        header=codec.dumps(header),
        check=b"",
    )
    return seal_facts(facts)


def header_of(facts: Facts, get_blob: Callable[[str], bytes | None]) -> Header:
    """Return what a run began with.

    Raises:
        JournalCorrupt: the header is not one that a journal writes.
        UnknownType: its initial data holds a value of a type that is not registered here.
    """
    try:
        header = codec.loads(facts.header, get_blob)
        if header["v"] != _VERSION:
            raise ValueError(f"its version is {header['v']!r}, and {_VERSION} is known here")
        content = get_blob(header["skeleton"])
        if content is None or codec.content_digest(content) != header["skeleton"]:
            raise ValueError("its workflow is missing, or damaged")
        skeleton = codec.loads(content)
        started = RunStarted(
            run_id=facts.run_id,
            workflow=facts.workflow,
            fingerprint=header["fingerprint"],
            goal=header["goal"],
            data=dict(header["data"]),
            seed=header["seed"],
            started_at=facts.started_at,
            parent=facts.parent,
            forked_at=facts.forked_at,
            tags=dict(facts.tags) or None,
        )
        workers: dict[str, Worker] = {step: (name, kind, code) for step, name, kind, code in skeleton["workers"]}
        return Header(started, RunLimits(**header["limits"]), skeleton["definition"], workers)
    except JournalCorrupt as error:
        raise JournalCorrupt(facts.run_id, error.reason) from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise JournalCorrupt(facts.run_id, f"its header cannot be read ({error})") from error


def _skeleton(plan: Plan) -> bytes:
    key = f"{plan.fingerprint}|{hash(tuple(workers_of(plan).items()))}"
    known = _skeletons.get(key)
    if known is None:
        try:
            definition = plan.definition.to_dict()
        except NotSerializable:
            definition = None
        workers = [[step, *worker] for step, worker in workers_of(plan).items()]
        skeleton = {"definition": definition, "workers": workers}
        known = codec.dumps(codec.encode(skeleton, "workflow"))
        while len(_skeletons) >= _KEPT:
            _skeletons.pop(next(iter(_skeletons)), None)
        _skeletons[key] = known
    return known
