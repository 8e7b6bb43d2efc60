"""Cells of a notebook become the workers of one run: `@step("review")`, `#| step review` or `%%step review`.

```text
the text of a cell
  -> directive.py    `#| step NAME` becomes `%%step NAME`
  -> magics.py       arguments.py reads the line; extension.py: what `%load_ext orchestration_kit` adds
  -> body.py         the code becomes a worker; decorator.py: a function does; reach.py: what is part of its version
  -> session.py      CellSession: the run, and what a cell does to it
       beginning.py, editions.py   which run: a new one, one on record, the newest fork of it
       vacancies.py                who stands at steps that have no cell yet
       turns.py, ahead.py          what is on record, and what comes next
       reading.py                  what running this cell means: a pure decision
       driving.py, memory.py       one turn is made; what would only be repeated is taken over
  -> standing.py     where the run stands, in a few lines; showing.py: outputs and errors; order.py: whose turn it is
```
"""

from orchestration_kit.widgets.cells.decorator import step
from orchestration_kit.widgets.cells.session import CellSession

__all__ = ["CellSession", "step"]
