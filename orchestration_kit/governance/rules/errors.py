"""What can go wrong with rules: what happened, what was possible, what to do.

```text
OrchestrationError
├── DefinitionError (ValueError)
│   ├── InvalidRule                    a rule, or a set of rules, as written, is wrong
│   └── RuleFileError                  text that holds no rules
├── MissingRulesExtra (ImportError)    sqlglot is not installed
└── PlanRefused (PermissionError)      a plan that may not be carried out
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.errors import DefinitionError, OrchestrationError

if TYPE_CHECKING:
    from orchestration_kit.governance.verdict import Verdict


class InvalidRule(DefinitionError):
    """A rule as written is wrong."""

    def __init__(self, rule: str, reason: str, hint: str) -> None:
        super().__init__(rule, reason, hint)
        self.rule, self.reason, self.hint = rule, reason, hint

    def __str__(self) -> str:
        return f"The rule {self.rule!r} cannot be used: {self.reason}. {self.hint}"


class RuleFileError(DefinitionError):
    """Text that cannot be read as rules; nothing was made of it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"These are no rules: {self.reason}. {self.hint}"


class MissingRulesExtra(OrchestrationError, ImportError):
    """The rule for SQL needs sqlglot, and it is not installed."""

    def __init__(self, library: str = "sqlglot") -> None:
        super().__init__(library)
        self.library = library

    def __str__(self) -> str:
        return (
            f"The rule for SQL needs {self.library!r}, which is not installed. "
            "Install it with: pip install 'orchestration-kit[rules]'"
        )


class PlanRefused(OrchestrationError, PermissionError):
    """A plan may not be carried out. `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict

    def __str__(self) -> str:
        return f"The action was refused, and not carried out:\n{self.verdict.reason}"
