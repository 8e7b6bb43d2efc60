"""What a step costs: our engine beside a bare Python loop and other libraries, measured in one run.

    harness.py    times cases, interleaved
    bare.py       the bare loop, the measure of all things here
    ours.py       orchestration_kit
    peers/        one adapter a library
    workloads.py  what is run, what must come out, which goal it has
    imports.py    what an import costs, in processes of its own
    table.py      the one table

`make bench` runs them all; `python -m benchmarks --help` says how to run some.
"""
