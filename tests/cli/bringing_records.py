"""What brings about the errors of journals, cassettes, datasets and sets of runs."""

from __future__ import annotations

from orchestration_kit import (
    Dataset,
    Rubric,
    WorkflowStep,
    cassette,
    run_many,
)
from orchestration_kit.executors.errors import ExecutorClosed
from orchestration_kit.journal import MemoryJournal
from orchestration_kit.journal.codec.registry import TypeChanged
from orchestration_kit.journal.codec.writing import Refused
from orchestration_kit.journal.errors import (
    JournalCorrupt,
    JournalVersion,
    LeaseLost,
    RunLocked,
    UnknownType,
)
from orchestration_kit.scale.errors import NotMadeElsewhere, RunSetBusy, RunSetChanged
from tests.cli.bringing import brings, hub_of, of, publish, write


@brings("JournalError")
def _journal():
    return LeaseLost("tuesday")


@brings("JournalUnavailable")
def _unavailable():
    journal = MemoryJournal()
    journal.close()
    return journal.find_run("tuesday")


@brings("JournalCorrupt")
def _corrupt():
    return JournalCorrupt("tuesday", "the checksum of row 3 does not fit")


@brings("JournalVersion")
def _version():
    return JournalVersion(
        "/home/ada/photos.db",
        "it is an SQLite database of another program",
        "Choose another path; nothing in it was changed.",
    )


@brings("RunLocked")
def _locked():
    hint = (
        "Wait until it is done, or stop it, and try again. Should it hang: try again after 10 s; "
        "a holder that gives no sign of life for that long loses the run."
    )
    return RunLocked("tuesday", "process 4711 on ada-laptop", hint)


@brings("LeaseLost")
def _lease():
    return LeaseLost("tuesday")


@brings("UnknownType")
def _type():
    return UnknownType("shop.Orders", "pydantic model", ["orchestration_kit.WorkerType", "shop.Customer", "shop.Order"])


@brings("TypeChanged")
def _type_changed():
    return TypeChanged("shop.Order", "dataclass", "the field 'currency' is new, and has no plain default")


@brings("Refused")
def _refused():
    return Refused("a lock", "it belongs to this process", "Keep what it protects.")


@brings("CassetteError")
def _cassette():
    return cassette("tape.yaml", mode="repaly")


@brings("CassetteMiss")
def _miss():
    hub = hub_of(of(WorkflowStep(step_id="write", worker_type="writer", is_terminal=True)), writer=write)
    with cassette("tape.yaml", mode="auto"):
        hub.execute_workflow("publish", "A slogan", verbose=False)
    with cassette("tape.yaml", mode="replay"):
        return hub.execute_workflow("publish", "A poem", verbose=False)


@brings("GoalsError")
def _goals():
    return run_many("publish", "A slogan", hub=hub_of(publish()), progress=False)


@brings("RunSetChanged")
def _set_changed():
    return RunSetChanged("night", {"night/3": "goal 'A poem', not 'A slogan'"}, 1)


@brings("WorkflowTaken")
def _taken():
    other = of(WorkflowStep(step_id="write", worker_type="writer", is_terminal=True))
    return run_many(other, ["A slogan"], hub=hub_of(publish()), progress=False)


@brings("NotMadeElsewhere")
def _elsewhere():
    return NotMadeElsewhere("a cassette", "Make the runs here, or close the cassette.")


@brings("RunSetBusy")
def _busy():
    return RunSetBusy("night")


@brings("ExecutorClosed")
def _closed():
    return ExecutorClosed("ThreadsExecutor")


@brings("DatasetError")
def _dataset():
    return Dataset([{"input": "Ada", "expeced": "Hello, Ada!"}])


@brings("RubricError")
def _rubric():
    return Rubric({"correct": "yes"})
