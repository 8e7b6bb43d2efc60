"""No file that is written by hand has more than 400 lines: one idea each, to be read in one go."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST = 400
KINDS = {".py", ".md", ".toml", ".js", ".jsx", ".css", ".mjs", ".sh", ".cfg", ".yaml"}
MADE = ("orchestration_kit/widgets/static/",)
"""Bundles, by `make frontend`."""


def written_by_hand():
    for folder in (
        "orchestration_kit",
        "tests",
        "benchmarks",
        "scripts",
        "docs/_ext",
        "docs/how-to",
        "docs/explanation",
        "docs/reference",
    ):
        yield from (ROOT / folder).rglob("*")
    for folder in (".", "docs", "notebooks/data"):
        yield from (ROOT / folder).glob("*")


def test_no_file_is_too_long_to_be_read_in_one_go():
    names = {str(path.relative_to(ROOT)) for path in written_by_hand() if path.suffix in KINDS and path.is_file()}
    names = {name for name in names if "node_modules" not in name and not name.startswith(MADE)}
    assert len(names) > 500
    lines = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in names}
    too_long = sorted(f"{name}: {count} lines" for name, count in lines.items() if count > MOST)
    assert too_long == [], f"at most {MOST}; split them by idea, into files whose names say the idea"
