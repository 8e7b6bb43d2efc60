"""Outputs of workers, recorded once and replayed instead of calling the workers. `tape.py` says how."""

from orchestration_kit.journal.cassette.tape import (
    Cassette,
    CassetteError,
    CassetteMiss,
    as_cassette,
    cassette,
    current_cassette,
)

__all__ = ["Cassette", "CassetteError", "CassetteMiss", "as_cassette", "cassette", "current_cassette"]
