"""Runs that go together: a run and those of its sub-workflows. A fork goes by itself, and needs its past."""

from __future__ import annotations

from collections.abc import Iterable

from orchestration_kit.engine.ports import Clock
from orchestration_kit.errors import RunStateError, listed
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.loading import forked_from
from orchestration_kit.journal.port import Facts, Journal, Lease, RunQuery, StoredRun


def is_inner(facts: Facts) -> bool:
    """Whether a run is one of a sub-workflow: it has a parent, and shares nothing with it."""
    return facts.parent is not None and facts.forked_at is None


class Families:
    """Runs by the outermost run that they are inside of."""

    def __init__(self, runs: Iterable[StoredRun]) -> None:
        self._facts = {run.facts.run_id: run.facts for run in runs}
        self._members: dict[str, list[str]] = {}
        self._heads: dict[str, str] = {}
        for run_id in self._facts:
            head = self.head_of(run_id)
            self._members.setdefault(head, []).append(run_id)

    def head_of(self, run_id: str) -> str:
        """Return the outermost run; one whose parent is gone is on its own."""
        line = [run_id]
        while line[-1] not in self._heads:
            facts = self._facts[line[-1]]
            parent = facts.parent if is_inner(facts) else None
            if parent is None or parent not in self._facts or parent in line:
                self._heads[line[-1]] = line[-1]
                break
            line.append(parent)
        head = self._heads[line[-1]]
        self._heads.update(dict.fromkeys(line, head))
        return head

    def members(self, head: str) -> list[str]:
        """Return a run and all that are inside of it."""
        return self._members[head]

    def needed(self, going: set[str]) -> set[str]:
        """Return those heads among `going` whose families cannot go: a run that stays is a fork of one of theirs."""
        kept: set[str] = set()
        left = [run_id for head, members in self._members.items() if head not in going for run_id in members]
        while left:
            source = forked_from(self._facts[left.pop()])
            head = None if source is None or source not in self._facts else self._heads[source]
            if head is not None and head in going and head not in kept:
                kept.add(head)
                left += self._members[head]
        return kept

    def inside(self, run_id: str) -> list[str]:
        """Return a run and all runs that are inside of it, itself first."""
        found = [run_id]
        children: dict[str, list[str]] = {}
        for facts in self._facts.values():
            if is_inner(facts) and facts.parent is not None:
                children.setdefault(facts.parent, []).append(facts.run_id)
        seen = {run_id}
        for one in found:
            new = [child for child in children.get(one, ()) if child not in seen]
            seen.update(new)
            found += new
        return found


def delete_with_inner_runs(journal: Journal, run_id: str, *, clock: Clock | None = None) -> list[str]:
    """Delete a run and the runs of its sub-workflows; return their ids, none where there is no such run.

    Raises:
        RunStateError: forks share the past of one of them; nothing was deleted.
        RunLocked: somebody drives one of them; nothing was deleted.
    """
    stored = journal.find_run(run_id)
    if stored is None:
        return []
    runs = journal.find_runs(RunQuery())
    going = Families(runs).inside(run_id)
    doomed = set(going)
    forks = [one.facts.run_id for one in runs if forked_from(one.facts) in doomed and one.facts.run_id not in doomed]
    if forks:
        raise RunStateError(
            run_id, stored.standing.state, f"{listed(forks)} share its past", "Let go of the forks first."
        )
    leases: list[Lease] = []
    try:
        leases.extend(take(journal, one, clock=clock) for one in going)
        journal.delete(going)
    except BaseException:
        for lease in leases:
            journal.append(lease, (), {}, release=True)
        raise
    return going
