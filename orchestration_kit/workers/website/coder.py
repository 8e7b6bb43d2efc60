"""The coder: builds the site a specification describes, errs now and then, and repairs what a review names.

What it builds is a pure function of the specification; only its mistakes are drawn, with
`context.random`. They grow rarer with every draft, so that a run comes to an end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from orchestration_kit.workers.website.bus import SITE, SPEC, Files, as_mapping
from orchestration_kit.workers.website.errors import UnreadableSpec
from orchestration_kit.workers.website.mistakes import make_mistakes
from orchestration_kit.workers.website.rendering import render_site
from orchestration_kit.workers.website.spec import SiteSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration_kit.workers.website.bus import WorkContext

DEFAULT_MISTAKE_RATE = 0.7
"""The chance that a first draft holds a mistake."""
DECAY = 0.35
"""The chance shrinks by this factor from draft to draft: after five drafts, 4 runs in a million still err."""
_MOST_MISTAKES = 3


@dataclass(frozen=True, slots=True)
class Coder:
    """A coder who makes mistakes at a rate.

    >>> Coder(mistake_rate=0.0).mistake_rate
    0.0
    """

    mistake_rate: float = DEFAULT_MISTAKE_RATE
    """The chance, from 0 to 1, that the first draft holds at least one mistake."""

    def __post_init__(self) -> None:
        if not 0 <= self.mistake_rate <= 1:
            message = (
                f"mistake_rate={self.mistake_rate!r} is not a probability.\n"
                "It is the chance, from 0 (never errs) to 1 (always), that a first draft holds a mistake.\n"
                "For example: Coder(mistake_rate=0.5)."
            )
            raise ValueError(message)

    def __call__(self, input_data: object, context: WorkContext) -> dict[str, Any]:
        """Return `{"files": {path: text}, "notes": [...], "draft": n}`.

        Raises:
            UnreadableSpec: there is no specification on the data bus, nor in `input_data`.
        """
        spec = _read_spec(input_data, context)
        wanted = render_site(spec)
        draft = _draft_before(context) + 1
        findings = _findings(input_data, context)
        if draft == 1 or findings is None:
            built, notes = wanted, [f"Built {len(spec.pages)} pages for {spec.name}."]
        else:
            built, notes = _repair(_files_before(context), wanted, findings)
        built = self._err(built, draft, context)
        notes += [
            f"Contact forms write to {spec.email}, a reserved address. Set your own before you publish.",
            "Prices, times and names of dishes or wares are proposals. Check them before you publish.",
        ]
        return {"files": built, "notes": notes, "draft": draft}

    def _err(self, site: Files, draft: int, context: WorkContext) -> Files:
        if context.random.random() >= self.mistake_rate * DECAY ** (draft - 1):
            return site
        count = context.random.randint(1, _MOST_MISTAKES) if draft == 1 else 1
        # What went wrong is not told: a coder does not know its own mistakes. The review finds them.
        faulty, _ = make_mistakes(site, count, context.random)
        return faulty


def _read_spec(input_data: object, context: WorkContext) -> SiteSpec:
    raw = as_mapping(context.data.get(SPEC)) or as_mapping(input_data)
    if raw is None:
        raise UnreadableSpec(f"expected a dict, got {type(input_data).__name__}")
    try:
        # As JSON, lists pass for the tuples of the specification.
        return SiteSpec.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        reason = f"{first['msg']} (at {where}; {error.error_count()} such problems)"
        raise UnreadableSpec(reason) from error


def _draft_before(context: WorkContext) -> int:
    before = as_mapping(context.data.get(SITE)) or {}
    draft = before.get("draft", 0)
    return draft if isinstance(draft, int) else 0


def _files_before(context: WorkContext) -> Files:
    before = as_mapping(context.data.get(SITE)) or {}
    return cast("Files", dict(as_mapping(before.get("files")) or {}))


def _findings(input_data: object, context: WorkContext) -> list[Mapping[str, Any]] | None:
    """Return what the review found, or None if this is not a way back from a review."""
    back = as_mapping(input_data)
    review = as_mapping(back.get("output")) if back and "error" in back else None
    found = review.get("findings") if review else None
    if not isinstance(found, list) or not _files_before(context):
        return None
    return [one for one in map(as_mapping, cast("list[object]", found)) if one is not None]


def _repair(before: Files, wanted: Files, findings: list[Mapping[str, Any]]) -> tuple[Files, list[str]]:
    """Return the files before, with those that the findings name written anew, and a note for each."""
    repaired, notes = dict(before), list[str]()
    for finding in findings:
        path = str(finding.get("file", ""))
        told = f"{path}:{finding.get('line', '?')}: {finding.get('message', 'unnamed fault')}"
        if path in wanted:
            repaired[path] = wanted[path]
            notes.append(f"Fixed {finding.get('code', 'fault')} in {told}")
        elif path in repaired:
            del repaired[path]
            notes.append(f"Removed a file that nobody asked for: {told}")
        else:
            repaired = dict(wanted)
            notes.append(f"Built everything anew, because a finding names no file of the site: {told}")
    missing = sorted(set(wanted) - set(repaired))
    repaired |= {path: wanted[path] for path in missing}
    notes += [f"Added the missing file {path}" for path in missing]
    return dict(sorted(repaired.items())), notes
