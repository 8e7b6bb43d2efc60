"""Goals whose parts are known only on the way: research, and plans that are carried out."""

from __future__ import annotations

from dataclasses import replace

from orchestration_kit.definition import WorkflowDefinition
from orchestration_kit.service.catalogue.entry import Entry, Filled, Role
from orchestration_kit.service.catalogue.people import PLANNER, RESEARCHER, SUMMARIZER, WRITER
from orchestration_kit.service.lengthening import lengthened
from orchestration_kit.templates import (
    create_gated_chain,
    create_orchestrator_workers,
    create_plan_execute_replan,
)

REPORTER = replace(
    WRITER,
    name="reporter",
    types=("reporter", "report_writer", *WRITER.types, "synthesizer", "summarizer"),
    does="write it up",
    words=f"report, reporter, {WRITER.words}, {SUMMARIZER.words}",
    is_required=False,
)
EXECUTOR = Role(
    name="executor",
    types=("executor", "doer", "operator"),
    does="carry out one task of a plan",
    words="execute, executor, carry out, doer, perform tasks, step by step, ausfuhren",
)
TEAM = Role(
    name="team",
    types=("specialist", "coder", "researcher", "searcher", "designer", "analyst"),
    does="do one part",
    words="specialist, code, research, search, design, analyse, analyze",
    by_goal=True,
    least=2,
    most=30,
)


def _research(filled: Filled) -> WorkflowDefinition:
    worker = filled.one("researcher")
    if not filled.has("planner"):
        steps = {"research": worker}
        if filled.has("reporter"):
            steps["report"] = filled.one("reporter")
        return create_gated_chain(steps, name="research")
    workflow = create_plan_execute_replan(filled.one("planner"), worker, name="research")
    return lengthened(workflow, [], [("report", filled.one("reporter"))]) if filled.has("reporter") else workflow


ENTRIES = (
    Entry(
        name="research",
        about="Research a question: with a planner, task by task and with new plans where needed; then a report",
        example="Research the market for electric bikes, and write a report",
        words="research, investigate, investigation, find out, look into, literature review, market analysis, market "
        "research, competitor analysis, analyse, analyze, analysis, analysiere, fact finding, study, background "
        "check, recherchiere, recherchieren, recherche, untersuche, state of the art, deep dive",
        also="market, report, sources, question, write, find, plan, competitors, papers, compare, analyse, analyze, "
        "trends",
        roles=(replace(PLANNER, is_required=False), RESEARCHER, REPORTER),
        build=_research,
    ),
    Entry(
        name="plan_and_execute",
        about="Make a plan, carry it out task by task, and plan anew where it does not work out",
        example="Plan the move to the new office, and carry it out step by step",
        words="plan, make a plan, step by step, carry out, execute the plan, todo list, to do list, action plan, "
        "roadmap, migrate, migration, organise, organize, project plan, plane, planen, organisiere",
        also="execute, tasks, task, replan, steps, project, move, event",
        roles=(PLANNER, EXECUTOR),
        build=lambda filled: create_plan_execute_replan(
            filled.one("planner"), filled.one("executor"), name="plan_and_execute"
        ),
    ),
    Entry(
        name="divide_and_gather",
        about="Take a task apart for a team of specialists, and put together what they made",
        example="Split the project among the team, and put the parts together",
        words="split, divide, break down, break it down, take apart, delegate, distribute, subtasks, divide and "
        "conquer, teamwork, parcel out, aufteilen, delegiere, teile auf",
        also="team, specialists, parts, project, put together, combine, merge, among, between",
        roles=(PLANNER, replace(SUMMARIZER, types=("synthesizer", "summarizer", "reporter", "integrator")), TEAM),
        build=lambda filled: create_orchestrator_workers(
            filled.one("planner"), filled.several("team"), filled.one("summarizer"), name="divide_and_gather"
        ),
        notes='The planner gives a list of tasks, each {"worker": name, ...}, the name of one of the team.',
    ),
)
