"""Goals that make a text: drafted and reviewed, translated and checked, summarised."""

from __future__ import annotations

from dataclasses import replace

from orchestration_kit.definition import Branch, WorkflowDefinition
from orchestration_kit.service.catalogue.entry import Entry, Role
from orchestration_kit.service.catalogue.people import REVIEWER, SUMMARIZER, WRITER
from orchestration_kit.templates import create_evaluator_optimizer, create_gated_chain
from orchestration_kit.templates.parts import AnyWorker, assemble, done, end, failed, step
from orchestration_kit.templates.ready_workers import output_of_type

GOOD_ENOUGH = 8
REVIEWS = 3

TRANSLATOR = Role(
    name="translator",
    types=("translator", "interpreter", "localizer"),
    does="translate",
    words="translate, translator, translation, localize, localise, localizer, interpreter, ubersetze, ubersetzen, "
    "ubersetzer, ubersetzung, traduis, traduire, traducir, traduce",
)


def reviewed(maker: AnyWorker, judge: AnyWorker, name: str) -> WorkflowDefinition:
    """Return draft -> review, and back to the draft until the review approves, three times at most.

    >>> reviewed("writer", "reviewer", "text").validate()
    (True, None)
    """
    approved = "!has(output.approved) || output.approved == true"
    ways = (
        Branch(when=approved, to="accept", label="approved"),
        Branch(when=f"visits >= {REVIEWS}", to="not_approved", label="the last review"),
    )
    steps = [
        step("draft", maker, "Write it, or mend what the review found", on_success="review", on_failure="failed"),
        step("review", judge, "Review the draft", branches=ways, on_success="draft", on_failure="failed"),
        step(
            "accept",
            output_of_type("draft"),
            "Take the draft that was approved",
            on_success="done",
            on_failure="failed",
        ),
        done("The approved draft"),
        failed(),
        end("not_approved", "The last review did not approve"),
    ]
    return assemble(name, "A draft, reviewed until it is approved", "A text that passes its review", steps)


ENTRIES = (
    Entry(
        name="translate_and_check",
        about="Translate a text, and check the translation until it is good",
        example="Translate the contract into German, and check the translation",
        words="translate, translation, translations, translated, localize, localise, localization, ubersetze, "
        "ubersetzen, ubersetzung, traduis, traduire, traducir, traduce",
        also="german, english, french, spanish, italian, portuguese, chinese, japanese, language, languages, deutsch, "
        "englisch, franzosisch, text, document, contract, letter, manual",
        roles=(TRANSLATOR, REVIEWER),
        build=lambda filled: create_evaluator_optimizer(
            filled.one("translator"), filled.one("reviewer"), min_rating=GOOD_ENOUGH, name="translate_and_check"
        ),
        notes=f'The checker gives a mapping with a number, {{"rating": 9}}: {GOOD_ENOUGH} or more is good enough.',
    ),
    Entry(
        name="draft_and_review",
        about="Write a text, and have it reviewed until it is approved",
        example="Write a blog post about bread, and have it reviewed",
        words="write, draft, compose, article, articles, blog, blog post, post, newsletter, essay, letter, email, "
        "mail, text, story, speech, press release, product description, copy, report, white paper, whitepaper, "
        "documentation, docs, cover letter, poem, script for a film, announcement, proposal, schreibe, schreiben, "
        "verfasse, artikel, brief, bericht",
        also="review, reviewed, proofread, check, edit, edited, polish, feedback, customer, customers",
        roles=(WRITER, REVIEWER),
        build=lambda filled: reviewed(filled.one("writer"), filled.one("reviewer"), "draft_and_review"),
        notes='A reviewer sends a draft back with {"approved": False}.',
    ),
    Entry(
        name="summarise",
        about="Summarise a text",
        example="Summarise the minutes of the meeting",
        words="summarise, summarize, summary, summaries, summarisation, summarization, condense, digest, abstract, "
        "tldr, key points, main points, zusammenfassen, zusammenfassung, fasse, resume, boil down",
        also="text, article, meeting, minutes, paper, report, email, thread, transcript, document, book, chapter",
        roles=(
            replace(SUMMARIZER, types=("summarizer", "summariser")),
            replace(REVIEWER, is_required=False, only_if_asked=True),
        ),
        build=lambda filled: (
            reviewed(filled.one("summarizer"), filled.one("reviewer"), "summarise")
            if filled.has("reviewer")
            else create_gated_chain({"summarise": filled.one("summarizer")}, name="summarise")
        ),
    ),
)
