"""Goals that make a thing which somebody reviews or tests: websites and software."""

from __future__ import annotations

from dataclasses import replace

from orchestration_kit.definition import WorkflowDefinition, WorkflowStep
from orchestration_kit.service.catalogue.entry import Entry, Filled
from orchestration_kit.service.catalogue.people import CODER, DEPLOYER, PRODUCT_MANAGER, REVIEWER, TESTER
from orchestration_kit.templates import (
    create_build_website_workflow,
    create_human_gate,
    create_reflexion,
    create_software_pipeline,
)
from orchestration_kit.templates.parts import step
from orchestration_kit.templates.ready_workers import GOAL, output_of_type


def _website(filled: Filled) -> WorkflowDefinition:
    workflow = create_build_website_workflow()
    for step_id, role in (
        ("create_specs", "product_manager"),
        ("implement_code", "coder"),
        ("review_code", "reviewer"),
        ("completed", "deployer"),
    ):
        if filled.has(role):
            named = step(step_id, filled.one(role), "")
            if isinstance(named, WorkflowStep):
                workflow = workflow.replace(step_id, worker_type=named.worker_type, worker=named.worker)
    return workflow


def _software(filled: Filled) -> WorkflowDefinition:
    workflow = create_software_pipeline(
        product_manager=filled.one("product_manager") if filled.has("product_manager") else GOAL,
        coder=filled.one("coder"),
        reviewer=filled.one("reviewer"),
        tester=filled.one("tester"),
        deployer=filled.one("deployer") if filled.has("deployer") else output_of_type("code"),
        approval="May this be deployed?" if filled.asks_person and filled.has("deployer") else None,
        name="software",
    )
    if not filled.has("product_manager"):
        workflow = workflow.replace("specify", step_id="take_goal", description="The goal is the specification")
    if not filled.has("deployer"):
        workflow = workflow.replace("deploy", step_id="hand_over", description="Hand over what passed the tests")
        workflow = workflow.replace("done", description="Reviewed and tested")
    return workflow


def _deployment(filled: Filled) -> WorkflowDefinition:
    propose = filled.maybe("tester")
    return create_human_gate(
        "May this be deployed?", propose=propose, act=filled.one("deployer"), name="deploy_with_sign_off"
    )


def _until_it_passes(filled: Filled) -> WorkflowDefinition:
    return create_reflexion(
        filled.one("coder"), filled.one("tester"), filled.one("reviewer"), name="attempts_until_it_passes"
    )


ENTRIES = (
    Entry(
        name="build_website",
        about="Build a website: specify, write and review it until the review approves",
        example="Build a website for a bakery",
        words="website, web site, webpage, web page, homepage, home page, landing page, landingpage, start page, "
        "web presence, internet presence, online presence, site, microsite, portfolio site, web shop, webshop, "
        "online shop, online store, webseite, webseiten, internetseite, webauftritt, internetauftritt, site web, "
        "sitio web, pagina web, sito web, html page",
        also="page, pages, html, css, web, online, gallery, menu, contact form, design, redesign, relaunch",
        roles=(PRODUCT_MANAGER, CODER, REVIEWER, replace(DEPLOYER, is_required=False, only_if_asked=True)),
        build=_website,
        notes='A reviewer sends a website back with {"approved": False}.',
    ),
    Entry(
        name="software",
        about="Write software that is reviewed and tested, and deployed where somebody can",
        example="Write an app for expenses, with tests",
        words="software, app, apps, application, program, script, code, codebase, api, rest api, microservice, "
        "backend, frontend, library, cli, command line tool, tool, feature, bug, bugfix, fix the bug, refactor, "
        "refactoring, function, unit tests, implement, programm, anwendung, implementiere, programmiere, "
        "ai agent, chatbot, chat bot, bot that, agent that, android app, ios app, mobile app, game",
        also="write, test, tested, with tests, review, reviewed, service, python, java, javascript, rust, database, "
        "endpoint, fix, repository, pull request, develop",
        roles=(
            replace(PRODUCT_MANAGER, is_required=False),
            CODER,
            REVIEWER,
            TESTER,
            replace(DEPLOYER, is_required=False, only_if_asked=True),
        ),
        build=_software,
        notes='The reviewer gives {"approved": True or False}, the tester {"passed": True or False}.',
    ),
    Entry(
        name="attempts_until_it_passes",
        about="Try again until the tests pass, with what was learnt from each failed attempt",
        example="Try until all tests pass, and learn from every failure",
        words="until it passes, until the tests pass, until all tests pass, until it works, learn from mistakes, "
        "learn from failures, learn from every failure, try again, keep trying, trial and error, reflexion, "
        "reflect on failures, test driven, tdd",
        also="test, tests, pass, passes, retry, try, failure, failures, learn, code, solve, attempt",
        roles=(CODER, TESTER, REVIEWER),
        build=_until_it_passes,
        notes='The tester gives {"passed": True or False}; the reviewer draws a lesson from what did not pass.',
    ),
    Entry(
        name="deploy_with_sign_off",
        about="Deploy something after a person has signed it off",
        example="Deploy the new version after my sign-off",
        words="deploy, deployment, redeploy, release, rollout, roll out, go live, ship, put into production, sign off, "
        "signoff",
        also="production, version, staging, server, test, tests, publish, build",
        roles=(replace(TESTER, is_required=False, only_if_asked=True), DEPLOYER),
        build=_deployment,
        asks_person=True,
    ),
)
