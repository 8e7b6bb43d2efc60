"""Laws of rows under branches: whatever the timing, what is written is what is read, and it folds to the same state."""

from __future__ import annotations

from random import Random

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from orchestration_kit import RunLimits
from orchestration_kit.engine.machine import Machine
from orchestration_kit.journal.fold import Fold
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.log import JournalLog
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.testing import FakeClock
from tests.journal.branched_runs import Driver, plan_of, workflow
from tests.journal.machine_state import state_of
from tests.laws import examples

# A smaller seed is no smaller run: nothing to shrink.
FEW = settings(max_examples=examples(150), deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def driven(seed: int, actions: int, **options) -> tuple[Driver, MemoryJournal]:
    """A run in a journal, driven in an order that the seed says."""
    draw, journal = Random(seed), MemoryJournal()
    plan = plan_of(workflow(draw))
    driver = Driver(draw, plan, lambda machine: JournalLog(journal, machine, FakeClock()), **options)
    driver.drive(actions)
    return driver, journal


@FEW
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_what_is_written_of_branches_is_what_is_read(seed, actions):
    driver, journal = driven(seed, actions)
    driver.log.sync()
    loaded = load_run(journal, "r")
    assert loaded.started == driver.machine.started
    written = driver.machine.arrivals()
    for at, (mine, theirs) in enumerate(zip(written, loaded.events, strict=True)):
        assert theirs == mine, f"row {at}"


@FEW
@example(
    1487, 125
)  # a join fails while an attempt of it is under way, and another join makes it unwanted until that ends
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_a_run_that_is_read_back_stands_where_it_stood(seed, actions):
    driver, journal = driven(seed, actions)
    driver.settle_unwanted()  # else they are under way here, and put aside there
    driver.log.sync()
    again = Machine(driver.machine.plan, RunLimits(), driver.machine.started)
    again.replay(load_run(journal, "r").events)
    assert state_of(again) == state_of(driver.machine)


@FEW
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_a_run_that_is_gone_on_with_elsewhere_writes_what_is_read(seed, actions):
    driver, journal = driven(seed, actions)
    driver.finish()
    loaded = load_run(journal, "r")
    driver.machine = Machine(driver.machine.plan, RunLimits(), loaded.started)
    driver.machine.replay(loaded.events)
    driver.log = JournalLog(journal, driver.machine, FakeClock(), stored=loaded.place)
    driver.under_way.clear()
    driver.drive(actions)
    driver.log.sync()
    assert load_run(journal, "r").events == driver.machine.arrivals()


@FEW
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_what_was_staged_and_not_used_is_not_written(seed, actions):
    driver, journal = driven(seed, actions)
    driver.log.stage("an output that came to nothing", "lost" * 20_000)
    driver.finish()
    assert not any(b"lostlost" in blob for blob in journal._blobs.values())


@FEW
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_of_an_interrupt_between_row_and_commit_nothing_is_left(seed, actions):
    """The fold takes the last event twice, as after an interrupt in the middle; nothing changes."""
    driver, _ = driven(seed, actions)
    driver.log.sync()
    events = driver.machine.arrivals()
    once, twice = Fold(driver.machine.started), Fold(driver.machine.started)
    for at, event in enumerate(events):
        once.take(event, at)
        twice.take(event, at)
        twice.take(event, at)
        assert known(twice) == known(once), f"row {at}"


def known(fold: Fold) -> object:
    """What a fold holds, to be compared."""
    scopes = {"": fold.root, **fold.scopes}
    return (
        {prefix: (one.data, one.input, one.output, one.workers, one.openers, one.written) for prefix, one in scopes.items()},
        {path: (one.keys, one.inputs, one.items, sorted(one.prefixes)) for path, one in fold.groups.items()},
        fold.at,
    )  # fmt: skip
