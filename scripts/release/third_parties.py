"""Write THIRD_PARTY_LICENSES.txt and the bill of materials that go into the wheel, or see that they are up to date.

    python -m scripts.release.third_parties [--check]

Needs `.venv` as `make test` sets it up, node, and the pinned packages of the widgets: `make check` sees to all of it.
"""

from __future__ import annotations

import sys

import orchestration_kit
from scripts.release.bundled import ROOT, bundled_packages
from scripts.release.declared import declared_packages
from scripts.release.licence_file import licence_file
from scripts.release.sbom import sbom

LICENCES = ROOT / "THIRD_PARTY_LICENSES.txt"
BILL = ROOT / "orchestration-kit.cdx.json"


def main(*, check: bool) -> int:
    """Write both files; or compare, and return 1 where one is not what it should be."""
    bundled, declared = bundled_packages(), declared_packages()
    if unknown := [f"{one.name}: {one.licence}" for one in declared if one.licence.startswith("unknown")]:
        raise SystemExit("Whose licence is it? Say so in scripts/release/declared.py: " + "; ".join(unknown))
    wanted = {
        LICENCES: licence_file(bundled, declared),
        BILL: sbom(orchestration_kit.__version__, bundled, declared),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if check and stale:
        print(f"Out of date: {', '.join(path.name for path in stale)}. Run: make third-parties", file=sys.stderr)
        return 1
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"Written: {path.name}")
    print(f"Third parties: {len(bundled)} packages in the bundles, {len(declared)} asked for beside them.")
    return 0


if __name__ == "__main__":
    sys.exit(main(check=sys.argv[1:] == ["--check"]))
