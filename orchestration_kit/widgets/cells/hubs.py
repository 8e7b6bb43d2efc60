"""Which orchestrator of a notebook `%workflow` means: the one that knows the workflow, or the one that is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import UnknownWorkflow, listed
from orchestration_kit.widgets.cells.errors import BadCommand

_USAGE = '%workflow NAME --goal "..." --hub VARIABLE'


def hub_in(variables: Mapping[str, Any], workflow: str | None, named: str | None) -> Orchestrator:
    """Return the orchestrator in a notebook's variables that is meant.

    Args:
        variables: The notebook's, by name.
        workflow: The workflow it should know.
        named: The variable it is in, where that was said.

    Raises:
        BadCommand: there is none, or several could be meant.
        UnknownWorkflow: none knows the workflow.
    """
    if named is not None:
        found = variables.get(named)
        if not isinstance(found, Orchestrator):
            what = "is not there" if found is None else f"is {type(found).__name__}"
            raise BadCommand(f"--hub names a variable that holds an Orchestrator; {named!r} {what}.", _USAGE)
        return found
    hubs = _hubs(variables)
    if not hubs:
        usage = "hub = Orchestrator(); hub.register_workflow(...)   and then   " + _USAGE
        raise BadCommand("There is no Orchestrator among the variables of this notebook.", usage)
    fitting = {name: hub for name, hub in hubs.items() if workflow is None or workflow in hub.workflows}
    if not fitting:
        known = dict.fromkeys(other for hub in hubs.values() for other in hub.workflows)
        raise UnknownWorkflow(str(workflow), list(known))
    if len({id(hub) for hub in fitting.values()}) > 1:
        raise BadCommand(f"Several orchestrators could be meant: {listed(fitting)}.", _USAGE)
    return next(iter(fitting.values()))


def workflows_in(variables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the workflows that the orchestrators of a notebook know."""
    return tuple(dict.fromkeys(name for hub in _hubs(variables).values() for name in hub.workflows))


def _hubs(variables: Mapping[str, Any]) -> dict[str, Orchestrator]:
    return {
        name: value
        for name, value in list(variables.items())
        if isinstance(value, Orchestrator) and not name.startswith("_")
    }
