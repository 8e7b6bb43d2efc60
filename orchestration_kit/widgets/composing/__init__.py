"""What the composer does, without a browser: edits of a workflow, their history, forms, pictures and code.

```text
draft.py      a workflow and where its steps stand on the canvas; steps are added, moved, renamed, removed
ways.py       steps are connected and disconnected
fields.py     one field of a step, or several that only fit together, is changed
fragments.py  steps are copied and pasted
scopes.py     workflows that stand in a step are opened and put back
history.py    undo and redo
palette.py    what can be added: workers, kinds of steps, registered workflows
form.py       a model becomes the description of a form; docs.py: what its fields mean
flat.py       the picture of a draft: each step a box, frames around what branches hold
view.py       a draft as the browser gets it
code.py       the Python that makes a workflow anew
```
"""
