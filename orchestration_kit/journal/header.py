"""What a run began with, to and from the header of its facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from orchestration_kit.engine.events import RunStarted
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.plan import Plan
from orchestration_kit.journal import codec
from orchestration_kit.journal.chain import seal_facts
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.port import Facts
from orchestration_kit.journal.skeleton import Skeleton, read_skeleton, skeleton_of

_VERSION = 1
_LIMITS = tuple(field.name for field in fields(RunLimits))


@dataclass(frozen=True, slots=True)
class Header:
    """What a run began with."""

    started: RunStarted
    limits: RunLimits
    skeleton: Skeleton


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
    header: dict[str, Any] = {
        "v": _VERSION,
        "goal": codec.encode(started.goal, "goal", put_blob),
        "fingerprint": started.fingerprint,
        "seed": codec.encode(started.seed, "seed"),
        "limits": {name: getattr(limits, name) for name in _LIMITS},
        "skeleton": put_blob(skeleton_of(plan)),
        "data": data,
    }
    if started.input is not None:
        header["input"] = [codec.encode(started.input[0], "input", put_blob)]
    if started.depth:
        header["depth"] = started.depth
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
        if not (type(header["goal"]) is type(header["fingerprint"]) is str and type(header["seed"]) in (int, str)):
            raise TypeError("its goal, fingerprint or seed is of another type")
        if not (type(header.get("input", [])) is list and type(header.get("depth", 0)) is int):
            raise TypeError("its input or depth is of another type")
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
            input=None if "input" not in header else (header["input"][0],),
            depth=header.get("depth", 0),
        )
        return Header(started, RunLimits(**header["limits"]), read_skeleton(header["skeleton"], get_blob))
    except JournalCorrupt as error:
        raise JournalCorrupt(facts.run_id, error.reason) from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise JournalCorrupt(facts.run_id, f"its header cannot be read ({error})") from error
