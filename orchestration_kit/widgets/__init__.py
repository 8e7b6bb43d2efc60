"""Layer 7, touch it: widgets and magics in which people compose workflows, run them cell by cell, watch and answer.

```text
base.py         what all widgets share: intentions in, state out; clicks are heard while a cell is running
pulse.py        many events, few messages, the last state always
static/         bundles for the browser, built from frontend/ by `make frontend`
```

Widgets are anywidget modules: no CDN, no globals. They render state and emit intentions; what is possible and what
happens is decided by the engine below.
"""
