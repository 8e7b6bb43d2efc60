"""Goals that come to one answer of many: votes, debates, routes, and cheap before dear."""

from __future__ import annotations

from dataclasses import replace

from orchestration_kit.definition import ApprovalStep, WorkflowDefinition
from orchestration_kit.service.catalogue.entry import Entry, Filled, Role
from orchestration_kit.service.catalogue.people import JUDGE
from orchestration_kit.templates import (
    create_debate,
    create_fallback_cascade,
    create_routing,
    create_sectioning,
    create_voting,
)

VOTERS = Role(
    name="voters",
    types=("voter", "juror", "classifier", "expert", "panelist", "rater", "labeler", "labeller", "annotator"),
    does="vote",
    words="vote, voter, juror, jury member, classify, classifier, expert, label, labeller, panelist, ensemble, opinion",
    least=2,
    most=15,
)
DEBATERS = Role(
    name="participants",
    types=("debater", "participant", "optimist", "pessimist", "advocate", "opponent", "proponent", "skeptic", "expert"),
    does="debate",
    words="debate, debater, argue, argument, advocate, proponent, opponent, optimist, pessimist, pro, contra, skeptic, "
    "sceptic, devil advocate, discuss",
    least=2,
    most=10,
)
ROUTER = Role(
    name="router",
    types=("router", "triager", "triage", "dispatcher", "classifier"),
    does="tell what kind of task it is",
    words="route, router, routing, triage, triager, dispatch, dispatcher, classify, classifier, sort, categorise, "
    "categorize, assign",
)
SPECIALISTS = Role(
    name="specialists",
    types=(
        "specialist",
        "support",
        "billing",
        "technical",
        "sales",
        "refunds",
        "accountant",
        "engineer",
        "support_agent",
    ),
    does="answer one kind of them",
    words="specialist, support, billing, invoice, technical, sales, refund, complaint, accounting, legal, shipping, "
    "hardware, network, security, answer, faq, returns, account, payment, bugs, subscriptions, orders",
    least=2,
    most=30,
)
SOLVERS = Role(
    name="solvers",
    types=("solver", "answerer", "small_model", "large_model", "rules"),
    does="answer",
    words="answer, answerer, solve, solver, small, large, cheap, expensive, strong, weak, fast, slow, rules",
    first="cheap, cheapest, small, mini, tiny, weak, fast, quick, rules, local, junior, cache",
    last="strong, strongest, large, big, expensive, dear, smart, senior, expert, human",
    least=2,
    most=10,
)
ASPECTS = Role(
    name="inspectors",
    types=(
        "inspector",
        "auditor",
        "reviewer",
        "checker",
        "lawyer",
        "security_reviewer",
        "style_reviewer",
        "fact_checker",
    ),
    does="look at one aspect",
    words="inspect, audit, review, check, legal, law, lawyer, security, style, facts, accessibility, performance, "
    "tone, compliance, privacy, grammar",
    least=2,
    most=20,
)
GATHERER = Role(
    name="editor",
    types=("editor", "chief_editor", "summarizer", "synthesizer", "reporter", "aggregator"),
    does="put it together",
    words="summarise, summarize, synthesise, synthesize, combine, aggregate, merge, put together, report, editor",
)


def _route(filled: Filled) -> WorkflowDefinition:
    person = ApprovalStep(step_id="ask", prompt="Nobody here takes this one. What is the answer?")
    return create_routing(filled.one("router"), filled.several("specialists"), fallback=person, name="route")


def _vote(filled: Filled) -> WorkflowDefinition:
    voters = filled.several("voters")
    if filled.has("judge"):
        return create_voting(voters=voters, tie_break="judge", judge=filled.one("judge"), name="vote")
    return create_voting(voters=voters, name="vote")


ENTRIES = (
    Entry(
        name="route",
        about="Tell what kind of task something is, and hand it to whom it suits; what suits nobody goes to a person",
        example="Triage support tickets between billing and technical support",
        words="triage, route, routing, dispatch, ticket, tickets, support tickets, support requests, customer "
        "requests, inquiries, enquiries, helpdesk, help desk, service desk, right department, right team, right "
        "person, right specialist, sort the mails, sort incoming, customer support, kundenanfragen, anfragen, "
        "verteile, zuordnen",
        also="support, customer, customers, classify, assign, incoming, questions, requests, emails, mails, "
        "complaints, department, team, answer, sort, inbox",
        roles=(ROUTER, SPECIALISTS),
        build=_route,
        notes='The router gives {"route": name}, one of the names of the steps after it.',
    ),
    Entry(
        name="vote",
        about="Ask several for an answer, and take the one that most of them give",
        example="Let three classifiers vote on whether a mail is spam",
        words="vote, votes, voting, majority, majority vote, poll, ballot, consensus, ensemble, second opinion, "
        "several opinions, wisdom of the crowd, quorum, abstimmen, abstimmung, mehrheit, stimme ab",
        also="models, experts, opinions, answer, agree, decide, classify, label, spam, classifier, classifiers",
        roles=(VOTERS, replace(JUDGE, is_required=False)),
        build=_vote,
        notes="Answers are compared as they are: short ones, such as labels.",
    ),
    Entry(
        name="debate",
        about="Have several argue in rounds, and a judge decide",
        example="Debate whether we should rent or buy",
        words="debate, debates, argue, pros and cons, pro and contra, for and against, discuss, discussion, devils "
        "advocate, both sides, deliberate, debattiere, debattieren, diskutiere, diskutieren",
        also="decide, judge, arguments, opinions, rounds, whether, should",
        roles=(JUDGE, DEBATERS),
        build=lambda filled: create_debate(filled.several("participants"), filled.one("judge"), name="debate"),
    ),
    Entry(
        name="cheap_before_dear",
        about="Ask the cheapest first, and a stronger one where that fails",
        example="Answer questions with the cheap model first, and fall back to the strong one",
        words="fall back, fallback, cascade, cheapest first, cheap model first, escalate to, only if needed, if it "
        "fails, save costs, backup model, as a backup, failover",
        also="cheap, cheapest, expensive, strong, stronger, small, large, answer, questions, first, otherwise",
        roles=(SOLVERS,),
        build=lambda filled: create_fallback_cascade(filled.several("solvers"), name="cheap_before_dear"),
        notes="First those called small, cheap or the like, last those called large or strong; a worker fails where it "
        "raises.",
    ),
    Entry(
        name="several_aspects",
        about="Have several aspects of one thing looked at, at once, and put it together",
        example="Audit the contract from several angles, law, style and facts, and combine the findings",
        words="aspects, several aspects, perspectives, several perspectives, angles, several angles, different angles, "
        "viewpoints, all sides, in depth review, comprehensive review, due diligence, full audit",
        also="audit, review, check, law, legal, style, facts, security, findings, combine, report, performance, "
        "contract",
        roles=(GATHERER, ASPECTS),
        build=lambda filled: create_sectioning(
            filled.several("inspectors"), filled.one("editor"), name="several_aspects"
        ),
    ),
)
