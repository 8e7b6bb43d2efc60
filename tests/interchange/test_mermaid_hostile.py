"""Nothing in a flowchart does anything, whatever it says; what is wrong names its line, and nothing takes long."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestration_kit import WorkflowDefinition
from orchestration_kit.definition import (
    Branch,
    WorkflowStep,
)
from orchestration_kit.interchange import MermaidError, from_mermaid, to_mermaid
from tests.hostile import PAYLOADS

HOSTILE = """flowchart TD
  %%{init: {"securityLevel": "loose", "theme": "base", "themeCSS": "x}"}}%%
  a["<img src=x onerror=alert(1)>"] --> b["<script>alert(1)</script>"]
  click a href "javascript:alert(1)" "tip" _blank
  click b call callback() "tip"
  href b "javascript:alert(1)"
  b --> c["{{7*7}} ${x} __import__('os')"]
  c -->|"__import__('os').system('x')"| a
  c -->|"<b>ok</b>"| d
"""


def test_a_hostile_chart_does_nothing():
    made = from_mermaid(HOSTILE)
    assert made.workflow.validate() == (True, None)
    assert "What a click does is left out: click (line 4), click (line 5), href (line 6)" in " ".join(
        map(str, made.notes)
    )
    assert list(made.workflow.steps)[:2] == ["<img src=x onerror=alert(1)>", "<script>alert(1)<-script>"]
    shown = made._repr_mimebundle_()["text/html"]
    assert "<img" not in shown
    assert "<script" not in shown
    assert "output.next == \"__import__('os').system('x')\"" in [
        text for _, text in made.workflow.steps["{{7*7}} ${x} __import__('os')"].conditions()
    ]


@pytest.mark.parametrize("payload", [payload for payload in PAYLOADS if payload.strip() and payload.isprintable()])
def test_hostile_texts_come_back_as_they_were(payload):
    step_id = "".join(c for c in payload if c not in "#/[]")[:200]
    workflow = WorkflowDefinition(name=payload[:200], initial_step=step_id)
    workflow.add_step(
        WorkflowStep(
            step_id=step_id,
            worker_type=payload[:200],
            branches=(Branch(when="visits > 1", to=step_id, label=payload.strip()),),
            on_success=step_id,
        )
    )
    made = from_mermaid(to_mermaid(workflow)).workflow
    assert made == workflow


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "this is no flowchart, it is empty. It begins with, for example: flowchart TD"),
        ("sequenceDiagram\n a->>b: hi", 1, "it begins with 'sequenceDiagram'"),
        ("graph TD\n a --> b\n b -> c", 3, "'-> c' does not go on after 'b'. Write an arrow such as -->"),
        ("graph TD\n a -->", 2, "a node is missing at the end"),
        ("graph TD\n a --> ]", 2, "a node is missing before ']'"),
        ("graph TD\n\n a[Text\n b", 3, "the text of node 'a' is never closed. Write ] after it"),
        ("graph TD\n a -->|yes b\n", 2, "the label of an arrow is never closed"),
        ("graph TD\n a -- yes b\n", 2, "this arrow has no end. Write -- text -->, or -->|text|."),
        ("graph TD\n subgraph x\n a --> b\n", 2, "subgraph 'x' is never closed. Write end after it."),
        ("graph TD\n a --> b\n end", 3, "this end closes nothing"),
        ("graph TD\n subgraph x\n end\n subgraph x\n end", 4, "there are two subgraphs 'x'"),
        ("graph TD\n %%{init: {}\n a", 2, "this directive is never closed"),
        ("graph TD\n a@{ shape: rect", 2, "@{ of node 'a' is never closed"),
        ("graph TD\n" + "\n".join(f"n{at}" for at in range(1_100)), 1_002, "there are more than 1,000 nodes"),
        ("graph TD\n" + " & ".join(f"n{at}" for at in range(100)) + " --> " + " & ".join(f"m{at}" for at in range(100)), 2, "there are more than 5,000 arrows"),
        ("graph TD\n" + "subgraph\n" * 30, 18, "more than 16 within one another"),
        ("graph TD\n" + "x" * 600_000, 1, "the text has 600,009 characters. At most 500,000 are read."),
    ],
)  # fmt: skip
def test_what_is_wrong_names_its_line(text, line, said):
    with pytest.raises(MermaidError) as raised:
        from_mermaid(text)
    assert raised.value.line == line
    assert said in str(raised.value)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_no_chart_takes_long():
    charts = [
        "graph TD\n" + "a[/x/] & " * 50_000 + "a",
        "graph TD\n" + "a --> b;" * 5_000,
        "graph TD\n" + 'a["' * 100_000,
        "graph TD\n" + "a" + "-" * 400_000,
        "graph TD\na " + "-- x " * 90_000,
        "graph TD\n" + "".join(f"n{at} --> n{at + 1} & n{at + 2}\n" for at in range(990)),
        "graph TD\n" + "".join(f"subgraph g{at}\n a{at} --> b{at}\nend\n" for at in range(480)) + "".join(f"g{at} --> g{at + 1}\n" for at in range(479)),
    ]  # fmt: skip
    for chart in charts:
        begun = time.process_time()
        try:
            from_mermaid(chart)
        except MermaidError:
            pass
        assert time.process_time() - begun < 20, chart[:60]


PIECES = [
    "a",
    "b[",
    "]",
    "-->",
    "|",
    '"',
    "x",
    " ",
    "\n",
    ";",
    "subgraph g",
    "end",
    "&",
    "{",
    "}",
    "((",
    "))",
    "-.->",
    "==>",
    "%%",
    "%%{",
    "}%%",
    ":::",
    "@{",
    "class a b",
    "click a",
    "<br/>",
    "#34;",
    "--",
    "fork",
    "join: all",
    "start",
    "accDescr {",
    "---",
    "~~~",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join) | st.text(max_size=60))
@example('a[["m<br/>map over data.items"]] ==> a')
@example('a[["m<br/>parallel, all"]] --> b')
@example('a[["run<br/>run of "]] --> b')
@example('a[/"x<br/>asks "/] --> b')
@example('a{{"x<br/>waits until never"}} --> b')
@example('a["x<br/> · "] --> b')
def test_any_text_is_a_workflow_or_refused_with_its_line(text):
    try:
        made = from_mermaid(f"graph TD\n{text}")
    except MermaidError as error:
        assert 1 <= error.line <= text.count("\n") + 3
    else:
        made.workflow.problems()
        assert from_mermaid(to_mermaid(made.workflow)).workflow.steps.keys() == made.workflow.steps.keys()
