"""One run of a set is made where an executor has it made: by a hub in memory, whose record is what goes back.

This is what another process calls. It knows the set by its parcel, which it is sent when it has not seen it yet.
"""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.journal.families import Families
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.scale.crates import packed

if TYPE_CHECKING:
    from orchestration_kit.scale.plan import Planned, SetPlan

PARCEL_WANTED = b""
"""Comes back where the parcel was not sent, and is not known."""
_KEPT = 4
_kits: OrderedDict[str, dict[str, Any]] = OrderedDict()
"""By digest: what was in the parcels of the sets seen last."""
_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class Order:
    """What one run begins with."""

    run_id: str
    workflow: str
    goal: str
    data: dict[str, Any]
    seed: int
    tags: dict[str, str]


def order_of(plan: SetPlan, run: Planned, goal: str, data: dict[str, Any]) -> bytes:
    """Return what one run begins with, as bytes."""
    order = Order(run.run_id, plan.workflow, goal, data, plan.seed_of(run), plan.tags(run))
    try:
        return pickle.dumps(order)
    except Exception:  # noqa: BLE001 - of a class of a notebook, say: cloudpickle takes more
        import cloudpickle

        return cast("Any", cloudpickle).dumps(order)


def make_run(digest: str, parcel: bytes, order: bytes) -> bytes:
    """Make a run, and return its record and those of the runs within it; `PARCEL_WANTED` where the set is not known.

    Args:
        digest: Of the parcel.
        parcel: What all runs of the set need; empty where it was sent before.
        order: What this one begins with.
    """
    kit = _kit(digest, parcel)
    if kit is None:
        return PARCEL_WANTED
    wanted: Order = pickle.loads(order)  # noqa: S301 - of the hub, as the function that is called is
    journal = MemoryJournal()
    hub = Orchestrator(limits=kit["limits"], journal=journal, redact=kit["redact"], spawn_checks=kit["spawn_checks"])
    hub.register_all_of(kit["known"])
    run = hub.start(wanted.workflow, wanted.goal, wanted.data, run_id=wanted.run_id, seed=wanted.seed, tags=wanted.tags)
    run.run(progress=False)
    run.put_on_record()
    inside = Families(journal.find_runs(RunQuery())).inside(wanted.run_id)
    return packed([journal.whole(run_id) for run_id in inside])


def _kit(digest: str, parcel: bytes) -> dict[str, Any] | None:
    with _turn:
        kit = _kits.get(digest)
        if kit is None and parcel:
            kit = _kits[digest] = _opened(parcel)
            while len(_kits) > _KEPT:
                _kits.popitem(last=False)
        elif kit is not None:
            _kits.move_to_end(digest)
        return kit


def _opened(parcel: bytes) -> dict[str, Any]:
    kit: dict[str, Any] = pickle.loads(parcel)  # noqa: S301 - of the hub, as above
    known = kit["known"] = Orchestrator(redact=False)
    for worker in kit["workers"]:
        known.register_worker(worker)
    for workflow in kit["workflows"]:
        known.register_workflow(workflow)
    return kit
