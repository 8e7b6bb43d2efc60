"""`CellSession`: one run of a workflow, made cell by cell. Every way to write a cell ends here.

A session reads a notebook against the record of its run. A cell whose visit is on record, made by the same code, is
taken over and not executed; so a notebook can be run from the top again after its kernel was restarted. A cell that
was edited makes its visit again, in a fork; the earlier edition of the run stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from orchestration_kit.engine.past import SAME
from orchestration_kit.engine.stand_ins import known_steps
from orchestration_kit.errors import UnknownRun, UnknownStep, UnknownWorkflow
from orchestration_kit.widgets.cells import current
from orchestration_kit.widgets.cells.ahead import coming, first, vacant
from orchestration_kit.widgets.cells.beginning import begin, go_on_with
from orchestration_kit.widgets.cells.body import Body, body_of_function
from orchestration_kit.widgets.cells.driving import Made, make_turn, settle
from orchestration_kit.widgets.cells.editions import edition_id, first_id, number_of, numbers_on_record
from orchestration_kit.widgets.cells.errors import BadCommand, NoCell
from orchestration_kit.widgets.cells.memory import Memory, stale_turns
from orchestration_kit.widgets.cells.order import nothing_to_run, out_of_order
from orchestration_kit.widgets.cells.showing import show_made, show_outputs
from orchestration_kit.widgets.cells.standing import Standing, how_it_went, standing
from orchestration_kit.widgets.cells.turns import Turn, turn_key, turns_of

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run

_Function = TypeVar("_Function", bound=Callable[..., Any])
