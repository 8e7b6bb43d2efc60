"""Roles that stand in several entries: who makes, checks, reviews, writes, plans."""

from __future__ import annotations

from orchestration_kit.service.catalogue.entry import Role

PRODUCT_MANAGER = Role(
    name="product_manager",
    types=("product_manager", "specifier", "analyst"),
    does="write a specification",
    words="product manager, specify, specification, specs, requirements, user stories",
)
CODER = Role(
    name="coder",
    types=("coder", "developer", "programmer", "engineer", "software_engineer", "web_developer", "frontend_developer"),
    does="write code",
    words="code, coding, coder, program, programmer, implement, developer, software engineer, web developer",
)
REVIEWER = Role(
    name="reviewer",
    types=("reviewer", "critic", "checker", "editor", "proofreader", "auditor", "qa"),
    does="review",
    words="review, reviewer, check, checker, critic, critique, proofread, audit, inspect, verify, assess, rate, rater, "
    "evaluate, evaluator, quality, prufe, prufen, prufer, korrektur, uberprufen, lektor",
    follows=True,
)
TESTER = Role(
    name="tester",
    types=("tester", "test_runner", "qa"),
    does="test",
    words="test, tests, tester, testing, qa, pytest, teste, testen",
    follows=True,
)
DEPLOYER = Role(
    name="deployer",
    types=("deployer", "releaser", "publisher", "operator"),
    does="deploy",
    words="deploy, deployer, deployment, release, rollout, publish, publisher, ship, upload, go live, goes live, put "
    "online, put it online, bring it online, host, veroffentliche, veroffentlichen, bereitstellen",
    follows=True,
)
WRITER = Role(
    name="writer",
    types=("writer", "author", "copywriter", "drafter", "journalist", "editor", "ghostwriter", "blogger"),
    does="write",
    words="write, writer, draft, drafter, author, copywriter, compose, text, redact, schreibe, schreiben, verfasse, "
    "verfassen, autor, texter",
)
SUMMARIZER = Role(
    name="summarizer",
    types=("summarizer", "summariser", "reducer", "reporter", "synthesizer"),
    does="summarise",
    words="summarise, summarize, summary, summariser, summarizer, summarisation, condense, digest, abstract, tldr, "
    "zusammenfassen, zusammenfassung, fasse, combine, aggregate, report, reporter, merge, synthesize, synthesise",
)
PLANNER = Role(
    name="planner",
    types=("planner", "project_manager", "coordinator", "orchestrator"),
    does="make a plan",
    words="plan, planner, planning, decompose, coordinate, coordinator, project manager, plane, planen",
)
RESEARCHER = Role(
    name="researcher",
    types=("researcher", "searcher", "investigator", "analyst", "search"),
    does="research",
    words="research, researcher, search, searcher, investigate, investigator, find, look up, explore, browse, "
    "recherchiere, recherchieren, recherche, analyse, analyze, analysis, analyst, analysiere",
)
JUDGE = Role(
    name="judge",
    types=("judge", "moderator", "arbiter", "decider", "referee", "jury"),
    does="judge",
    words="judge, moderator, moderate, arbiter, decide, decider, referee, verdict, rule on, schiedsrichter, entscheide",
)
