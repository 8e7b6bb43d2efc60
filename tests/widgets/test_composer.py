from __future__ import annotations

import threading
import warnings

import pytest

from orchestration_kit import (
    Composer,
    Orchestrator,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
    create_build_website_workflow,
)
from orchestration_kit.errors import UnknownWorkflow, WorkflowFileError


@pytest.fixture
def hub() -> Orchestrator:
    hub = Orchestrator()
    hub.register_worker(WorkerDefinition(worker_type="coder", name="Coder", executor=lambda given: given))
    return hub


def ask(composer: Composer, intent: str, **args) -> dict:
    """Send what a browser sends; return the notice."""
    composer._hear(composer, {"intent": intent, "args": args}, [])
    return composer.notice


def test_a_composer_begins_with_a_definition_a_name_or_nothing(hub):
    flow = create_build_website_workflow()
    assert Composer(hub, flow).workflow == flow
    hub.register_workflow(flow)
    assert Composer(hub, "build_website").workflow == flow
    assert Composer(hub).workflow == WorkflowDefinition(name="workflow")
    with pytest.raises(UnknownWorkflow, match="build_website"):
        Composer(hub, "build_web")
    with pytest.raises(TypeError, match="Composer takes an Orchestrator first"):
        Composer(flow)
    with pytest.raises(TypeError, match="name of a registered one"):
        Composer(hub, 3)


def test_its_workflow_is_a_copy_of_ones_own(hub):
    flow = create_build_website_workflow()
    composer = Composer(hub, flow)
    flow.steps.clear()
    composer.workflow.steps.clear()
    assert composer.workflow == create_build_website_workflow()


def test_its_repr_is_fixed(hub):
    assert repr(Composer(hub)) == "<Composer>"


def test_the_palette_shows_what_is_registered_also_later(hub):
    composer = Composer(hub)
    hub.register_worker(WorkerDefinition(worker_type="tester", name="Tester", executor=lambda given: given))
    composer.refresh()
    assert [item["name"] for item in composer.palette if item["group"] == "worker"] == ["Coder", "Tester"]


def test_intents_change_the_workflow_and_what_is_shown(hub):
    composer = Composer(hub)
    ask(composer, "add", group="worker", name="Coder", at=[10, 20])
    ask(composer, "add", group="kind", name="step", at=[10, 200], to={"source": "coder", "kind": "success"})
    assert composer.workflow.steps["coder"].on_success == "step"
    assert {box["id"]: (box["x"], box["y"]) for box in composer.boxes}["step"] == (10, 200)
    assert composer.panel["subject"] == "step"
    ask(composer, "remove", steps=["coder"], lines=[])
    ask(composer, "undo")
    assert list(composer.workflow.steps) == ["coder", "step"]
    ask(composer, "redo")
    assert list(composer.workflow.steps) == ["step"]


def test_a_mistake_is_told_and_changes_nothing(hub):
    composer = Composer(hub, create_build_website_workflow())
    for intent, args in [
        ("connect", {"source": "create_specs", "kind": "success", "target": "a/b"}),
        ("connect", {"source": "gone", "kind": "success", "target": "failed"}),
        ("lead", {"source": "create_specs", "field": "branches[0]", "target": None}),
        ("add", {"group": "worker", "name": "Nobody"}),
        ("put", {"step": "create_specs", "path": ["reads"], "move": "explode"}),
        ("put", {"step": "create_specs", "path": []}),
        ("shift", {"spots": {"create_specs": [float("nan"), 0]}}),
        ("shift", {"spots": {"create_specs": ["x"]}}),
        ("remove", {"steps": 3}),
        ("read", {"text": "steps: ["}),
        ("take_over", {"text": "[]"}),
        ("nonsense", {}),
    ]:
        before = composer.notice.get("number", 0)
        assert ask(composer, intent, **args)["level"] == "error", intent
        assert composer.notice["number"] == before + 1
        assert composer.workflow == create_build_website_workflow()


def test_a_refused_field_is_shown_at_the_field_and_not_as_a_notice(hub):
    composer = Composer(hub, create_build_website_workflow())
    ask(composer, "select", step="create_specs")
    assert ask(composer, "put", step="create_specs", path=["max_retries"], value="many") == {}
    assert "valid integer" in composer.panel["refused"][0]["reason"]
    ask(composer, "forget", step="create_specs", path=["max_retries"])
    assert composer.panel["refused"] == []


def test_a_browser_learns_which_of_its_selections_was_heard(hub):
    composer = Composer(hub, create_build_website_workflow())
    ask(composer, "connect", source="completed", kind="success", target="completed")
    assert (composer.view["selected"], composer.view["picked"]) == (None, None)
    ask(composer, "select", step="completed", pick="tab 1")
    ask(composer, "select", step="review_code", pick="tab 2")
    assert (composer.view["selected"], composer.view["picked"]) == ("review_code", "tab 2")
    ask(composer, "add", group="kind", name="step")
    assert (composer.view["selected"], composer.view["picked"]) == ("step", "tab 2")


def test_yaml_goes_out_and_in(hub):
    composer = Composer(hub)
    ask(composer, "read", text=create_build_website_workflow().to_yaml())
    assert composer.workflow == create_build_website_workflow()
    ask(composer, "read", text=create_build_website_workflow().to_json())
    assert composer.workflow == create_build_website_workflow()
    assert WorkflowDefinition.from_yaml(composer.to_yaml()) == composer.workflow
    ask(composer, "undo")
    ask(composer, "undo")
    assert composer.workflow == WorkflowDefinition(name="workflow")


def test_an_unsound_workflow_is_taken_in_and_a_malformed_one_refused(hub):
    composer = Composer(hub)
    ask(
        composer, "read", text="name: odd\ninitial_step: nowhere\nsteps:\n  a: {worker_type: coder, on_success: gone}\n"
    )
    assert composer.workflow.steps["a"].on_success == "gone"
    assert not composer.view["is_sound"]
    with pytest.raises(WorkflowFileError, match="worker_typ"):
        composer.load("name: odd\nsteps:\n  a: {worker_typ: coder}\n")
    assert composer.workflow.steps["a"].on_success == "gone"
    with pytest.raises(WorkflowFileError, match="at most"):
        composer.load("#" * 3_000_000)


def test_register_registers_what_is_sound_and_says_what_is_not(hub):
    composer = Composer(hub, create_build_website_workflow())
    assert "Registered 'build_website' now" in ask(composer, "register")["text"]
    assert hub.workflows["build_website"] == create_build_website_workflow()
    assert any(item["group"] == "workflow" for item in composer.palette)
    assert "again" in ask(composer, "register")["text"]
    ask(composer, "put", step=None, path=["initial_step"], value=None)
    assert "No initial step" in ask(composer, "register")["text"]
    assert hub.workflows["build_website"].initial_step == "create_specs"


def test_text_is_sent_to_who_asked(hub, monkeypatch):
    composer = Composer(hub, create_build_website_workflow())
    sent = []
    monkeypatch.setattr(composer, "send", lambda content, buffers=None: sent.append((content, buffers)))
    ask(composer, "write", what="code", ticket="t1")
    ask(composer, "write", what="yaml", ticket="t2")
    assert [content["text"]["ticket"] for content, _ in sent] == ["t1", "t2"]
    assert sent[0][0]["text"]["text"] == composer.to_code()
    assert sent[1][0]["text"]["text"] == composer.to_yaml()


def test_the_large_bundle_is_sent_when_it_is_asked_for_and_stands_in_no_state(hub, monkeypatch):
    composer = Composer(hub, create_build_website_workflow())
    sent = []
    monkeypatch.setattr(composer, "send", lambda content, buffers=None: sent.append((content, buffers)))
    ask(composer, "bundle")
    (content, (code, style)), *_ = sent
    assert content["bundle"]["forms"].keys() >= {"step", "map", "definition"}
    assert len(code) > 100_000
    assert b".okc" in style
    state = composer.get_state()
    assert sum(len(str(value)) for value in state.values()) < 60_000


def test_what_a_page_kept_is_taken_over_with_the_places_of_its_boxes(hub):
    earlier = Composer(hub, create_build_website_workflow())
    ask(earlier, "shift", spots={"failed": [700, 30]})
    composer = Composer(hub, name="build_website")
    assert "Took over 'build_website', 5 steps" in ask(composer, "take_over", text=earlier.kept)["text"]
    assert composer.workflow == create_build_website_workflow()
    assert composer.boxes == earlier.boxes


def test_what_no_text_can_hold_is_not_kept(hub):
    flow = WorkflowDefinition(name="flow")
    flow.add_step(WorkflowStep(step_id="a", worker_type="coder", is_terminal=True, success_when=lambda o, c: True), is_initial=True)  # fmt: skip
    composer = Composer(hub, flow)
    assert composer.kept == ""
    assert "lambda" in ask(composer, "write", what="code", ticket="t")["text"]
    assert composer.view["is_sound"] is False or composer.workflow == flow


def test_code_has_the_variable_of_ones_choice(hub):
    composer = Composer(hub, create_build_website_workflow())
    assert "\nflow.add_step(" in composer.to_code("flow")
    with pytest.raises(ValueError, match="no name in Python"):
        composer.to_code("no name")


def test_insert_needs_a_notebook(hub):
    with pytest.raises(RuntimeError, match=r"composer\.to_code\(\)"):
        Composer(hub).insert()


def test_insert_gives_the_next_cell(hub, monkeypatch):
    given = []

    class Shell:
        def set_next_input(self, text, replace):
            given.append((text, replace))

    import IPython.core.getipython

    monkeypatch.setattr(IPython.core.getipython, "get_ipython", Shell)
    composer = Composer(hub, create_build_website_workflow())
    composer.insert()
    assert given == [(composer.to_code(), False)]


def test_two_threads_compose_without_losing_an_edit(hub):
    composer = Composer(hub)

    def add() -> None:
        for _ in range(10):
            ask(composer, "add", group="kind", name="step")

    with warnings.catch_warnings():
        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(composer.workflow.steps) == 20


def test_nested_workflows_are_entered_and_left(hub):
    composer = Composer(hub)
    ask(composer, "add", group="kind", name="map")
    ask(composer, "put", step="map", path=["body"], value={"name": "inner"})
    ask(composer, "enter", step="map", name="each")
    ask(composer, "add", group="kind", name="step")
    assert composer.view["scope"] == [["map", "each"]]
    ask(composer, "leave", depth=0)
    assert list(composer.workflow.steps["map"].body.steps) == ["step"]
    assert "No workflow stands" in ask(composer, "enter", step="step", name="x")["text"]
