"""`worker_from`: one line for every kind."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
from orchestration_kit.errors import InvalidWorker
from orchestration_kit.workers.adapt import NotAWorker, worker_from
from orchestration_kit.workers.person import Person


def output_of(worker: WorkerDefinition, goal: str = "goal") -> object:
    hub = Orchestrator()
    hub.register_worker(worker)
    hub.register_workflow(create_generic_pipeline([("work", "generic", "")]))
    context = hub.execute_workflow("work", goal, verbose=False)
    assert context.state == "completed", context.error
    return context.data["work_output"]


def shout(text):
    return text.upper()


async def ashout(text):
    return text.upper()


def pieces(text):
    yield text[:2]
    yield text[2:].upper()


class Shouter:
    def __call__(self, text, context):
        return f"{text} {context.attempt}"

    def run(self, text):
        return text.upper()


@pytest.mark.parametrize(
    ("thing", "name", "output"),
    [
        (shout, "shout", "GOAL"),
        (ashout, "ashout", "GOAL"),
        (pieces, "pieces", "goAL"),
        (Shouter(), "Shouter", "goal 1"),
        (Shouter().run, "run", "GOAL"),
        (functools.partial(shout), "shout", "GOAL"),
        (str.upper, "upper", "GOAL"),
        (len, "len", 4),
        (list, "list", ["g", "o", "a", "l"]),
        (["cat"], "cat", "goal"),
        ((sys.executable, "-c", "print(input()[::-1])"), Path(sys.executable).name, "laog"),
    ],
)
def test_each_kind_is_one_line(thing, name, output):
    worker = worker_from(thing)
    assert (worker.name, worker.worker_type) == (name, "generic")
    assert output_of(worker) == output


def test_name_type_and_description_can_be_given():
    worker = worker_from(shout, worker_type="shouter", name="Loud", description="Shouts")
    assert (worker.worker_type, worker.name, worker.description) == ("shouter", "Loud", "Shouts")


def test_every_kind_takes_transformers_and_a_schema():
    options = {"input_transformer": lambda context: 20, "output_transformer": lambda output: output + 1}
    assert output_of(worker_from(lambda n: str(n * 2), output_schema=int, **options)) == 41
    assert output_of(worker_from(["cat"], output_schema=int, **options)) == 21


def test_two_lambdas_have_names_of_their_own():
    assert worker_from(lambda text: text + "!").name != worker_from(lambda text: text + "?").name


def test_a_script_is_in_the_name_of_a_program():
    assert worker_from(["/usr/bin/python3", "jobs/clean.py", "--fast"]).name == "python3 clean.py"
    assert worker_from(["curl", "-H", "Authorization: secret"]).name == "curl"


def test_a_worker_definition_can_be_given_another_name():
    made = worker_from(shout, worker_type="shouter", description="Shouts")
    again = worker_from(made, name="Loud")
    assert (again.worker_type, again.name, again.description) == ("shouter", "Loud", "Shouts")
    assert worker_from(made, worker_type="caller").worker_type == "caller"
    assert made.name == "shout"


def test_what_can_be_turned_into_a_worker_says_so_itself():
    class Doer:
        name = "doer"

        def as_worker(self, *, loud: bool = False):
            return (lambda text: text.upper()) if loud else (lambda text: text)

    worker = worker_from(Doer(), loud=True)
    assert (worker.name, output_of(worker)) == ("doer", "GOAL")


def test_a_doer_agent_is_a_worker_and_its_options_are_known():
    from pydantic_ai.models.test import TestModel

    from orchestration_kit.workers.doer import DoerAgent

    worker = worker_from(DoerAgent(model=TestModel(call_tools=[], custom_output_text="done"), name="helper"))
    assert (worker.name, output_of(worker)) == ("helper", "done")
    with pytest.raises(TypeError, match="has no option 'loud'"):
        worker_from(DoerAgent(), loud=True)
    with pytest.raises(NotAWorker, match=r"Write worker_from\(DoerAgent\(...\)\)"):
        worker_from(DoerAgent)


def test_what_as_worker_gives_may_be_a_definition():
    class Doer:
        def as_worker(self):
            return WorkerDefinition(worker_type="x", name="y", executor=shout)

    assert output_of(worker_from(Doer())) == "GOAL"


def test_a_pydantic_ai_agent_is_a_worker():
    from pydantic_ai import Agent
    from pydantic_ai.models.test import TestModel

    worker = worker_from(Agent(TestModel(custom_output_text="Ahoy!"), name="sailor"), prompt="Greet {input}")
    assert (worker.name, output_of(worker, "Ada")) == ("sailor", "Ahoy!")


def test_an_address_with_a_model_is_a_worker():
    worker = worker_from("http://127.0.0.1:9/v1", model="qwen3", instructions="Be brief.")
    assert worker.name == "qwen3"


def test_an_address_without_a_model_says_what_is_missing():
    with pytest.raises(TypeError, match="needs model=..."):
        worker_from("http://127.0.0.1:9/v1")


def test_an_option_that_a_kind_does_not_have_is_refused_with_the_nearest():
    with pytest.raises(TypeError, match="no option 'timeout'. Did you mean 'timeout_s'?"):
        worker_from(["sleep", "1"], timeout=3)
    with pytest.raises(TypeError, match="no option 'stream'"):
        worker_from(shout, stream=True)


def test_a_key_in_arguments_is_not_shown():
    with pytest.raises(TypeError) as caught:
        worker_from(["curl", "sk-ant-api03-" + "a1B2" * 12 + "-x"], nonsense=1)
    assert "REDACTED" in str(caught.value)
    assert "a1B2" not in str(caught.value)


@pytest.mark.parametrize(
    ("thing", "part"),
    [
        ("ls -l", "worker_from(['ls', '-l'])"),
        ("openai:gpt-5-mini", "worker_from(Agent('openai:gpt-5-mini'))"),
        (Path("jobs/clean.py"), "'jobs/clean.py'])"),
        (Shouter, "Write worker_from(Shouter(...))."),
        (Person, "worker_from"),
        (None, "What can be a worker:"),
        (3, "a fitted scikit-learn estimator"),
        ({"a": 1}, "a program, as a list of arguments"),
        (b"ls", "it is text"),
    ],
)
def test_what_is_no_worker_says_what_was_meant(thing, part):
    with pytest.raises((NotAWorker, InvalidWorker)) as caught:
        worker_from(thing)
    assert part in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_object_with_a_method_that_runs_is_told_to_give_that():
    class Crew:
        def kickoff(self, given):
            return given

    with pytest.raises(NotAWorker, match=r"worker_from\(thing.kickoff\)"):
        worker_from(Crew())


@pytest.mark.parametrize("thing", [lambda: None, lambda a, b, c: None])
def test_a_function_with_other_parameters_is_refused_at_once(thing):
    with pytest.raises(InvalidWorker, match="cannot be called with"):
        worker_from(thing)


def test_a_broken_repr_does_no_harm():
    class Broken:
        def __repr__(self):
            raise ValueError

    with pytest.raises(NotAWorker, match="a Broken"):
        worker_from(Broken())


def test_nothing_heavy_is_imported_for_a_plain_function():
    code = (
        "import sys\n"
        "from orchestration_kit.workers.adapt import worker_from\n"
        "worker_from(str.upper); worker_from(['ls'])\n"
        "import orchestration_kit.evaluation, orchestration_kit.workers.estimator, orchestration_kit.workers.invoking\n"
        "import orchestration_kit.workers.person, orchestration_kit.workers.program\n"
        "names = ('sklearn', 'langchain_core', 'pydantic_ai', 'pydantic_evals', 'pandas', 'openai')\n"
        "print([name for name in names if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"


def test_the_model_may_stand_behind_the_address():
    assert worker_from("http://127.0.0.1:11434/v1#qwen3").name == "qwen3"
    assert worker_from("http://127.0.0.1:11434/v1#qwen3", model="llama").name == "llama"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("localhost:11434/v1", "worker_from('http://localhost:11434/v1', model='...')"),
        ("ftp://models.example/v1", "worker_from('http://models.example/v1', model='...')"),
        ("cat a.txt | sort", "no pipes"),
        ("gpt-4o", "Agent('openai:gpt-4o')"),
        ("huggingface:01-ai/Yi", "Agent('huggingface:01-ai/Yi')"),
    ],
)
def test_what_was_meant_by_a_text_is_guessed(text, hint):
    with pytest.raises(NotAWorker) as caught:
        worker_from(text)
    assert hint in str(caught.value).splitlines()[0]


def test_a_key_that_was_given_for_a_worker_is_not_shown():
    key = "sk-proj-q7Zp2Vd9Kx4Lm8Rt5Wn3Hs6Yb1Jc0Fg7Ua"
    with pytest.raises(NotAWorker) as caught:
        worker_from(key)
    assert key not in str(caught.value)
