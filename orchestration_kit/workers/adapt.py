"""`worker_from`: one line for every kind of worker. It looks at what it is given, and never calls it."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from orchestration_kit.definition.workers import WorkerDefinition, WorkerType
from orchestration_kit.errors import InvalidWorker, did_you_mean, listed
from orchestration_kit.workers.function import function, name_of

_SHAPING = ("input_transformer", "output_transformer", "output_schema", "resources", "idempotent", "at_hub")
"""Options that every worker has: fields of `WorkerDefinition`."""
_MAX_NAME = 200
_OF_A_SHELL = ("|", "&&", ";", ">", "<", "$(", "`")
_POSSIBLE = """What can be a worker:
  a function, coroutine function, generator or object that can be called    worker_from(summarise)
  a pydantic-ai agent                                                       worker_from(Agent("openai:gpt-5-mini"))
  a DoerAgent                                                               worker_from(DoerAgent(model=...))
  an address that speaks OpenAI's protocol                                  worker_from("http://...", model="...")
  anything with invoke or ainvoke, as LangChain has it                      worker_from(prompt | model)
  a fitted scikit-learn estimator                                           worker_from(classifier)
  a program, as a list of arguments                                         worker_from(["python", "clean.py"])
  a person                                                                  worker_from(Person("Is it good?"))"""
_METHODS = ("run", "arun", "kickoff", "chat", "complete", "generate", "predict", "query", "ask", "process")


class NotAWorker(InvalidWorker):
    """A thing of which no worker can be made."""

    def __str__(self) -> str:
        return f"No worker can be made of {self.worker}: {self.reason}. {self.hint}"


class _Kind(NamedTuple):
    """What a thing is: how to make a worker of it, and what to call it."""

    make: Callable[..., Any]
    name: str
    """Empty: that of the model which the options name."""


def worker_from(
    thing: Any,
    *,
    worker_type: WorkerType | str = "generic",
    name: str | None = None,
    description: str = "",
    **options: Any,
) -> WorkerDefinition:
    """Return a worker, to be registered: `hub.register_worker(worker_from(...))`.

    >>> worker_from(str.upper).name
    'upper'
    >>> worker_from(["sort", "--reverse"], worker_type="sorter", output="lines").name
    'sort'

    Args:
        thing: One of these, with its options:

            - a function, coroutine function, generator or object that can be called;
            - a pydantic-ai `Agent`: see `workers.llm.agent_worker`;
            - a `DoerAgent`;
            - an http(s) address that speaks OpenAI's protocol, with `model=`, or with `#MODEL` at its end: see
              `workers.llm.endpoint_worker`;
            - anything with `invoke` or `ainvoke`, as LangChain has it: see `workers.invoking`;
            - a fitted scikit-learn estimator: see `workers.estimator`;
            - a program, as a list of arguments: see `workers.program`;
            - a `Person`, who is asked in the notebook or the terminal: see `workers.person`;
            - a `WorkerDefinition`, to be given another name or type.
        worker_type: What it does; steps ask for workers by type.
        name: Which one it is; by default what the thing is called: a function's or an agent's name, a model's, a
            program's.
        description: What it is for.
        **options: Those of its kind; for each kind `input_transformer`, a function of (context) or of (input_data,
            context), `output_transformer`, of (output) or (output, context), and `output_schema`; `resources`,
            `idempotent` and `at_hub` as in `WorkerDefinition`.

    Raises:
        NotAWorker: (a TypeError) it is none of these; it says what was meant, where that can be guessed.
        InvalidWorker: it is one that cannot work, such as an estimator that is not fitted.
        TypeError: there is no such option.
    """
    thing, options = _named_behind(thing, options)
    shaping = {key: options.pop(key) for key in _SHAPING if key in options}
    if isinstance(thing, WorkerDefinition):
        _check_options("a WorkerDefinition", _definition_again, options)
        changes = {"worker_type": worker_type if worker_type != "generic" else thing.worker_type}
        named = {"name": name} if name else {}
        told = {"description": description} if description else {}
        fields: dict[str, Any] = {key: getattr(thing, key) for key in WorkerDefinition.model_fields}
        fields |= {**changes, **named, **told, **shaping}
        return WorkerDefinition(**fields)
    kind = _kind_of(thing)
    _check_options(_shown(thing), kind.make, options)
    title = (name or kind.name or str(options.get("model") or "model"))[:_MAX_NAME]
    if "name" in inspect.signature(kind.make).parameters:
        options["name"] = title
    made = kind.make(thing, **options)
    if isinstance(made, WorkerDefinition):  # from as_worker()
        made = made.executor
    definition = WorkerDefinition(
        worker_type=worker_type, name=title, description=description, executor=made, **shaping
    )
    _check(definition)
    return definition


def _named_behind(thing: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return an address and its model, where it stands behind the address: `http://127.0.0.1:11434/v1#qwen3`."""
    if not (isinstance(thing, str) and _is_address(thing)):
        return thing, options
    address, _, model = thing.partition("#")
    return address, {"model": model, **options} if model else options


def _is_address(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _definition_again() -> None:
    """Stands for what takes no options of its own."""


def _kind_of(thing: Any) -> _Kind:  # noqa: C901 - one kind after the other
    if isinstance(thing, type):
        _refuse_class(cast("type[Any]", thing))
        return _Kind(function, name_of(thing))
    if isinstance(thing, (str, bytes, os.PathLike)):
        return _of_text(thing)
    if isinstance(thing, (list, tuple)):
        from orchestration_kit.workers.program import program

        return _Kind(program, _program_name(cast("Any", thing)))
    if _is_person(thing):
        from orchestration_kit.workers.person import person

        return _Kind(person, "person")
    if _is_agent(thing):
        from orchestration_kit.workers.llm import agent_worker

        return _Kind(agent_worker, _agent_name(thing))
    if callable(getattr(thing, "as_worker", None)):
        return _Kind(_of_doer(thing), _agent_name(thing))
    from orchestration_kit.workers.estimator import estimator, is_estimator

    if is_estimator(thing):
        return _Kind(estimator, cast("Any", type(thing)).__name__)
    if callable(getattr(thing, "ainvoke", None)) or callable(getattr(thing, "invoke", None)):
        from orchestration_kit.workers.invoking import invoking, runnable_name

        return _Kind(invoking, runnable_name(thing))
    if callable(thing):
        return _Kind(function, name_of(thing))
    found = [method for method in _METHODS if callable(getattr(thing, method, None))]
    if found:
        hint = f"It has a method {found[0]!r}; give that: worker_from(thing.{found[0]})."
        raise NotAWorker(_shown(thing), "it cannot be called", hint)
    raise NotAWorker(_shown(thing), "it is nothing that could work", _POSSIBLE)


def _refuse_class(thing: type[Any]) -> None:
    """Refuse a class whose instances are meant; others are functions that make a thing, such as `int`."""
    person = sys.modules.get("orchestration_kit.workers.person")
    if person is not None and issubclass(thing, person.Person):
        raise NotAWorker("the class Person", "an instance of it is needed", 'Write worker_from(Person("Is it good?")).')
    methods = ("__call__", "invoke", "ainvoke", "as_worker", "fit", "run_sync")
    if any(method in base.__dict__ for base in thing.__mro__ for method in methods):
        example = f"worker_from({thing.__name__}(...){'.fit(X, y)' if hasattr(thing, 'get_params') else ''})"
        raise NotAWorker(f"the class {thing.__name__}", "an instance of it is needed", f"Write {example}.")


def _of_text(thing: Any) -> _Kind:
    if isinstance(thing, str) and _is_address(thing):
        from orchestration_kit.workers.llm import endpoint_worker

        return _Kind(endpoint_worker, "")
    if isinstance(thing, os.PathLike):
        path = os.fspath(cast("os.PathLike[str]", thing))
        start = [sys.executable, path] if str(path).endswith(".py") else [path]
        hint = f"To run it as a program: worker_from({start!r:.200})."
        raise NotAWorker(_shown(thing), "a path is no program with its arguments", hint)
    raise NotAWorker(_shown(thing), "it is text, and no http(s) address", f"{_meant(str(thing))}\n{_POSSIBLE}")


def _meant(text: str) -> str:
    """Return what to write in the place of a text: what may have been meant by it."""
    from orchestration_kit.secrets.scrubber import Scrubber
    from orchestration_kit.workers.llm.models import reads_like_an_address

    text = Scrubber().text(text)
    words = text.split()[:8]
    if len(words) == 1 and reads_like_an_address(text):
        address = "http://" + text.partition("://")[2] if "://" in text else "http://" + text
        return f"For a server that speaks OpenAI's protocol: worker_from({address!r:.120}, model='...')."
    if len(words) == 1 and ":" in text:
        return f"For a language model: worker_from(Agent({text!r:.80})), with Agent from pydantic_ai."
    if any(mark in text for mark in _OF_A_SHELL):
        return "No shell reads it, so there are no pipes. Make a worker of each program, or run them in a function."
    program = f"worker_from({words!r:.200})"
    hint = f"To run a program, give its arguments as a list; no shell reads them: {program}."
    if len(words) == 1:
        hint += f" For a language model: worker_from(Agent({'openai:' + text!r:.80})), with Agent from pydantic_ai."
    return hint


def _is_person(thing: Any) -> bool:
    module = sys.modules.get("orchestration_kit.workers.person")
    return module is not None and isinstance(thing, module.Person)


def _is_agent(thing: Any) -> bool:
    """Whether it is an agent of pydantic-ai, which is not imported to find out."""
    module = sys.modules.get("pydantic_ai.agent")
    return module is not None and isinstance(thing, module.AbstractAgent)


def _of_doer(doer: Any) -> Callable[..., Any]:
    """Return what makes a worker of an agent that can do so itself; its options are those of `as_worker`."""

    def make(_: Any, **options: Any) -> Any:
        return doer.as_worker(**options)

    cast("Any", make).__signature__ = inspect.signature(doer.as_worker)
    return make


def _agent_name(agent: Any) -> str:
    """Return an agent's own name, else its model's, else its class's."""
    model = getattr(agent, "model", None)
    for value in (getattr(agent, "name", None), model, getattr(model, "model_name", None)):
        if isinstance(value, str) and value.strip():
            return value
    return type(agent).__name__


def _program_name(argv: Any) -> str:
    """Return a program's name, with that of the script where it is an interpreter that runs one."""
    parts = [os.path.basename(str(one)) for one in argv[:2]]  # noqa: PTH119 - of a text that may be no path
    is_script = len(parts) == 2 and parts[1].endswith((".py", ".sh", ".js", ".R", ".rb", ".pl"))
    return (" ".join(parts) if is_script else "".join(parts[:1])) or "program"


def _check_options(what: str, make: Callable[..., Any], options: dict[str, Any]) -> None:
    """Refuse an option that a kind does not have, naming the one that was probably meant."""
    parameters = inspect.signature(make).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return
    own = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.name != "name"]
    known = [*own, *_SHAPING]
    for option in options:
        if option not in known:
            raise TypeError(
                f"worker_from({what}) has no option {option!r}.{did_you_mean(option, known)} "
                f"Its options: {listed(['worker_type', 'name', 'description', *known], limit=24)}."
            )
    needed = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is one.empty]
    missing = [one for one in needed if one not in options]
    if missing:
        raise TypeError(f"worker_from({what}) needs {missing[0]}=...: worker_from({what}, {missing[0]}='...').")


def _check(definition: WorkerDefinition) -> None:
    """See that the hub will take it, here and now, where the thing is at hand."""
    from orchestration_kit.engine.calls import bind_worker

    bind_worker(definition)


def _shown(thing: Any) -> str:
    try:
        shown = repr(thing)
    except Exception:  # noqa: BLE001 - somebody else's repr
        shown = f"a {cast('Any', type(thing)).__name__}"
    from orchestration_kit.secrets.scrubber import Scrubber

    clean = Scrubber().text(shown[:4_000])  # before it is cut, or half a key would show
    return clean if len(clean) <= 80 else f"{clean[:77]}..."
