"""The magics: `%workflow`, `%%step`, `%run_next` and the others. Each reads its line and calls the session."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any, cast

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from orchestration_kit.errors import listed
from orchestration_kit.widgets.cells import current
from orchestration_kit.widgets.cells.arguments import Usage, parse
from orchestration_kit.widgets.cells.cell_code import body_of_cell
from orchestration_kit.widgets.cells.errors import BadCommand, NoSession, unknown_word
from orchestration_kit.widgets.cells.hubs import hub_in, workflows_in
from orchestration_kit.widgets.cells.session import CellSession
from orchestration_kit.widgets.cells.showing import plainly, show

AGAIN = ("--again", "--fork")
WORKFLOW = Usage(
    '%workflow [NAME] [--goal "..."] [--data VARIABLE] [--run-id ID] [--seed N] [--resume [ID]] [--hub VARIABLE]',
    most_words=1,
    values=("--goal", "--data", "--run-id", "--seed", "--resume", "--hub"),
    optional=("--resume",),
)
STEP = Usage("#| step NAME [--again]   and the code of the step below it", most_words=1, flags=AGAIN)
RUN_NEXT = Usage("%run_next")
RUN_UNTIL = Usage("%run_until [STEP]", most_words=1)
GOTO = Usage("%goto VISIT      such as  %goto review#2", most_words=1)
REFRESH = Usage("%refresh")
APPROVE = Usage('%approve [VALUE]      such as  %approve   or   %approve {"price": 12}')
REJECT = Usage("%reject WHY")
CASSETTE = Usage("%cassette [PATH [auto|record|replay|off]]      %cassette off  ends it", most_words=2)
HISTORY = Usage("%history [--all]", flags=("--all",))
MODES = ("auto", "record", "replay", "off")


@magics_class
class CellMagics(Magics):
    """What `%load_ext orchestration_kit` adds to a notebook."""

    input_history: Any = None
    """IPython's own `%history`, for all that is not ours."""

    @no_var_expand
    @line_magic
    @plainly
    def workflow(self, line: str) -> Any:
        """Begin a run of a workflow cell by cell, go on with one, choose one, or show where the present one stands."""
        __tracebackhide__ = True
        session = self._begun_or_chosen(line)
        show(session.standing())
        return session

    def _begun_or_chosen(self, line: str) -> CellSession:
        given = parse(line, WORKFLOW)
        name, values = given.word, given.values
        begins = {"--goal", "--run-id", "--resume"} & values.keys()
        if not begins:
            return self._choose(name, values)
        variables = self._variables
        if name is None and "--resume" not in values:
            names = workflows_in(variables)
            if len(names) != 1:
                raise BadCommand(f"Say which workflow. Registered: {listed(names)}.", WORKFLOW.text)
            name = names[0]
        hub = hub_in(variables, name, values.get("--hub"))
        if "--resume" in values:
            unfit = [option for option in ("--goal", "--data", "--seed", "--run-id") if option in values]
            if unfit:
                raise BadCommand(
                    f"--resume goes on with a run as it was begun; leave out {listed(unfit)}.", WORKFLOW.text
                )
            run_id = values["--resume"] or None
            if name is None:
                name = self._workflow_of(hub, run_id)
            return CellSession.resume(hub, name, run_id)
        data = self._variable(values["--data"]) if "--data" in values else None
        seed = self._number(values["--seed"]) if "--seed" in values else None
        return CellSession(
            hub, cast("str", name), values.get("--goal"), data=data, run_id=values.get("--run-id"), seed=seed
        )

    @no_var_expand
    @line_cell_magic
    @plainly
    def step(self, line: str, cell: str | None = None) -> Any:
        """Make the code of this cell the worker of a step in the present run, and make the step's visit."""
        __tracebackhide__ = True
        if cell is None:
            raise BadCommand("%step stands alone: the code of the step belongs below it.", STEP.text)
        given = parse(line, STEP)
        session = self._session
        if given.word is None:
            known = listed(session.run.workflow.steps)
            raise BadCommand(f"Say which step the cell is for. Steps: {known}.", STEP.text)
        session.check_step(given.word)
        body = body_of_cell(self.shell, given.word, line, cell)
        return session.perform(body, again=bool(given.flags))

    @no_var_expand
    @line_magic
    @plainly
    def run_next(self, line: str) -> Any:
        """Make what comes next, with the worker or the cell there is."""
        __tracebackhide__ = True
        parse(line, RUN_NEXT)
        return self._session.run_next()

    @no_var_expand
    @line_magic
    @plainly
    def run_until(self, line: str) -> Any:
        """Run until a step is next; without one, as far as there are workers, cells and answers."""
        __tracebackhide__ = True
        return self._session.run_until(parse(line, RUN_UNTIL).word)

    @no_var_expand
    @line_magic
    @plainly
    def goto(self, line: str) -> Any:
        """Go back to a visit, in a fork."""
        __tracebackhide__ = True
        visit = parse(line, GOTO).word
        if visit is None:
            raise BadCommand("Say which visit to go back to.", GOTO.text)
        return self._session.goto(visit)

    @no_var_expand
    @line_magic
    @plainly
    def refresh(self, line: str) -> Any:
        """Make again what is stale, as far as something changed for it."""
        __tracebackhide__ = True
        parse(line, REFRESH)
        return self._session.refresh()

    @no_var_expand
    @line_magic
    @plainly
    def approve(self, line: str) -> Any:
        """Say yes to what the run asks."""
        __tracebackhide__ = True
        return self._session.approve(_value(line) if line.strip() else True)

    @no_var_expand
    @line_magic
    @plainly
    def reject(self, line: str) -> Any:
        """Say no to what the run asks, and why."""
        __tracebackhide__ = True
        if not line.strip():
            raise BadCommand("Say why: the reason goes on record.", REJECT.text)
        return self._session.reject(line.strip())

    @no_var_expand
    @line_magic
    @plainly
    def cassette(self, line: str) -> Any:
        """Record what workers and cells put out, or replay it."""
        __tracebackhide__ = True
        given = parse(line, CASSETTE)
        session = self._session
        if given.words == ["off"]:
            session.use_cassette(None)
        elif given.words:
            from orchestration_kit.journal.cassette import Cassette

            mode = given.words[1] if len(given.words) > 1 else "auto"
            if mode not in MODES:
                raise BadCommand(unknown_word(mode, list(MODES)), CASSETTE.text)
            session.use_cassette(Cassette(given.words[0], mode))
        tape = session.hub.cassette
        print("No cassette is in use." if tape is None else f"{tape.path.name}: {tape.mode}, {len(tape)} recorded.")  # noqa: T201 - that is what is asked

    @no_var_expand
    @line_magic
    @plainly
    def history(self, line: str) -> Any:
        """Show the record of the run as a frame. Written in any other way, or without a run: IPython's own."""
        __tracebackhide__ = True
        is_ours = line.strip() in ("", *HISTORY.flags) and current.sessions()
        if not is_ours and self.input_history is not None:
            return self.input_history(line)
        session = self._session
        return session.run.to_frame() if line.strip() else session.history()

    # --- what a line means

    @property
    def _variables(self) -> Mapping[str, Any]:
        return cast("Any", self.shell).user_ns

    @property
    def _session(self) -> CellSession:
        try:
            return current.current()
        except NoSession:
            raise NoSession(workflows_in(self._variables)) from None

    def _choose(self, name: str | None, values: Mapping[str, str]) -> CellSession:
        if values:
            raise BadCommand(f"{next(iter(values))} says how to begin a run: give a --goal with it.", WORKFLOW.text)
        if name is None:
            return self._session
        for session in current.sessions():
            if session.run.workflow.name == name:
                current.choose(session)
                return session
        hub_in(self._variables, name, None)  # a name that nobody knows is told first
        raise NoSession((name,))

    def _workflow_of(self, hub: Any, run_id: str | None) -> str:
        if run_id is None:
            names = list(hub.workflows)
            if len(names) == 1:
                return names[0]
            raise BadCommand(f"Say which workflow. Registered: {listed(names)}.", WORKFLOW.text)
        return hub.get_run(run_id).workflow.name

    def _variable(self, name: str) -> Mapping[str, Any]:
        found = self._variables.get(name)
        if not isinstance(found, Mapping):
            what = "there is no such variable" if found is None else f"it is {type(found).__name__}"
            raise BadCommand(f"--data names a variable that holds a dict; {name!r}: {what}.", WORKFLOW.text)
        return cast("Mapping[str, Any]", found)

    @staticmethod
    def _number(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise BadCommand(f"--seed is a whole number, not {text!r}.", WORKFLOW.text) from None


def _value(line: str) -> Any:
    """Return the value that a person typed, as Python or JSON writes it; nothing is evaluated."""
    for read in (ast.literal_eval, json.loads):
        try:
            return read(line.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    raise BadCommand(
        f"The value {line.strip()!r:.80} is neither Python nor JSON; put text in quotation marks.", APPROVE.text
    )
