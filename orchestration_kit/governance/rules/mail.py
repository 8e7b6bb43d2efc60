"""The rule for `send_email`: recipients in allowed domains only, and nothing that adds others.

An address is held against a strict pattern: no quoted names before the @, no comments, no groups, no routes (`a%b@c`,
`a!b@c`), as mail servers differ on those (RFC 5322, sections 3.4 and 4.4). Line breaks in headers add recipients
(OWASP: Input Validation, and IMAP/SMTP Injection; CWE-93), and a lone dot on a line ends a message (SMTP smuggling,
Timo Longin, 2023).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from orchestration_kit.errors import listed
from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.hosts import domain, host_problem, is_within
from orchestration_kit.governance.rules.plain import shown
from orchestration_kit.governance.verdict import Violation

MAX_RECIPIENTS = 100
MAX_SUBJECT = 500
MAX_BODY = 500_000
_LOCAL = r"[A-Za-z0-9_](?:[A-Za-z0-9_+'-]|\.(?!\.)){0,63}"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL}(?<!\.))@(?P<domain>[^@\s]+)", re.ASCII)
_NAMED = re.compile(r"(?P<name>[^<>@,;:\"()\[\]\\=]{0,100})<(?P<address>[^<>]+)>")
_FIELDS = ("to", "cc", "bcc", "reply_to")
_KNOWN = (*_FIELDS, "subject", "body")


@dataclass(frozen=True)
class EmailRule(Rule):
    """Lets e-mail go to allowed domains.

    `action_data` is `to` (an address, several with commas, or a list), `subject` and `body`; `cc`, `bcc` and `reply_to`
    may be there, and are held to the same. Attachments are not known.

    >>> rule = EmailRule(domains=["example.com"])
    >>> data = {"to": "ann@example.com, bob@evil.com", "subject": "Hello", "body": "..."}
    >>> print(rule.check({"action_type": "send_email", "action_data": data, "cost": 0.0}, Past())[0])
    email: the recipient 'bob@evil.com' is in no allowed domain. Allowed: example.com.
    """

    kind: ClassVar[str] = "email"
    grants: ClassVar[bool] = True

    domains: tuple[str, ...] = ()
    """Allowed domains."""
    subdomains: bool = False
    """Whether addresses in their subdomains are allowed, too."""
    max_recipients: int = MAX_RECIPIENTS
    extra_keys: tuple[str, ...] = ()
    """Further keys of `action_data` that may be there, unchecked."""
    action_types: tuple[str, ...] | None = field(default=("send_email",), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.keep("extra_keys", self.texts("extra_keys"))
        try:
            self.keep("domains", tuple(domain(one) for one in self.texts("domains")))
        except ValueError as error:
            raise self.invalid(str(error).removesuffix("."), "For example: allowed_domains=['example.com'].") from None
        self.number("max_recipients", least=1)

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what is wrong with an e-mail; the first thing is enough."""
        del past
        data = plan["action_data"]
        if found := self.missing_or_extra(data, ("to", "subject", "body"), (*_KNOWN, *self.extra_keys)):
            return found
        found = self._recipients(data) or self._subject(data["subject"]) or self._body(data["body"])
        return () if found is None else (found,)

    def _recipients(self, data: dict[str, Any]) -> Violation | None:
        count = 0
        for key in _FIELDS:
            given = data.get(key)
            if given is None and key != "to":
                continue
            several = cast("list[Any]", given) if type(given) is list else [given]
            if key == "to" and not several:
                return self.violation("there is no recipient", "Give at least one in to.")
            for one in several:
                if type(one) is not str:
                    return self.violation(f"{key} holds {type(one).__name__}", "Give addresses as texts.")
                if len(one) > 400 * self.max_recipients:
                    return self.violation(
                        f"{key} is too long", f"At most {self.max_recipients} recipients are allowed."
                    )
                for address in re.split("[,;]", one):
                    count += 1
                    if (found := self._address(address)) is not None:
                        return found
        if count > self.max_recipients:
            return self.violation(f"there are {count} recipients", f"At most {self.max_recipients} are allowed.")
        return None

    def _address(self, text: str) -> Violation | None:
        hint = "Write ann@example.com, or Ann <ann@example.com>."
        if not _is_one_line(text):
            return self.violation(f"the recipient {shown(text)} holds what has no place in a header", hint)
        stripped = text.strip(" ")
        named = _NAMED.fullmatch(stripped)
        match = _ADDRESS.fullmatch(named["address"] if named is not None else stripped)
        if match is None:
            return self.violation(f"{shown(text)} is no plain address", hint)
        host = match["domain"]
        if (problem := host_problem(host)) is not None:
            return self.violation(
                f"the domain {shown(host)} of a recipient {problem}", f"Allowed: {listed(self.domains)}."
            )
        if not is_within(host, self.domains, subdomains=self.subdomains):
            reason = f"the recipient {shown(stripped)} is in no allowed domain"
            return self.violation(reason, f"Allowed: {listed(self.domains)}.")
        return None

    def _subject(self, subject: Any) -> Violation | None:
        if type(subject) is not str or len(subject) > MAX_SUBJECT:
            return self.violation(f"the subject is no text of at most {MAX_SUBJECT} characters")
        if not _is_one_line(subject):
            return self.violation("the subject holds a line break, or what is decoded to one", "Write one plain line.")
        return None

    def _body(self, body: Any) -> Violation | None:
        if type(body) is not str or len(body) > MAX_BODY:
            return self.violation(f"the body is no text of at most {MAX_BODY:,} characters")
        lines = body.replace("\r\n", "\n")
        if "\r" in lines or "\0" in lines:
            return self.violation("the body holds a bare carriage return or a NUL", "Write plain text.")
        if lines == "." or "\n.\n" in lines or lines.startswith(".\n") or lines.endswith("\n."):
            return self.violation("the body has a lone dot on a line, which ends a message", "Leave that line out.")
        return None


def _is_one_line(text: str) -> bool:
    """Whether a text can stand in a header: no controls, no separators, nothing hidden or encoded (=?...?=)."""
    if "=?" in text:
        return False
    return (text.isascii() and text.isprintable()) or not any(unicodedata.category(c) in _UNSEEN for c in text)


_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cn", "Cs"})
