"""The kinds of rules a constraint engine knows. Each is data, and can be written to a file; functions are rules, too.

```text
grant, and object               only object
SqlRule      sql_query          CostRule      what it costs
PathRule     file_operation     RateRule      how many in a time
UrlRule      api_call           LeakRule      keys and personal data in what is sent
EmailRule    send_email         SequenceRule  after a label, no more
CommandRule  shell_command      OutcomeRule   what came of it
ToolRule     tool_call          LabelRule     labels the run; denies nothing
FunctionRule as it says
```
"""

from __future__ import annotations

from orchestration_kit.governance.rules.amounts import CostRule, RateRule
from orchestration_kit.governance.rules.base import Past, Rule
from orchestration_kit.governance.rules.commands import CommandRule
from orchestration_kit.governance.rules.errors import InvalidRule, MissingRulesExtra, PlanRefused, RuleFileError
from orchestration_kit.governance.rules.functions import FunctionRule, rule
from orchestration_kit.governance.rules.leaks import LeakRule, OutcomeRule
from orchestration_kit.governance.rules.mail import EmailRule
from orchestration_kit.governance.rules.opening import open_checked
from orchestration_kit.governance.rules.paths import PathRule
from orchestration_kit.governance.rules.sequence import LabelRule, SequenceRule
from orchestration_kit.governance.rules.sql import SqlRule
from orchestration_kit.governance.rules.tools import ToolRule
from orchestration_kit.governance.rules.urls import UrlRule

KINDS: dict[str, type[Rule]] = {
    one.kind: one
    for one in (
        SqlRule, PathRule, UrlRule, EmailRule, CommandRule, ToolRule, CostRule, RateRule, LeakRule, LabelRule,
        SequenceRule, OutcomeRule,
    )
}  # fmt: skip
"""What can stand in a file, by its name there."""

__all__ = [
    "KINDS",
    "CommandRule",
    "CostRule",
    "EmailRule",
    "FunctionRule",
    "InvalidRule",
    "LabelRule",
    "LeakRule",
    "MissingRulesExtra",
    "OutcomeRule",
    "Past",
    "PathRule",
    "PlanRefused",
    "RateRule",
    "Rule",
    "RuleFileError",
    "SequenceRule",
    "SqlRule",
    "ToolRule",
    "UrlRule",
    "open_checked",
    "rule",
]
