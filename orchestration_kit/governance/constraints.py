"""The firewall between brain and hand: a plan goes in, a verdict comes out, and nothing is ever carried out here.

What no rule allows is denied, and so is what cannot be read, and what a rule fails over.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.governance.rules import KINDS, FunctionRule, InvalidRule, PlanRefused, Rule
from orchestration_kit.governance.rules.base import Past, Plan
from orchestration_kit.governance.rules.defaults import default_rules
from orchestration_kit.governance.rules.frozen import frozen
from orchestration_kit.governance.rules.plain import NotPlain, plain_plan, shown
from orchestration_kit.governance.rules.sequence import check_labels
from orchestration_kit.governance.verdict import WAYS, OnViolation, Verdict, Violation

if TYPE_CHECKING:
    from orchestration_kit.governance.sessions import ConstraintSession

_OWN = frozenset(KINDS.values())
_PLAN, _COVER = "plan", "deny by default"
"""Names under which the engine itself objects."""


class ConstraintEngine:
    """Judges plans by rules. It keeps nothing of them, and may be used by several threads at once.

    A plan is `{"action_type": ..., "action_data": {...}, "cost": USD}`, or an `Action`. It is approved if at least one
    rule allows actions of its type and none objects; the order of the rules makes no difference.

    >>> from orchestration_kit.governance.rules import CostRule, rule
    >>> @rule(covers=["wave"])
    ... def with_care(plan):
    ...     return None if plan["action_data"]["times"] < 3 else "that is too often"
    >>> engine = ConstraintEngine([with_care, CostRule(max_cost=0.1)])
    >>> engine.validate_plan({"action_type": "wave", "action_data": {"times": 2}, "cost": 0.0})
    Verdict(approved)
    >>> engine.validate_plan({"action_type": "wave", "action_data": {"times": 5}, "cost": 0.0})
    Verdict(denied, retry: with_care: that is too often.)
    >>> engine.validate_plan({"action_type": "shout", "action_data": {}, "cost": 0.0}).reason
    "deny by default: no rule allows actions of the type 'shout'. Allowed: wave."

    Args:
        rules: Rules (`orchestration_kit.governance.rules`), or functions that get a plan and return None, or what is
            wrong; such a function objects only, `@rule(covers=[...])` lets it allow, too.
        on_violation: What follows from a violation where its rule says nothing: `retry`, `ask` or `fail`.

    Raises:
        InvalidRule: something is no rule, two have one name, or one comes after a label that is misspelt.
    """

    def __init__(self, rules: Iterable[Rule | Callable[..., Any]] = (), *, on_violation: OnViolation = "retry") -> None:
        if on_violation not in WAYS:
            raise InvalidRule("engine", f"on_violation is {shown(on_violation)}", f"It is one of {listed(WAYS)}.")
        self.on_violation: OnViolation = on_violation
        self.rules: tuple[Rule, ...] = tuple(_as_rule(one) for one in rules)
        """In the order given."""
        names = [one.name for one in self.rules]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InvalidRule(twice[0], "there are two of this name", "Give one another: SqlRule(..., name='reports').")
        check_labels(self.rules)
        self._covered = _covered(self.rules)
        named = {kind for one in self.rules for kind in one.action_types or ()}
        self._by_type = {kind: _Applying(self.rules, kind) for kind in named}
        self._others = _Applying(self.rules, None)

    @classmethod
    def from_yaml(
        cls, source: str | os.PathLike[str], *, rules: Iterable[Rule | Callable[..., Any]] = ()
    ) -> ConstraintEngine:
        """Return an engine with the rules of a YAML text or file, and further ones.

        Raises:
            RuleFileError: it holds no rules.
        """
        from orchestration_kit.governance.rule_files import load_rules

        loaded = load_rules(source)
        return cls([*loaded.rules, *rules], on_violation=loaded.on_violation)

    def to_yaml(self) -> str:
        """Return the rules as YAML, which `from_yaml` reads back to the same.

        >>> from orchestration_kit.governance.rules import CostRule
        >>> engine = ConstraintEngine([CostRule(max_cost=0.1)])
        >>> print(engine.to_yaml(), end="")
        version: 1
        on_violation: retry
        rules:
        - kind: cost
          max_cost: 0.1
        >>> ConstraintEngine.from_yaml(engine.to_yaml()).rules == engine.rules
        True

        Raises:
            InvalidRule: one of them is a function.
        """
        from orchestration_kit.governance.rule_files import dump_rules

        return dump_rules(self.rules, self.on_violation)

    def with_rules(self, *rules: Rule | Callable[..., Any]) -> ConstraintEngine:
        """Return an engine that has these rules, too. One with the name of another takes its place.

        >>> from orchestration_kit.governance.rules import CostRule
        >>> ConstraintEngine([]).with_rules(CostRule(max_cost=0.1)).rules[0].name
        'cost'
        """
        added = {one.name: one for one in map(_as_rule, rules)}
        kept = [added.pop(one.name, one) for one in self.rules]
        return type(self)([*kept, *added.values()], on_violation=self.on_violation)

    @property
    def action_types(self) -> tuple[str, ...]:
        """The types of action that some rule allows."""
        return tuple(sorted(self._covered))

    def validate_plan(
        self, plan: Any, *, history: Sequence[Mapping[str, Any]] = (), now: float | None = None
    ) -> Verdict:
        """Judge a plan. It never raises: what cannot be judged is denied.

        Args:
            plan: The plan. It is copied first; `verdict.plan` is what was judged, and what is to be carried out.
            history: What was carried out before: `action_type`, `action_data`, `cost`, `at`, `labels` each.
            now: Seconds since 1970.
        """
        try:
            copied = plain_plan(plan)
        except NotPlain as error:
            return self._denied([Violation(_PLAN, error.reason, error.hint)], None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no plan
            reason = f"the plan cannot be read ({type(error).__name__[:80]})"
            return self._denied([Violation(_PLAN, reason, "Give plain data.")], None)
        kind = copied["action_type"]
        if kind not in self._covered:
            hint = f"Allowed: {listed(self.action_types)}.{did_you_mean(kind, self._covered)}"
            return self._denied([Violation(_COVER, f"no rule allows actions of the type {shown(kind)}", hint)], copied)
        past = Past(history, now)
        applying = self._by_type.get(kind, self._others)
        violations = self._judged(applying, copied, past)
        if not violations and applying.settling:
            settled, violations = self._settled(applying, copied, past)
            copied = settled if not violations else copied
        return self._denied(violations, copied) if violations else Verdict(approved=True, plan=copied)

    def checked(
        self, plan: Any, *, history: Sequence[Mapping[str, Any]] = (), now: float | None = None
    ) -> dict[str, Any]:
        """Return a plan as it may be carried out.

        Raises:
            PlanRefused: it may not.
        """
        verdict = self.validate_plan(plan, history=history, now=now)
        if verdict.plan is None or not verdict.approved:
            raise PlanRefused(verdict)
        return verdict.plan

    def labels_of(self, plan: Mapping[str, Any], result: Any = None) -> list[str]:
        """Return the labels that having carried out a plan puts on a run. A rule that fails labels, to be safe."""
        found: dict[str, None] = {}
        try:
            copied = plain_plan(dict(plan))
        except Exception:  # noqa: BLE001 - what cannot be read could be anything
            return list(dict.fromkeys(label for one in self.rules if (label := getattr(one, "label", None))))
        for one in self._by_type.get(copied["action_type"], self._others).labelling:
            try:
                labels = [str(label) for label in one.labels(copied, result)]
            except Exception:  # noqa: BLE001 - it may have been a secret
                labels = [str(getattr(one, "label", one.name))]
            found |= dict.fromkeys(labels)
        return list(found)

    def check_outcome(
        self, plan: Mapping[str, Any], result: Any, *, history: Sequence[Mapping[str, Any]] = ()
    ) -> Verdict:
        """Judge what came of a plan. It never raises: a result that cannot be looked through is denied."""
        try:
            copied = plain_plan(dict(plan))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no plan
            reason = f"the plan cannot be read ({type(error).__name__[:80]})"
            return self._denied([Violation(_PLAN, reason, "Give plain data.")], None)
        past = Past(history)
        violations: list[Violation] = []
        for one in self._by_type.get(copied["action_type"], self._others).judging:
            try:
                found = one.check_outcome(copied, result, past)
            except Exception as error:  # noqa: BLE001 - an error in a rule is a no
                found = [_failed(one, error)]
            violations += self._resolved(one, found)
        return self._denied(violations, copied) if violations else Verdict(approved=True, plan=copied)

    def session(self, *, clock: Callable[[], float] = time.time) -> ConstraintSession:
        """Return a session, which keeps the history itself: for use outside of runs."""
        from orchestration_kit.governance.sessions import ConstraintSession

        return ConstraintSession(self, clock=clock)

    def _judged(self, applying: _Applying, plan: Plan, past: Past) -> list[Violation]:
        violations: list[Violation] = []
        unchanging: Any = frozen(plan) if applying.has_foreign else None
        for one, is_own in applying.checking:
            try:
                found = one.check(plan if is_own else unchanging, past)
                if found:
                    violations += self._resolved(one, found)
            except Exception as error:  # noqa: BLE001 - an error in a rule is a no
                violations += self._resolved(one, [_failed(one, error)])
        return violations

    def _settled(self, applying: _Applying, plan: Plan, past: Past) -> tuple[Plan, list[Violation]]:
        """Return a plan as it is to be carried out, which is judged, too, where it is another."""
        try:
            data = _settle(applying, plan["action_data"])
            if data is plan["action_data"]:
                return plan, []
            settled = plain_plan({**plan, "action_data": data})
            if _settle(applying, settled["action_data"]) != settled["action_data"]:
                return plan, [Violation(_PLAN, "it means something else now", "", self.on_violation)]
        except Exception as error:  # noqa: BLE001 - an error in a rule is a no
            reason = f"it cannot be made ready ({type(error).__name__})"
            return plan, [Violation(_PLAN, reason, "", self.on_violation)]
        return settled, self._judged(applying, settled, past)

    def _resolved(self, by: Rule, found: Iterable[Violation]) -> list[Violation]:
        """Return violations that say what follows from each."""
        return [
            one
            if one.on_violation is not None
            else Violation(one.rule, one.message, one.hint, by.on_violation or self.on_violation)
            for one in found
        ]

    def _denied(self, violations: list[Violation], plan: Plan | None) -> Verdict:
        unread: OnViolation = "fail" if self.on_violation == "fail" else "retry"
        default = self.on_violation if plan is not None else unread  # nobody can approve what cannot be shown
        given = [
            one if one.on_violation is not None else Violation(one.rule, one.message, one.hint, default)
            for one in violations
        ]
        strictest = WAYS[max(WAYS.index(one.on_violation or default) for one in given)]
        return Verdict(approved=False, violations=tuple(given), on_violation=strictest, plan=plan)

    def __repr__(self) -> str:
        allowed = listed(self.action_types)
        return f"ConstraintEngine({len(self.rules)} rules; may be allowed: {allowed})"


class _Applying:
    """The rules for one type of action, ready to use; for None, those for the types that no rule names."""

    __slots__ = ("checking", "has_foreign", "judging", "labelling", "settling")

    def __init__(self, rules: Sequence[Rule], kind: str | None) -> None:
        mine = [one for one in rules if one.action_types is None or kind in one.action_types]
        self.checking = tuple((one, type(one) in _OWN) for one in mine if _does(one, "check"))
        self.has_foreign = not all(is_own for _, is_own in self.checking)
        self.settling = tuple(one for one in mine if _does(one, "settled"))
        self.labelling = tuple(one for one in mine if _does(one, "labels"))
        self.judging = tuple(one for one in mine if _does(one, "check_outcome"))


def _does(one: Rule, method: str) -> bool:
    return getattr(type(one), method) is not getattr(Rule, method)


def _settle(applying: _Applying, data: dict[str, Any]) -> dict[str, Any]:
    for one in applying.settling:
        data = one.settled(data)
    return data


def _covered(rules: Iterable[Rule]) -> frozenset[str]:
    found: set[str] = set()
    for one in rules:
        if one.grants:
            found |= set(one.action_types or ())
        if isinstance(one, FunctionRule):
            found |= set(one.covers)
    return frozenset(found)


def _failed(one: Rule, error: Exception) -> Violation:
    try:
        said = f"{type(error).__name__}: {error!s:.200}"
    except Exception:  # noqa: BLE001 - an error that cannot say what it is
        said = type(error).__name__
    return one.violation(f"the rule failed ({said}), and what it fails over is denied", "Mend the rule, or the plan.")


def _as_rule(one: Any) -> Rule:
    if isinstance(one, Rule):
        return one
    if isinstance(one, type) or not callable(one):
        hint = "Give SqlRule(...), CostRule(...) and so on, or functions."
        raise InvalidRule(shown(getattr(one, "__name__", type(one).__name__)), "it is no rule", hint)
    return FunctionRule(one)


def create_default_engine(  # noqa: PLR0913 - each is a thing that one wants to allow
    max_cost: float | None = 1.0,
    allowed_domains: Iterable[str] = (),
    *,
    root: str | os.PathLike[str] | None = None,
    temporary: str | os.PathLike[str] | None = None,
    tools: Any = (),
    commands: Mapping[str, Any] | None = None,
    max_total_cost: float | None = None,
    rules: Iterable[Rule | Callable[..., Any]] = (),
    on_violation: OnViolation = "retry",
) -> ConstraintEngine:
    """Return an engine with a rule for each of the known types of action. What it does not know, it denies.

    | action_type | action_data | approved |
    |---|---|---|
    | `sql_query` | `query`, `parameters` | one SELECT; texts it compares with are parameters |
    | `file_operation` | `operation`, `path`, `content` | `read` and `write` under `root` and a temporary folder |
    | `api_call` | `url`, `method`, ... | GET, HEAD and POST over http(s) to an allowed domain or its subdomains |
    | `send_email` | `to`, `subject`, `body`, `cc`, `bcc` | recipients in allowed domains only |
    | `shell_command` | `command` | nothing, until `commands` names programs and their arguments |
    | `tool_call` | `tool`, `arguments` | `calculate`, `get_current_time`, `string_length`, and `tools` |

    Keys and the like may not be in what is sent.

    >>> engine = create_default_engine(max_cost=0.5, allowed_domains=["example.com"])
    >>> data = {"url": "https://api.example.com/v1", "method": "GET"}
    >>> call = {"action_type": "api_call", "action_data": data, "cost": 0.1}
    >>> engine.validate_plan(call)
    Verdict(approved)
    >>> engine.validate_plan({**call, "cost": 3.0})
    Verdict(denied, retry: cost: it costs 3 USD, over 0.5 USD. Do less at a time.)

    Args:
        max_cost: What one action may cost, in USD; None is no cap.
        allowed_domains: For calls (with their subdomains) and for e-mail.
        root: The working folder; by default, the one where the process stands now.
        temporary: The other folder; by default, one of one's own within the system's, made if it is not there.
        tools: Further tools that may be called: names, or a dict from names to JSON Schemas of their arguments.
        commands: By program, the lists of arguments that it may get: see `CommandRule`.
        max_total_cost: What all actions of a run together may cost, in USD.
        rules: Further rules. One with the name of a default one (`sql`, `path`, `url`, `email`, `command`, `tool`,
            `cost`, `leak`) takes its place.
        on_violation: What follows from a violation: `retry`, `ask` or `fail`.

    Raises:
        InvalidRule: something given is wrong.
    """
    made = default_rules(
        max_cost=max_cost,
        max_total=max_total_cost,
        domains=allowed_domains,
        folders=(root, temporary),
        tools=tools,
        commands=commands or {},
    )
    return ConstraintEngine(made, on_violation=on_violation).with_rules(*rules)
