"""Values to JSON and back: equal, of the same type, never by pickle. `coding.py` says how."""

from orchestration_kit.journal.codec.coding import (
    BLOB_BYTES,
    GetBlob,
    PutBlob,
    TypeChanged,
    content_digest,
    decode,
    dumps,
    encode,
    loads,
    register_type,
)

__all__ = [
    "BLOB_BYTES",
    "GetBlob",
    "PutBlob",
    "TypeChanged",
    "content_digest",
    "decode",
    "dumps",
    "encode",
    "loads",
    "register_type",
]
