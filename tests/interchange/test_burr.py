"""Applications of the real Burr become definitions: ordered transitions, conditions on the data bus, reads and writes."""

from __future__ import annotations

import pytest
from burr.core import ApplicationBuilder, Condition, GraphBuilder, State, action, default, expr, when
from burr.core.parallelism import MapActions

from orchestration_kit import Orchestrator, WorkerDefinition
from orchestration_kit.interchange import NotImportable, from_burr


@action(reads=["n"], writes=["n"])
def count(state: State) -> State:
    raise AssertionError("an import runs nothing")


@action(reads=["n", "tone"], writes=["answer"])
def answer(state: State, question: str, style: str = "dry") -> State:
    raise AssertionError("an import runs nothing")


@action(reads=["answer"], writes=[])
def publish(state: State) -> State:
    raise AssertionError("an import runs nothing")


def built(*transitions, **state):
    builder = ApplicationBuilder().with_actions(count=count, answer=answer, publish=publish)
    return builder.with_transitions(*transitions).with_state(**state).with_entrypoint("count").build()


def conditions(made, step_id="count"):
    return [text for _, text in made.workflow.steps[step_id].conditions()]


def ways(made, step_id):
    return [(way.kind, way.target) for way in made.workflow.steps[step_id].transitions()]


def test_a_counter_becomes_a_loop_with_a_condition_on_the_data_bus():
    made = from_burr(
        built(
            ("count", "count", expr("n < 10")),
            ("count", "answer", default),
            ("answer", "publish", default),
            n=0,
            tone="dry",
        ),
        name="counter",
    )
    assert made.workflow.validate() == (True, None)
    assert (made.workflow.name, made.workflow.initial_step) == ("counter", "count")
    assert ways(made, "count") == [("branch", "count"), ("success", "answer")]
    assert conditions(made) == ["data.n < 10"]
    step = made.workflow.steps["answer"]
    assert (step.worker_type, step.reads, step.writes) == ("answer", ("n", "tone"), ("answer",))
    assert made.workflow.steps["publish"].is_terminal
    assert [(note.code, note.steps) for note in made.notes] == [("inputs", ("answer",)), ("state", ())]
    assert "'answer' takes 'question' from outside" in str(made.notes[0])
    assert "initial_data" in made.notes[1].hint
    assert "n, tone" in made.notes[1].message

    def counting(value, context):
        context.data["n"] += 1

    hub = Orchestrator()
    for name, worker in {"count": counting, "answer": lambda v: "42", "publish": lambda v: v}.items():
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=worker))
    hub.register_workflow(made.workflow)
    result = hub.execute_workflow("counter", "count", {"n": 0, "tone": "dry"}, verbose=False)
    assert [entry["step"] for entry in result.history] == ["count"] * 10 + ["answer", "publish"]


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (when(n=3), "data.n == 3"),
        (when(n__gt=3, tone="dry"), 'data.n > 3 && data.tone == "dry"'),
        (when(tone__in=["a", "b"]), 'data.tone in ["a", "b"]'),
        (when(tone__notin=["a"]), '!(data.tone in ["a"])'),
        (when(tags__contains="x"), '"x" in data.tags'),
        (when(n__is=None), "data.n == null"),
        (when(n__isnot=None), "data.n != null"),
        (~when(n=3), "!(data.n == 3)"),
        (when(n=3) | ~expr("n < 1"), "(data.n == 3) || (!(data.n < 1))"),
        (when(n=3) & expr("tone == 'dry' or n != 1"), '(data.n == 3) && (data.tone == "dry" || data.n != 1)'),
        (expr("len(tags) >= 2"), "size(data.tags) >= 2"),
        (expr("0 < n <= 5"), "0 < data.n && data.n <= 5"),
        (expr("person['age'] > 18"), 'data.person["age"] > 18'),
        (expr("n is not None"), "data.n != null"),
    ],
)  # fmt: skip
def test_conditions_that_say_what_they_look_at_become_cel(condition, text):
    made = from_burr(built(("count", "answer", condition), ("count", "publish", default)))
    assert conditions(made) == [text]
    assert made.workflow.validate() == (True, None)
    assert {note.code for note in made.notes} <= {"inputs", "state"}


@pytest.mark.parametrize(
    "condition",
    [
        Condition.lmda(lambda state: state["n"] > 3, ["n"]),
        expr("n.bit_length() > 2"),
        expr("any(x for x in tags)"),
        expr("n ** 2 > 4"),
        expr("f'{n}' == 'x'"),
        when(n=object()),
        ~Condition.lmda(lambda state: True, []),
        Condition(["n"], lambda state: True, name="n > 3"),
    ],
)
def test_conditions_that_are_code_are_what_the_worker_says(condition):
    made = from_burr(built(("count", "answer", condition), ("count", "publish", default)))
    assert conditions(made) == ['output.next == "answer"']
    (note,) = [note for note in made.notes if note.code == "routing"]
    assert "puts the name of the action to go to at output.next" in str(note)


def test_truth_of_any_value_is_told():
    made = from_burr(built(("count", "answer", expr("tags and not n")), ("count", "publish", default)))
    assert conditions(made) == ["data.tags == true && !(data.n == true)"]
    assert "takes any value for true or false" in str(next(note for note in made.notes if note.code == "truth"))


def test_where_no_transition_holds_the_run_ends():
    made = from_burr(built(("count", "answer", expr("n > 3"))))
    assert ways(made, "count") == [("branch", "answer"), ("success", "end")]


def test_what_stands_behind_the_default_is_never_tried():
    made = from_burr(built(("count", "answer", default), ("count", "publish", expr("n > 3"))))
    assert ways(made, "count") == [("success", "answer")]
    assert "is never tried: 'publish'" in str(next(note for note in made.notes if note.code == "default"))


def test_a_loop_that_is_halted_from_outside_ends_where_it_is_halted():
    app = built(("count", "answer", default), ("answer", "count", default))
    assert not from_burr(app).workflow.validate()[0]
    made = from_burr(app, halt_after=["answer"])
    assert made.workflow.steps["answer"].is_terminal
    assert "The run ends after 'answer'" in " ".join(map(str, made.notes))
    assert from_burr(app, halt_after="answer").workflow == made.workflow
    with pytest.raises(
        NotImportable, match=r"halt_after names 'anser', which is no action of it. .* Did you mean 'answer'"
    ):
        from_burr(app, halt_after=["anser"])


def test_what_is_no_application_is_refused():
    with pytest.raises(NotImportable, match="A dict cannot be imported: it is no application of Burr. Give what build"):
        from_burr({})


def test_a_graph_without_an_application_begins_at_its_first_action():
    graph = GraphBuilder().with_actions(count=count, publish=publish).with_transitions(("count", "publish")).build()
    made = from_burr(graph)
    assert made.workflow.initial_step == "count"
    assert made.workflow.validate() == (True, None)


def test_actions_that_run_others_at_once_are_told():
    class Both(MapActions):
        def actions(self, state, context, inputs):
            yield count

        def state(self, state, inputs):
            return state

        def reduce(self, state, states):
            return state

        reads, writes = [], []

    app = (
        ApplicationBuilder()
        .with_actions(both=Both(), publish=publish)
        .with_transitions(("both", "publish"))
        .with_entrypoint("both")
        .build()
    )
    assert "parallel" in [note.code for note in from_burr(app).notes]


def test_names_that_no_step_can_have_are_changed_and_workers_keep_them():
    app = ApplicationBuilder().with_actions(**{"a/b": count}).with_entrypoint("a/b").build()
    made = from_burr(app)
    assert [(s, step.worker_type) for s, step in made.workflow.steps.items()] == [("a-b", "a/b")]
    assert made.notes[0].code == "name"
