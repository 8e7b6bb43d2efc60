"""What a doctor found, as a notebook, a terminal and pandas show it. What it found is data, never markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.cli.doctor_packages import Finding
from orchestration_kit.cli.terminal import short
from orchestration_kit.errors import counted
from orchestration_kit.visual.text import clean

if TYPE_CHECKING:
    import pandas as pd

_TITLES = (("To mend", "broken"), ("Worth a look", "note"), ("To have more", "missing"))
"""What is to be done, the most urgent first."""
_STATES = ["ok", "note", "missing", "broken"]
_WORDS = r"(?:\"[^\"]*\"|[^\s,;(\"]+)"
_COMMAND = re.compile(rf"(?:pip|orchestration-kit|chmod) {_WORDS}(?: {_WORDS})*")
"""Words of a fix that are typed as they are."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What `doctor` found. In a notebook it shows what to do first; a click on a command selects it, to be copied."""

    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is broken. What is missing would only add something."""
        return not any(one.state == "broken" for one in self.findings)

    @property
    def verdict(self) -> str:
        """How many things are broken.

        >>> Examination(()).verdict
        'Nothing is broken.'
        """
        count = sum(one.state == "broken" for one in self.findings)
        return f"{counted(count, 'thing')} {'is' if count == 1 else 'are'} broken." if count else "Nothing is broken."

    def to_mend(self) -> Iterator[tuple[str, list[Finding]]]:
        """Yield a title, and the findings under it that say what to do.

        >>> [title for title, _ in Examination((Finding("keys", "any", "missing", "none", "export one"),)).to_mend()]
        ['To have more']
        """
        for title, state in _TITLES:
            if found := [one for one in self.findings if one.state == state and one.fix]:
                yield title, found

    def to_frame(self) -> pd.DataFrame:
        """Return one row per finding.

        Columns (dtype): area, what, state (category: ok, note, missing, broken), found, fix (string; "" where there is
        nothing to do).

        >>> Examination(()).to_frame().columns.tolist()
        ['area', 'what', 'state', 'found', 'fix']
        """
        import pandas as pd

        frame = pd.DataFrame(list(self.findings), columns=list(Finding._fields)).astype("string")
        return frame.assign(state=pd.Categorical(frame["state"], _STATES))

    def __str__(self) -> str:
        lines = [self.verdict]
        for title, found in self.to_mend():
            lines += [f"{title}:", *(f"  {one.what}: {short(one.found, 400)}\n    {one.fix}" for one in found)]
        return clean("\n".join(lines))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        parts = [f"<p><b>{html.escape(self.verdict)}</b></p>"]
        for title, found in self.to_mend():
            parts.append(f"<p>{title}</p><ul>{''.join(map(_item, found))}</ul>")
        rows = "".join(map(_row, self.findings))
        heads = "".join(f"<th style='text-align: left'>{name}</th>" for name in ("area", "what", "state", "found"))
        parts.append(
            f"<details><summary>{counted(len(self.findings), 'thing')} looked at</summary><table><thead><tr>"
            f"{heads}</tr></thead><tbody>{rows}</tbody></table></details>"
        )
        return {"text/plain": str(self), "text/html": f"<div>{''.join(parts)}</div>"}


def _item(one: Finding) -> str:
    return f"<li><b>{_shown(one.what)}</b>: {_shown(short(one.found, 400))}<br>{_fix(one.fix)}</li>"


def _row(one: Finding) -> str:
    left = " style='text-align: left'"
    cells = f"<td{left}>{_shown(one.area)}</td><td{left}>{_shown(one.what)}</td><td{left}>{_state(one.state)}</td>"
    return f"<tr>{cells}<td{left}>{_shown(short(one.found, 400))}</td></tr>"


def _state(state: str) -> str:
    return f"<b>{state}</b>" if state == "broken" else state


def _fix(text: str) -> str:
    """Return what to do as HTML, commands in it as code that one click selects.

    >>> _fix("pip install -U anywidget, then reload the page").partition("</code>")[2]
    ', then reload the page'
    """
    parts, end = list[str](), 0
    for found in _COMMAND.finditer(text):
        parts += [_shown(text[end : found.start()]), f"<code style='user-select: all'>{_shown(found[0])}</code>"]
        end = found.end()
    return "".join([*parts, _shown(text[end:])])


def _shown(text: str) -> str:
    return html.escape(clean(text))
