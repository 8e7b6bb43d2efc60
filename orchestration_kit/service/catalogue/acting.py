"""Goals that do what cannot be undone: after a person has agreed; and what is searched, chosen and booked."""

from __future__ import annotations

from dataclasses import replace

from orchestration_kit.definition import ApprovalStep, WorkflowDefinition
from orchestration_kit.service.catalogue.entry import Entry, Filled, Role
from orchestration_kit.service.catalogue.people import RESEARCHER, WRITER
from orchestration_kit.templates import create_gated_chain, create_human_gate
from orchestration_kit.templates.parts import AnyWorker

PERSON = (
    "approve, approval, approved, approves, my approval, sign off, signed off, signoff, confirm, confirmation, "
    "my consent, my permission, permission, ask me, my ok, human in the loop, human approval, human review, "
    "four eyes, freigabe, freigeben, genehmigung, genehmigen, zustimmung, bestatigen, frag mich"
)
"""Words that say that a person has to agree."""

ACTOR = Role(
    name="actor",
    types=("actor", "sender", "mailer", "payer", "cashier", "publisher", "executor", "operator", "deployer"),
    does="do it once it is approved",
    words="send, sender, mailer, pay, payer, payment, publish, publisher, post, transfer, order, delete, submit, act",
    by_goal=True,
)
PROPOSER = replace(
    WRITER,
    name="proposer",
    types=("proposer", "clerk", *WRITER.types),
    does="make a proposal",
    words=f"propose, proposal, prepare, clerk, suggest, {WRITER.words}",
    is_required=False,
    only_if_asked=True,
)
CHOOSER = Role(
    name="chooser",
    types=("chooser", "selector", "ranker", "decider", "judge", "comparer"),
    does="choose among them",
    words="choose, chooser, select, selector, pick, rank, ranker, compare, comparer, decide, wahle, wahlen, vergleiche",
    is_required=False,
)
BOOKER = Role(
    name="booker",
    types=("booker", "booking", "buyer", "reserver", "purchaser", "travel_agent", "orderer"),
    does="book",
    words="book, booker, booking, reserve, reservation, buy, buyer, purchase, order, buche, buchen, buchung, "
    "reserviere, kaufe, bestelle",
)


def _book(filled: Filled) -> WorkflowDefinition:
    steps: dict[str, AnyWorker] = {"search": filled.one("researcher")}
    if filled.has("chooser"):
        steps["choose"] = filled.one("chooser")
    if filled.asks_person or not filled.has("chooser"):
        prompt = "May this be booked?" if filled.has("chooser") else "Which of these is to be booked?"
        steps["ask"] = ApprovalStep(step_id="ask", description="A person decides", prompt=prompt)
    return create_gated_chain({**steps, "book": filled.one("booker")}, name="search_choose_book")


ENTRIES = (
    Entry(
        name="approve_then_act",
        about="Ask a person, and act only once it is approved",
        example="Draft the refund mail, and send it after my approval",
        words=PERSON,
        also="send, pay, payment, refund, delete, publish, transfer, order, draft, write, mail, email, invoice, "
        "customer, before, sending, publishing, paying, deleting",
        roles=(PROPOSER, ACTOR),
        build=lambda filled: create_human_gate(
            "May this be done?",
            propose=filled.maybe("proposer"),
            act=filled.one("actor"),
            name="approve_then_act",
        ),
        asks_person=True,
    ),
    Entry(
        name="search_choose_book",
        about="Search for what there is, choose, and book it; without somebody who chooses a person is asked",
        example="Find flights to Lisbon, choose the best and book it",
        words="book, booking, reserve, reservation, buy, purchase, buche, buchen, buchung, reserviere, kaufe",
        also="search, find, choose, select, pick, cheapest, compare, options, offer, offers, order, room, seat, "
        "ticket, tickets, flight, flights, hotel, hotels, restaurant, table, trip, travel, car, vacation, holiday, "
        "flug, fluge, reise",
        roles=(RESEARCHER, CHOOSER, BOOKER),
        build=_book,
    ),
)
